"""The pages of connected apps and of registered ones: who sees what, and what the buttons do at once.

To see it fail: leave the role out of `admin` in web/developer.py or out of `end` in web/apps.py, or the user out of `revoke_all`.
"""

from collections.abc import Callable

import pytest
from tests.oauth.connecting import App, Visit, new_app, new_visit, nobody
from tests.server import Server
from tests.visiting import Browser
from tests.world import World

HERE = "http://127.0.0.1:8080"


@pytest.fixture
def app(server: Server) -> App:
    return new_app(server, server.tenant("developer"))


# ── connected apps ──


def test_a_user_sees_the_apps_they_have_connected(app: App, server: Server, world: World) -> None:
    visit = new_visit(server, world)
    assert "You have connected no app" in visit.browser.open("/account/apps").text
    visit.tokens(app)
    visit.tokens(app)
    page = visit.browser.open("/account/apps")
    assert page.text.count("Some app") == 1
    assert "developer" in page.text
    assert "of others" not in page.text


def test_an_app_that_was_ended_has_no_access_from_then_on(app: App, server: Server, world: World) -> None:
    visit = new_visit(server, world)
    tokens = [visit.tokens(app), visit.tokens(app)]
    visit.browser.open("/account/apps")
    visit.browser.submit("/account/apps")
    assert [app.status(item) for item in tokens] == [401, 401]
    assert app.refresh(tokens[0]["refresh_token"]).json["error"] == "invalid_grant"
    assert visit.reasons() == ["the user ended it"] * 2
    assert "You have connected no app" in visit.browser.page.text


def test_a_connection_that_has_lapsed_is_not_shown(app: App, server: Server, world: World) -> None:
    visit = new_visit(server, world)
    visit.tokens(app)
    visit.write("UPDATE oauth_grant SET expires_at = created_at WHERE environment_id = {environment}")
    assert "You have connected no app" in visit.browser.open("/account/apps").text


def test_ending_one_app_leaves_the_others_and_those_of_others(app: App, server: Server, world: World) -> None:
    visit, colleague = new_visit(server, world), new_visit(server, world)
    other = new_app(server, server.tenant("another developer"))
    kept = [(other, visit.tokens(other)), (app, colleague.tokens(app))]
    visit.tokens(app)
    visit.browser.open("/account/apps")
    csrf = visit.browser.page.forms[0].fields["csrf"]
    visit.browser.post("/account/apps", csrf=csrf, app=app.id)
    assert [holder.status(tokens) for holder, tokens in kept] == [200, 200]


def test_an_admin_sees_and_ends_those_of_others(app: App, server: Server, world: World) -> None:
    visit, admin = new_visit(server, world), new_visit(server, world, "admin")
    tokens = visit.tokens(app)
    assert visit.user.email in admin.browser.open("/account/apps").text
    admin.browser.submit("/account/apps")
    assert app.status(tokens) == 401
    assert visit.reasons() == ["an admin ended it"]


@pytest.mark.parametrize("role", ["guest", "member", "organiser", "manager"])
def test_who_is_no_admin_sees_and_ends_their_own_only(role: str, app: App, server: Server, world: World) -> None:
    visit, colleague = new_visit(server, world), new_visit(server, world, role)
    tokens = visit.tokens(app)
    colleague.tokens(app)
    page = colleague.browser.open("/account/apps")
    assert visit.user.email not in page.text
    assert colleague.browser.submit("/account/apps", user=visit.user.id).status == 403
    assert app.status(tokens) == 200


def test_an_admin_of_another_environment_ends_nothing(app: App, server: Server, world: World) -> None:
    visit, stranger = new_visit(server, world), new_visit(server, server.tenant(), "admin")
    tokens = visit.tokens(app)
    stranger.tokens(app)
    page = stranger.browser.open("/account/apps")
    assert visit.user.email not in page.text
    stranger.browser.submit("/account/apps", user=visit.user.id)
    assert app.status(tokens) == 200


@pytest.mark.parametrize("path", ["/account/apps", "/developer/apps"])
def test_a_wide_table_scrolls_within_its_card(path: str, server: Server, world: World) -> None:
    """Else the whole page is wider than a phone."""
    admin = new_visit(server, world, "admin")
    admin.tokens(new_app(server, world))
    body = admin.browser.open(path).answer.body.decode()
    assert body.count("<table>") == body.count('<div class="scroll"><table>') == 1


# ── registered apps ──


CLOCK = {"name": "Time clock", "redirect_uris": "https://app.example/back\nhttp://localhost/back\n"}


def registered(browser: Browser, **fields: str) -> tuple[str, str | None]:
    """(client id, secret) of an app registered on the page."""
    browser.open("/developer/apps")
    page = browser.submit("/developer/apps", None, **CLOCK, **fields)
    body = page.answer.body.decode()
    assert page.status == 200, page.text
    secret = body.partition('id="secret">')[2].partition("<")[0]
    return body.partition('id="client_id">')[2].partition("<")[0], secret or None


def test_an_admin_registers_an_app_whose_secret_is_shown_once(server: Server, world: World) -> None:
    admin, visit = new_visit(server, world, "admin"), new_visit(server, server.tenant())
    client_id, secret = registered(admin.browser)
    assert secret is not None
    app = App(server, client_id, secret)
    assert app.status(visit.tokens(app)) == 200
    assert secret not in admin.browser.open(f"/developer/apps/{client_id}").answer.body.decode()
    assert secret not in repr(server.rows(world.environment_id))
    assert client_id in admin.browser.open("/developer/apps").text


def test_a_public_app_has_no_secret(server: Server, world: World) -> None:
    admin, visit = new_visit(server, world, "admin"), new_visit(server, server.tenant())
    client_id, secret = registered(admin.browser, kind="public")
    assert secret is None
    app = App(server, client_id, None)
    assert app.status(visit.tokens(app)) == 200
    admin.browser.open(f"/developer/apps/{client_id}")
    fields = {"csrf": admin.browser.page.form(f"/developer/apps/{client_id}").fields["csrf"]}
    assert admin.browser.post(f"/developer/apps/{client_id}/secret", None, **fields).status == 403


@pytest.mark.parametrize("id", ["%00", "a%00b", "nobody", "%FF"])
def test_what_is_no_id_is_no_app(id: str, server: Server, world: World) -> None:
    """PostgreSQL takes no text with a NUL; such a path was a fault of ours."""
    admin = new_visit(server, world, "admin")
    admin.browser.open("/developer/apps")
    csrf = admin.browser.page.form("/developer/apps").fields["csrf"]
    assert admin.browser.open(f"/developer/apps/{id}").status == 404
    for path in ("", "/secret", "/delete"):
        assert admin.browser.post(f"/developer/apps/{id}{path}", None, csrf=csrf, **CLOCK).status == 404


def test_a_new_secret_replaces_the_old_one_and_users_stay_connected(server: Server, world: World) -> None:
    admin, visit = new_visit(server, world, "admin"), new_visit(server, server.tenant())
    client_id, secret = registered(admin.browser)
    old = App(server, client_id, secret)
    tokens = visit.tokens(old)
    admin.browser.open(f"/developer/apps/{client_id}")
    body = admin.browser.submit(f"/developer/apps/{client_id}/secret").answer.body.decode()
    new = App(server, client_id, body.partition('id="secret">')[2].partition("<")[0])
    assert new.secret not in (None, "", secret)
    assert old.refresh(tokens["refresh_token"]).status == 401
    assert new.refresh(tokens["refresh_token"]).status == 200


def test_a_deleted_app_loses_everything_everywhere(server: Server, world: World) -> None:
    admin, visit = new_visit(server, world, "admin"), new_visit(server, server.tenant())
    client_id, secret = registered(admin.browser)
    app = App(server, client_id, secret)
    tokens = visit.tokens(app)
    admin.browser.open(f"/developer/apps/{client_id}")
    admin.browser.submit(f"/developer/apps/{client_id}/delete")
    assert admin.browser.page.address == f"{HERE}/developer/apps"
    assert app.status(tokens) == 401
    assert app.refresh(tokens["refresh_token"]).json["error"] == "invalid_client"
    assert visit.browser.open(app.address()).status == 400
    assert visit.reasons() == ["the app was deleted"]
    assert admin.browser.open(f"/developer/apps/{client_id}").status == 404


def test_an_address_that_is_taken_away_works_no_more(server: Server, world: World) -> None:
    admin, visit = new_visit(server, world, "admin"), new_visit(server, server.tenant())
    client_id, secret = registered(admin.browser)
    app = App(server, client_id, secret)
    admin.browser.open(f"/developer/apps/{client_id}")
    page = admin.browser.submit(f"/developer/apps/{client_id}", redirect_uris="https://app.example/other", name="Clock")
    assert "Saved" in page.text
    assert visit.browser.open(app.address()).status == 400
    page = visit.browser.open(App(server, client_id, secret, "https://app.example/other").address())
    assert (page.status, "Clock" in page.text) == (200, True)


WRONG = {
    "an address": ({"redirect_uris": "http://evil.example"}, "must be https"),
    "one of two addresses": ({"redirect_uris": "https://app.example/\nhttp://evil.example"}, "must be https"),
    "no address": ({"redirect_uris": " \n "}, "1 to 20"),
    "no name": ({"name": " "}, "needs a name"),
    "a long name": ({"name": "x" * 256}, "needs a name"),
    "a name with a line": ({"name": "a\nb"}, "needs a name"),
}


@pytest.mark.parametrize("scenario", WRONG)
def test_what_is_wrong_is_said_and_what_was_typed_stays(scenario: str, server: Server, world: World) -> None:
    fields, words = WRONG[scenario]
    admin = new_visit(server, world, "admin")
    client_id, _ = registered(admin.browser)
    for path in ("/developer/apps", f"/developer/apps/{client_id}"):
        admin.browser.open(path)
        typed = {"name": "Typed name", "redirect_uris": "https://typed.example/", **fields}
        page = admin.browser.submit(path, None, **typed)
        assert (page.status, words in page.text) == (422, True)
        kept = page.form(path).fields
        assert kept["name"] == typed["name"]
    assert server.count(world.environment_id, "oauth_client") == 1


@pytest.mark.parametrize("role", ["guest", "member", "organiser", "manager"])
def test_only_an_admin_sees_and_changes_apps(role: str, server: Server, world: World) -> None:
    visit, app = new_visit(server, world, role), new_app(server, world)
    visit.browser.open("/account/apps")
    csrf = {"csrf": own_csrf(visit, app)}
    paths = ("/developer/apps", f"/developer/apps/{app.id}", f"/developer/apps/{app.id}/secret", f"/developer/apps/{app.id}/delete")
    before = server.rows(world.environment_id)
    assert [visit.browser.open(path).status for path in paths[:2]] == [403, 403]
    assert [visit.browser.post(path, None, **csrf, name="x", redirect_uris="https://x.example").status for path in paths] == [403] * 4
    assert server.rows(world.environment_id) == before


def own_csrf(visit: Visit, app: App) -> str:
    """The token that a form of this browser carries."""
    visit.browser.open(app.address())
    return visit.browser.page.form().fields["csrf"]


def test_an_app_of_another_environment_is_not_there(server: Server, world: World) -> None:
    admin, app = new_visit(server, world, "admin"), new_app(server, server.tenant("developer"))
    csrf = {"csrf": own_csrf(admin, app)}
    assert app.id not in admin.browser.open("/developer/apps").text
    unknown = admin.browser.open("/developer/apps/00000000-0000-4000-8000-000000000001")
    assert admin.browser.open(f"/developer/apps/{app.id}").text == unknown.text
    for path in (f"/developer/apps/{app.id}", f"/developer/apps/{app.id}/secret", f"/developer/apps/{app.id}/delete"):
        assert admin.browser.post(path, None, **csrf, name="x", redirect_uris="https://x.example").status == 404
    assert new_visit(server, server.tenant()).browser.open(app.address()).status == 200


PATHS: dict[str, Callable[[App], str]] = {
    "the connected apps": lambda app: "/account/apps",
    "the registered apps": lambda app: "/developer/apps",
    "one of them": lambda app: f"/developer/apps/{app.id}",
}


@pytest.mark.parametrize("page", PATHS)
def test_who_is_not_logged_in_is_sent_to_the_login(page: str, app: App, server: Server) -> None:
    answer = Browser(nobody(server)).exchange("GET", PATHS[page](app), b"", None)
    assert (answer.status, answer.headers["location"].partition("?")[0]) == (303, "/login")


def test_a_form_of_another_site_ends_nothing(app: App, server: Server, world: World) -> None:
    visit = new_visit(server, world, "admin")
    tokens = visit.tokens(app)
    assert visit.browser.post("/account/apps", app=app.id).status == 403
    own = new_app(server, world)
    for path in ("/developer/apps", f"/developer/apps/{own.id}", f"/developer/apps/{own.id}/secret", f"/developer/apps/{own.id}/delete"):
        assert visit.browser.post(path, name="x", redirect_uris="https://x.example").status == 403
    assert app.status(tokens) == 200
    assert server.count(world.environment_id, "oauth_client") == 1
