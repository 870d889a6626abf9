"""The parts meet: the application opens its database, says why it cannot, and answers beside the API in the API's voice."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from planwerk.app import broken_page, compose, create
from planwerk.catalog.api_key import API_KEY
from planwerk.catalog.api_message import API_MESSAGE
from planwerk.catalog.warehouse import WAREHOUSE
from planwerk.settings import Settings, load
from planwerk.store.database import Unusable, schema_script
from planwerk.store.sqlite import SQLite

OBJECTS = (WAREHOUSE, API_KEY, API_MESSAGE)
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
CAREFUL = {"x-content-type-options", "x-frame-options", "referrer-policy", "cache-control"}
Answer = tuple[int, dict[str, str], bytes]


def composed(folder: Path, **settings: Any) -> Any:
    app: Any = compose(Settings(database=f"sqlite:///{folder / 'app.db'}", files=str(folder / "files"), **settings), OBJECTS)
    database: Any = getattr(app, "database", None) or app.app.database
    if not database.has_schema():
        database.run_script(schema_script(database.tables, database.statements.dialect))
        database.run_script(["INSERT INTO state (name, value) VALUES ('probe', '1')"])
    return app


def ask(app: Any, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    """The answer to one request, in a life of its own."""

    async def live() -> Answer:
        inbox: asyncio.Queue[Any] = asyncio.Queue()
        outbox: asyncio.Queue[Any] = asyncio.Queue()
        life = asyncio.ensure_future(app({"type": "lifespan"}, inbox.get, outbox.put))
        await inbox.put({"type": "lifespan.startup"})
        assert (await outbox.get())["type"] == "lifespan.startup.complete"
        try:
            return await request(app, path, method, headers or {})
        finally:
            await inbox.put({"type": "lifespan.shutdown"})
            assert (await outbox.get())["type"] == "lifespan.shutdown.complete"
            await life

    return asyncio.run(live())


async def request(app: Any, path: str, method: str, headers: Mapping[str, str]) -> Answer:
    scope = {"type": "http", "http_version": "1.1", "method": method, "scheme": "http", "path": path, "query_string": b"", "root_path": ""}
    scope |= {"headers": [(name.encode(), value.encode()) for name, value in headers.items()], "server": ("localhost", 80)}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], found, b"".join(message.get("body", b"") for message in sent[1:])


def test_the_start_page_leads_to_the_reference(tmp_path: Path) -> None:
    status, headers, _ = ask(composed(tmp_path), "/")
    assert (status, headers["location"]) == (307, "/docs")


def test_a_page_that_is_not_there_is_answered_in_the_shape_of_the_api(tmp_path: Path) -> None:
    status, headers, body = ask(composed(tmp_path), "/nothing")
    error = orjson.loads(body)
    assert (status, error["errors"][0]["code"]) == (404, 10004)
    assert error["reference"] == headers["reference-tag"]


@pytest.mark.parametrize("path", ["/nonsense", "/login/nonsense", "/files/a/b/c/plan.pdf"])
def test_a_browser_sees_a_page_where_there_is_none(tmp_path: Path, path: str) -> None:
    status, headers, body = ask(composed(tmp_path), path, headers=BROWSER)
    assert (status, headers["content-type"], b"there is no " in body) == (404, "text/html; charset=utf-8", True)
    assert {"reference-tag", "content-security-policy", *CAREFUL} <= set(headers)


@pytest.mark.parametrize("path", ["/v1/oauth/nonsense", "/api/v1/oauth/nonsense", "/api/v1"])
def test_a_browser_too_gets_json_below_the_api(tmp_path: Path, path: str) -> None:
    status, headers, _ = ask(composed(tmp_path), path, headers=BROWSER)
    assert (status, headers["content-type"]) == (404, "application/json")
    assert set(headers) >= CAREFUL


WRONG_METHODS = [
    ("PUT", "/account", "GET, HEAD"),
    ("PUT", "/login", "GET, HEAD, POST"),
    ("DELETE", "/developer/apps/x", "GET, HEAD, POST"),
    ("GET", "/account/profile", "POST"),
    ("GET", "/session/token", "POST"),
    ("POST", "/.well-known/jwks.json", "GET, HEAD"),
    ("POST", "/health/live", "GET, HEAD"),
    ("POST", "/", "GET, HEAD"),
    ("OPTIONS", "/v1/oauth/authorize", "GET, HEAD, POST"),
    ("OPTIONS", "/v1/oauth/token", "POST"),
    ("GET", "/api/v1/oauth/revoke", "POST"),
]


@pytest.mark.parametrize(("method", "path", "allow"), WRONG_METHODS)
def test_another_method_is_answered_in_the_shape_of_the_api(tmp_path: Path, method: str, path: str, allow: str) -> None:
    status, headers, body = ask(composed(tmp_path), path, method)
    error = orjson.loads(body)
    assert (status, headers["allow"], error["errors"][0]["code"]) == (405, allow, 10006)
    assert error["reference"] == headers["reference-tag"]
    assert "oauth/" in path or set(headers) >= CAREFUL


def test_a_browser_sees_a_page_about_another_method(tmp_path: Path) -> None:
    status, headers, body = ask(composed(tmp_path), "/account/profile", headers=BROWSER)
    assert (status, headers["allow"], b"GET is not possible here" in body) == (405, "POST", True)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/login/"), ("GET", "/login//"), ("POST", "/v1/oauth/token/"), ("GET", "/docs/plain/")]
)
def test_a_slash_at_the_end_is_the_same_path(tmp_path: Path, method: str, path: str) -> None:
    """To see it fail: leave the slash to Starlette, which redirects to the host that the request names."""
    headers = {"host": "evil.example", "content-type": "application/x-www-form-urlencoded"}
    app = composed(tmp_path)
    status, answered, _ = ask(app, path, method, headers)
    assert (status, "location" in answered) == (ask(composed(tmp_path), path.rstrip("/"), method, headers)[0], False)
    assert status == (400 if method == "POST" else 200)


def test_the_api_asks_for_a_key_and_the_pages_do_not(tmp_path: Path) -> None:
    app = composed(tmp_path)
    assert [ask(composed(tmp_path), path)[0] for path in ("/v1/warehouse", "/v1", "/health/live")] == [401, 401, 200]
    app.database.close()


def test_a_page_that_breaks_shows_nothing_of_the_inside() -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/docs",
        "headers": [],
        "query_string": b"",
        "server": ("localhost", 80),
        "scheme": "http",
    }
    answer = asyncio.run(broken_page(Request(scope), ZeroDivisionError("inside")))
    error = orjson.loads(bytes(answer.body))
    assert (answer.status_code, error["errors"][0]["code"]) == (500, 10000)
    assert error["reference"] == answer.headers["reference-tag"]
    assert b"inside" not in bytes(answer.body)


def test_a_database_that_cannot_be_opened_is_told_to_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = composed(tmp_path)

    async def start(self: SQLite) -> None:
        raise Unusable("the disk has gone")

    monkeypatch.setattr(SQLite, "start", start)
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(Unusable):
        asyncio.run(app({"type": "lifespan"}, receive, send))
    assert sent == [{"type": "lifespan.startup.failed", "message": "the disk has gone"}]
    app.database.close()


def test_work_beside_the_requests_ends_with_the_server(tmp_path: Path) -> None:
    ended: list[bool] = []

    async def work(_: object) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    app = composed(tmp_path)
    app.beside = (work,)
    assert ask(app, "/health/live")[0] == 200
    assert ended == [True]


def test_work_beside_the_requests_that_ends_of_an_error_is_logged(tmp_path: Path) -> None:
    """What has done all it should, and what ends with the server, is not."""
    fault = ZeroDivisionError("a fault of ours")

    async def broken(_: object) -> None:
        raise fault

    async def done(_: object) -> None:
        pass

    async def endless(_: object) -> None:
        await asyncio.Event().wait()

    app = composed(tmp_path)
    app.beside = (broken, done, endless)
    with capture_logs() as lines:
        assert ask(app, "/health/live")[0] == 200
    assert [(line["event"], line["exc_info"]) for line in lines] == [("work beside the server has ended", fault)]


def test_browsers_of_other_origins_may_call_when_the_operator_says_so(tmp_path: Path) -> None:
    app = composed(tmp_path, cors_origins="https://board.example, https://other.example")
    status, headers, _ = ask(app, "/v1/warehouse", headers={"origin": "https://board.example"})
    assert (status, headers["access-control-allow-origin"]) == (401, "https://board.example")
    assert "ETag" in headers["access-control-expose-headers"]


def test_browsers_of_other_origins_may_not_call_otherwise(tmp_path: Path) -> None:
    assert "access-control-allow-origin" not in ask(composed(tmp_path), "/v1/warehouse", headers={"origin": "https://board.example"})[1]


def test_a_server_process_takes_its_settings_from_where_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLANWERK_DATABASE", f"sqlite:///{tmp_path / 'here.db'}")
    app: Any = create()
    assert (tmp_path / "here.db").exists()
    app.database.close()
    assert load().database.endswith("here.db")
