"""What the token and revocation endpoints refuse, in both languages: the keys of RFC 6749 and the API's own.

To see it fail: take a check out of oauth/request.py or `read_form`, or answer 400 to an app that is not known.
"""

from typing import Any
from uuid import uuid4

import pytest
from tests.client import Answer
from tests.oauth.connecting import FORM, App, Visit, new_app, new_visit, nobody
from tests.server import Server
from tests.world import World

from planwerk.edge.maintenance import set_maintenance
from planwerk.oauth.rfc6749_token import BODY_BYTES


@pytest.fixture
def app(server: Server) -> App:
    return new_app(server, server.tenant("developer"))


@pytest.fixture
def visit(server: Server, world: World) -> Visit:
    return new_visit(server, world)


def is_double(answer: Answer) -> bool:
    """Whether an error carries both forms, which agree, and may be kept by nobody."""
    body, (fault,) = answer.json, answer.json["errors"]
    assert set(body) == {"error", "error_description", "reference", "errors"}
    assert body["reference"] == answer.headers["reference-tag"] == fault["reference"]
    assert fault["description"] == body["error_description"]
    assert all(0x20 <= ord(character) <= 0x7E and character not in '"\\' for character in body["error_description"])
    assert answer.headers["cache-control"] == "no-store"
    return True


CODE = {"grant_type": "authorization_code", "code": "x"}
REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "no grant_type": ({}, "invalid_request"),
    "a password": ({"grant_type": "password"}, "unsupported_grant_type"),
    "client credentials": ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    "a grant_type of quotes": ({"grant_type": '"é\\'}, "unsupported_grant_type"),
    "no code": ({"grant_type": "authorization_code"}, "invalid_request"),
    "no refresh token": ({"grant_type": "refresh_token"}, "invalid_request"),
    "a refresh token that is none": ({"grant_type": "refresh_token", "refresh_token": "é"}, "invalid_grant"),
    "a code that is none": (CODE, "invalid_grant"),
}


@pytest.mark.parametrize("scenario", REFUSED)
def test_a_token_request_is_refused_for(scenario: str, app: App) -> None:
    parameters, error = REFUSED[scenario]
    answer = app.ask("token", {**app.proof, **parameters})
    assert (answer.status, answer.json["error"], answer.codes) == (400, error, [10001])
    assert is_double(answer)


UNPROVED: dict[str, Any] = {
    "no app": lambda app: (CODE, {}),
    "an unknown app": lambda app: ({**CODE, "client_id": str(uuid4()), "client_secret": "x"}, {}),
    "an app that is none": lambda app: ({**CODE, "client_id": "x\x00", "client_secret": "x"}, {}),
    "a wrong secret": lambda app: ({**CODE, "client_id": app.id, "client_secret": "wrong"}, {}),
    "a secret of other letters": lambda app: ({**CODE, "client_id": app.id, "client_secret": "é€"}, {}),
    "no secret": lambda app: ({**CODE, "client_id": app.id}, {}),
    "a wrong secret by Basic": lambda app: (CODE, {"authorization": App(app.server, app.id, "wrong").basic["authorization"]}),
    "Basic of another app": lambda app: (CODE, {"authorization": App(app.server, "x", "wrong").basic["authorization"]}),
    "Basic that cannot be read": lambda app: (CODE, {"authorization": "Basic /w=="}),
    "Basic without a colon": lambda app: (CODE, {"authorization": "Basic YQ=="}),
    "Basic that is no base64": lambda app: (CODE, {"authorization": "Basic %%%"}),
    "Basic with nothing": lambda app: (CODE, {"authorization": "Basic "}),
}


@pytest.mark.parametrize("endpoint", ["token", "revoke"])
@pytest.mark.parametrize("scenario", UNPROVED)
def test_an_app_that_does_not_prove_itself_is_refused_in_the_same_words(scenario: str, endpoint: str, app: App) -> None:
    parameters, headers = UNPROVED[scenario](app)
    answer = app.ask(endpoint, {**parameters, "token": "x"}, headers)
    assert (answer.status, answer.json["error"], answer.codes) == (401, "invalid_client", [10002])
    assert answer.headers["www-authenticate"] == 'Basic realm="Planwerk"'
    assert answer.json["error_description"] == "the app is not known, or it did not prove itself in the way it is registered for"
    assert is_double(answer)


def test_an_app_proves_itself_in_one_way_only(app: App) -> None:
    """RFC 6749, section 2.3."""
    for more in ({"client_secret": app.secret or ""}, {"client_id": "00000000-0000-4000-8000-000000000001"}):
        answer = app.ask("token", {**CODE, **more}, app.basic)
        assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert app.ask("token", {**CODE, "client_id": app.id}, app.basic).json["error"] == "invalid_grant"


BODIES: dict[str, tuple[str, bytes, int, str]] = {
    "JSON": ("application/json", b'{"grant_type":"refresh_token"}', 415, "invalid_request"),
    "no type": ("", b"grant_type=refresh_token", 415, "invalid_request"),
    "multipart": ("multipart/form-data; boundary=x", b"--x--", 415, "invalid_request"),
    "too much": (FORM, b"state=" + b"x" * BODY_BYTES, 413, "invalid_request"),
    "a parameter twice": (FORM, b"grant_type=refresh_token&grant_type=refresh_token", 400, "invalid_request"),
    "a parameter twice, one empty": (FORM, b"state=&state=x", 400, "invalid_request"),
    "bytes that are no text": (FORM, b"state=\xff", 400, "invalid_request"),
    "escaped bytes that are no text": (FORM, b"state=%FF", 400, "invalid_request"),
    "too many parameters": (FORM, b"&".join(b"x%d=" % number for number in range(101)), 400, "invalid_request"),
    "nothing but a form": (FORM, b"grant_type=refresh_token&refresh_token=x&token=x&client_id=", 401, "invalid_client"),
}


@pytest.mark.parametrize("endpoint", ["token", "revoke"])
@pytest.mark.parametrize("scenario", BODIES)
def test_a_body_must_be_a_form(scenario: str, endpoint: str, server: Server) -> None:
    kind, body, status, error = BODIES[scenario]
    headers = {"content-type": kind} if kind else {}
    answer = nobody(server).ask("POST", f"/v1/oauth/{endpoint}", body, headers)
    assert (answer.status, answer.json["error"]) == (status, error)
    assert is_double(answer)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("endpoint", ["token", "revoke"])
def test_only_post_is_possible(method: str, endpoint: str, server: Server) -> None:
    answer = nobody(server).ask(method, f"/v1/oauth/{endpoint}?grant_type=refresh_token")
    assert (answer.status, answer.headers["allow"], answer.codes) == (405, "POST", [10006])
    assert is_double(answer)


def test_parameters_of_the_address_do_not_count(app: App) -> None:
    """RFC 6749, section 2.3.1: a secret must not stand in an address."""
    query = f"client_id={app.id}&client_secret={app.secret}&grant_type=authorization_code&code=x"
    answer = nobody(app.server).ask("POST", f"/v1/oauth/token?{query}", b"", {"content-type": FORM})
    assert answer.json["error"] == "invalid_request"


def test_the_type_of_a_form_may_name_its_charset(app: App) -> None:
    answer = app.ask("token", {**app.proof, **CODE}, {"content-type": f"{FORM}; charset=UTF-8"})
    assert answer.json["error"] == "invalid_grant"


def test_a_state_in_the_token_request_is_ignored(app: App, visit: Visit) -> None:
    assert app.exchange(visit.code(app), state="another", scope="any", unheard_of="x").status == 200


def test_after_ten_wrong_secrets_an_address_waits_and_others_do_not(app: App, visit: Visit, server: Server) -> None:
    code = visit.code(app)
    for _ in range(10):
        assert app.exchange(code, client_secret="wrong").status == 401
    answer = app.exchange(code)
    assert (answer.status, answer.json["error"], answer.codes) == (429, "temporarily_unavailable", [10009])
    assert 0 < int(answer.headers["retry-after"]) <= 900
    assert is_double(answer)
    other = new_app(server, server.tenant("another developer"))
    assert other.exchange(visit.code(other)).status == 200


def test_maintenance_closes_the_endpoints(app: App, visit: Visit, server: Server) -> None:
    code = visit.code(app)
    server.database.write_now("", lambda tx: set_maintenance(tx, is_on=True))
    try:
        server.app.api.maintenance.generation = -1  # PostgreSQL looks once a second
        answer = app.exchange(code)
        assert (answer.status, answer.json["error"], answer.codes) == (503, "temporarily_unavailable", [10010])
        assert is_double(answer)
    finally:
        server.database.write_now("", lambda tx: set_maintenance(tx, is_on=False))
        server.app.api.maintenance.generation = -1
    assert app.exchange(code).status == 200
