"""Environments suspended, resumed and deleted under a running server: every credential at once, every row and file for good.

To see them fail: leave `touched.add` out of `set_status`, leave `at_work` out of `store/jobs.py`, let `FORGET` delete the highest
counter, put "card" into `KEPT`, or leave the environment of the app out of `tokens.GRANT`.
"""

from collections.abc import Iterator
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from tests.client import Client, Loop
from tests.connections import connected
from tests.people import person
from tests.sending import HERE, Receiver, sending, wait_until
from tests.server import OBJECTS, Server, Tenant, running, scratch_database, settings_for
from tests.world import STORED, World

from planwerk.commands import Impossible, environments
from planwerk.files.folder import Folder
from planwerk.files.stored import Missing
from planwerk.files.vault import open_vault
from planwerk.identity.sessions import find_visitor
from planwerk.settings import Settings
from planwerk.store.database import open_database
from planwerk.store.environments import DELETING, SIGN_UP, activate, clear, create_environment, find_environment, remove, set_status
from planwerk.store.migrations import upgrade

ANY_CARD = {"url": "https://example.com/hook", "event_types": ["card.created"]}


@pytest.fixture(scope="module")
def server(backend: str, tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[Server]:
    """A server on a database that commands take for one of this release. On PostgreSQL each request comes a second after the last."""
    place = tmp_path_factory.mktemp("environments")
    with scratch_database(backend, place) as url:
        settings = settings_for(url, place)
        database = open_database(settings, OBJECTS)
        upgrade(database)
        database.close()
        with running(loop, settings) as server:
            if backend == "postgresql":
                seconds, known = count(10**9), server.database
                known.refresh = lambda: setattr(known, "generation", next(seconds))  # type: ignore[method-assign]
            yield server


@pytest.fixture
def settings(server: Server) -> Settings:
    return server.settings


@pytest.fixture
def tenant(server: Server) -> Tenant:
    return server.tenant()


def clients(server: Server, tenant: Tenant) -> dict[str, Client]:
    """One for each kind of credential; each has been used, so that the server knows it."""
    found = {
        "key": server.client(tenant),
        "app": connected(server, tenant, "member").client,
        "session": person(server, tenant, "guest").client,
    }
    for client in found.values():
        assert client.ask("GET", "/v1/board").status == 200
    return found


def statuses(known: dict[str, Client]) -> set[int]:
    return {client.ask("GET", "/v1/board").status for client in known.values()}


# ── suspended and resumed ──


def test_a_suspended_environment_refuses_every_credential_at_once_until_it_is_resumed(
    server: Server, settings: Settings, tenant: Tenant
) -> None:
    mine, theirs = clients(server, tenant), clients(server, server.tenant())
    assert environments.suspend(settings, tenant.environment.name)["status"] == "suspended"
    answers = [client.ask("GET", "/v1/board") for client in mine.values()]
    assert {(answer.status, *answer.codes) for answer in answers} == {(401, 10002)}
    assert statuses(theirs) == {200}
    assert environments.resume(settings, tenant.environment.name)["status"] == "active"
    assert statuses(mine) == {200}


def test_an_app_of_a_suspended_environment_is_refused_in_every_other_one(server: Server, settings: Settings, tenant: Tenant) -> None:
    app = connected(server, server.tenant(), "member", owner=tenant).client
    seen = [app.ask("GET", "/v1/board").status]
    for change in (environments.suspend, environments.resume):
        change(settings, tenant.environment.name)
        seen.append(app.ask("GET", "/v1/board").status)
    assert seen == [200, 401, 200]


def test_the_browser_of_a_suspended_environment_is_logged_out_until_it_is_resumed(
    server: Server, settings: Settings, tenant: Tenant
) -> None:
    cookie, now = person(server, tenant, "admin").cookie, server.database.identifiers.now()
    seen = []
    for change in (environments.suspend, environments.resume):
        change(settings, tenant.environment.name)
        seen.append(server.loop.run(find_visitor(server.database, cookie, now)) is not None)
    assert seen == [False, True]


def test_the_background_work_of_a_suspended_environment_waits(server: Server, settings: Settings, tenant: Tenant) -> None:
    server.work()
    environments.suspend(settings, tenant.environment.name)
    server.database.write_now(tenant.environment.id, lambda tx: tx.enqueue("collection.recount"))
    other = server.tenant()
    server.database.write_now(other.environment.id, lambda tx: tx.enqueue("collection.recount"))
    assert server.work() == 1, "only that of the other"
    environments.resume(settings, tenant.environment.name)
    assert server.work() == 1
    assert "job" not in server.rows(tenant.environment.id)


def test_an_environment_that_waits_for_its_sign_up_opens_when_it_is_activated(server: Server, settings: Settings) -> None:
    made = server.database.write_now("", lambda tx: create_environment(tx, "New here", SIGN_UP))
    client = server.client(Tenant(made, server.new_key(made)))
    assert client.ask("GET", "/v1/board").status == 401
    with pytest.raises(Impossible, match="waits for the person who signed up"):
        environments.resume(settings, made.name)
    server.database.write_now(made.id, lambda tx: activate(tx, made.id))
    assert client.ask("GET", "/v1/board").status == 200


def test_the_webhooks_that_apps_of_a_suspended_environment_have_made_elsewhere_wait(
    server: Server, settings: Settings, tenant: Tenant
) -> None:
    """To see it fail: leave `OWNER_WAITS` out of `DUE`."""
    other = server.tenant()
    world = World(server, server.client(other), other.environment.id)
    app = connected(server, other, "admin", owner=tenant).client
    with Receiver().listening() as theirs, Receiver().listening() as mine, sending(world, allowed=HERE):
        for client, receiver in ((app, theirs), (world.client, mine)):
            world.write("webhook", client.post("/v1/webhook", ANY_CARD)["id"], url=receiver.url)
        environments.suspend(settings, tenant.environment.name)
        for _ in range(2):
            world.client.post("/v1/board", {"name": "hall", "collections": [{"name": "stairs", "cards": [{"name": "steps"}]}]})
        wait_until(lambda: len(mine.calls) == 2, "the other webhook was called")
        assert theirs.calls == []
        environments.resume(settings, tenant.environment.name)
        wait_until(lambda: len(theirs.calls) == 2, "what waited was sent")


# ── deleted ──


def keep_file(settings: Settings, environment_id: str) -> str:
    key = f"{environment_id}/{'0' * 12}"
    open_vault(settings).put(key, BytesIO(b"saw"), 3, "text/plain")
    return key


def test_a_deleted_environment_leaves_no_row_and_no_file_and_the_others_keep_theirs(
    server: Server, settings: Settings, tenant: Tenant
) -> None:
    worlds = [World(server, server.client(each), each.environment.id) for each in (tenant, server.tenant())]
    for world in worlds:
        for described in STORED:
            world.id(described.name)
        server.database.write_now(world.environment_id, lambda tx: tx.enqueue("collection.recount"))
    known, files = clients(server, tenant), [keep_file(settings, world.environment_id) for world in worlds]
    mine, theirs = (world.environment_id for world in worlds)
    before, number = server.rows(theirs), sum(map(len, server.rows(mine).values()))
    assert environments.delete(settings, tenant.environment.name, is_sure=True) == {"environment": tenant.environment.name, "rows": number}
    assert server.rows(mine) == {}
    assert server.database.write_now("", lambda tx: find_environment(tx, id=mine)) is None
    assert statuses(known) == {401}
    assert server.rows(theirs) == before
    with pytest.raises(Missing):
        open_vault(settings).stored(files[0])
    assert open_vault(settings).stored(files[1]).size_bytes == 3


def test_with_an_environment_the_connections_of_its_apps_end_everywhere(server: Server, settings: Settings, tenant: Tenant) -> None:
    """Else their webhooks would go on sending. To see it fail: leave `end_connections` out of `environments.delete`."""
    other = server.tenant()
    gone, kept = (connected(server, other, "admin", owner=owner) for owner in (tenant, server.tenant()))
    api, hooks = server.client(other), [app.client.post("/v1/webhook", ANY_CARD)["id"] for app in (gone, kept)]
    environments.delete(settings, tenant.environment.name, is_sure=True)
    assert [api.get(f"/v1/webhook/{id}")["active"] for id in hooks] == [False, True]
    [(reason,)] = server.database.query(f"SELECT reason FROM oauth_grant WHERE id = '{gone.grant_id}'")
    assert reason == environments.OWNER_DELETED
    assert [app.client.ask("GET", "/v1/board").status for app in (gone, kept)] == [401, 200]


def test_nothing_is_deleted_unless_it_is_meant(server: Server, settings: Settings, tenant: Tenant) -> None:
    before = server.rows(tenant.environment.id)
    with pytest.raises(Impossible, match="add --yes"):
        environments.delete(settings, tenant.environment.name, is_sure=False)
    assert server.rows(tenant.environment.id) == before
    assert server.client(tenant).ask("GET", "/v1/board").status == 200


def test_rows_go_in_portions_so_that_others_can_write_between(server: Server, tenant: Tenant) -> None:
    client = server.client(tenant)
    for number in range(7):
        client.post("/v1/item", {"name": f"item {number}"})
    portions = []
    while gone := server.database.write_now(tenant.environment.id, lambda tx: clear(tx, batch=3)):
        portions.append(gone)
    assert max(portions) == 3
    assert sum(portions) >= 8, "the items and the key"
    assert server.rows(tenant.environment.id) == {}


def test_a_deletion_that_was_interrupted_goes_on_and_cannot_be_taken_back(server: Server, settings: Settings, tenant: Tenant) -> None:
    id, name = tenant.environment.id, tenant.environment.name
    server.database.write_now(id, lambda tx: set_status(tx, id, DELETING))
    assert server.client(tenant).ask("GET", "/v1/board").status == 401
    for change in (environments.resume, environments.suspend):
        with pytest.raises(Impossible, match="is being deleted"):
            change(settings, name)
    environments.delete(settings, name, is_sure=True)
    with pytest.raises(Impossible, match="there is no environment"):
        environments.delete(settings, name, is_sure=True)


def test_files_that_cannot_be_deleted_keep_the_environment_until_they_can(
    server: Server, settings: Settings, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "clear", broken)
        with pytest.raises(Impossible, match=r"the disk is gone.*give the command again"):
            environments.delete(settings, tenant.environment.name, is_sure=True)
    assert server.client(tenant).ask("GET", "/v1/board").status == 401
    environments.delete(settings, tenant.environment.name, is_sure=True)
    assert server.database.write_now("", lambda tx: find_environment(tx, id=tenant.environment.id)) is None


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True, scope="session")
def test_the_counters_by_which_a_server_notices_changes_never_fall(server: Server, tenant: Tenant) -> None:
    """It looks only for what is above the last that it has read, and that may be a change of the deleted environment."""
    id = tenant.environment.id
    server.database.write_now(id, lambda tx: tx.insert_many(OBJECTS["item"], ({"name": f"item {number}"} for number in range(9))))
    while server.database.write_now(id, lambda tx: clear(tx, batch=1)):
        pass
    [(before,)] = server.database.query("SELECT max(value) FROM change")
    server.database.write_now(id, remove)
    [(after,)] = server.database.query("SELECT max(value) FROM change")
    assert after > before


# ── made and listed ──


def test_a_new_environment_opens_with_what_is_shown_once(server: Server, settings: Settings) -> None:
    made = environments.make_environment(settings, "Second hall", "boss@example.com")
    assert made["admin_email"] == "boss@example.com"
    headers = {"x-api-key": made["api_key"], "x-api-env": made["api_env"]}
    assert server.client(server.tenant()).ask("GET", "/v1/user", headers=headers).json["count"] == 1


@pytest.mark.parametrize(
    ("name", "email", "words"),
    [
        ("  ", None, "1 to 100 characters"),
        ("n" * 101, None, "1 to 100 characters"),
        ("Taken", None, "there is an environment Taken already"),
        (" Taken ", None, "there is an environment"),
        ("Third hall", "nobody", "--admin-email must be an e-mail"),
    ],
)
def test_what_cannot_be_made_is_said_in_a_sentence(server: Server, settings: Settings, name: str, email: str | None, words: str) -> None:
    taken = server.database.write_now("", lambda tx: find_environment(tx, name="Taken") or create_environment(tx, "Taken"))
    before = environments.all_environments(settings)
    with pytest.raises(Impossible, match=words):
        environments.make_environment(settings, name, email)
    assert environments.all_environments(settings) == before
    assert taken.name in [item["environment"] for item in before]


def test_all_environments_are_listed_by_name_without_their_ids(server: Server, settings: Settings, tenant: Tenant) -> None:
    found = environments.all_environments(settings)
    names = [item["environment"] for item in found]
    assert names == sorted(names)
    shown = next(item for item in found if item["environment"] == tenant.environment.name)
    assert (shown["api_env"], shown["status"]) == (tenant.environment.hash, "active")
    assert tenant.environment.id not in repr(found)
