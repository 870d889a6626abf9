"""A browser gets a file through its signed address, and never a page that runs in our name."""

from io import BytesIO
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from planwerk.errors import Refusal
from planwerk.files.address import address, sign
from planwerk.files.folder import Folder
from planwerk.files.serve import routes

KEY = "0190a1b2-environment/0190a1b2-file"
SECRET = b"0123456789abcdef0123456789abcdef"
PLAN = address("", SECRET, KEY, "plan.pdf")


def plain(request: Request, refusal: Refusal) -> Response:
    return PlainTextResponse(str(refusal), refusal.status)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def client(folder: Folder) -> TestClient:
    return TestClient(Starlette(routes=routes(folder, SECRET, plain)))


def put(folder: Folder, content: bytes = b"saw", content_type: str = "application/pdf", key: str = KEY) -> None:
    folder.put(key, BytesIO(content), len(content), content_type)


@pytest.mark.parametrize("content", [b"", b"saw", b"\x00\xff" * 500_000])
def test_the_bytes_come_with_their_length_and_type(client: TestClient, folder: Folder, content: bytes) -> None:
    put(folder, content)
    answer = client.get(PLAN)
    assert (answer.status_code, answer.content) == (200, content)
    assert (answer.headers["Content-Length"], answer.headers["Content-Type"]) == (str(len(content)), "application/pdf")


@pytest.mark.parametrize(
    "content_type", ["application/pdf", "text/html", "image/svg+xml", "text/xml", "application/octet-stream", "", "image/png, text/html"]
)
def test_what_a_browser_could_run_is_saved_and_not_shown(client: TestClient, folder: Folder, content_type: str) -> None:
    put(folder, b"<script>", content_type)
    assert client.get(PLAN).headers["Content-Disposition"] == "attachment; filename*=UTF-8''plan.pdf"


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg", "image/gif", "image/webp"])
def test_a_picture_is_shown(client: TestClient, folder: Folder, content_type: str) -> None:
    put(folder, b"pixels", content_type)
    assert client.get(PLAN).headers["Content-Disposition"].startswith("inline")


def test_no_answer_is_sniffed_or_run_and_each_may_be_kept_by_the_browser_alone(client: TestClient, folder: Folder) -> None:
    put(folder)
    headers = client.get(PLAN).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert headers["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize("filename", ["wall plan.pdf", 'a"b.pdf', "a;b=c.pdf", "Zeichnung Tür.pdf", "図面.pdf", "a/b.pdf", "a\\b.pdf"])
def test_any_filename_stays_inside_its_header(client: TestClient, folder: Folder, filename: str) -> None:
    put(folder)
    answer = client.get(address("", SECRET, KEY, filename))
    disposition = answer.headers["Content-Disposition"]
    assert disposition == "attachment; filename*=UTF-8''" + address("", SECRET, KEY, filename).rsplit("/", 1)[1]


def test_a_filename_of_two_lines_is_not_found(client: TestClient, folder: Folder) -> None:
    put(folder)
    assert client.get(address("", SECRET, KEY, "a\r\nSet-Cookie: x=y")).status_code == 404


def test_a_thumbnail_has_an_address_of_its_own(client: TestClient, folder: Folder) -> None:
    put(folder, b"large")
    put(folder, b"small", "image/png", f"{KEY}.thumbnail")
    assert client.get(address("", SECRET, f"{KEY}.thumbnail", "plan.png")).content == b"small"


def test_a_browser_that_has_the_file_is_told_so(client: TestClient, folder: Folder) -> None:
    put(folder)
    etag = client.get(PLAN).headers["ETag"]
    again = client.get(PLAN, headers={"If-None-Match": f'"other", W/{etag}'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)


def test_a_browser_that_has_another_file_gets_this_one(client: TestClient, folder: Folder) -> None:
    put(folder)
    assert client.get(PLAN, headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_tells_what_get_would_send(client: TestClient, folder: Folder) -> None:
    put(folder)
    head, get = client.head(PLAN), client.get(PLAN)
    assert (head.status_code, head.content, dict(head.headers)) == (200, b"", dict(get.headers))


def test_a_wrong_signature_is_not_found(client: TestClient, folder: Folder) -> None:
    put(folder)
    answer = client.get(f"/files/{KEY}/{'0' * 32}/plan.pdf")
    assert (answer.status_code, answer.text) == (404, "there is no file at this address")


def test_a_wrong_signature_is_not_found_even_with_the_right_etag(client: TestClient, folder: Folder) -> None:
    put(folder)
    wrong = "0" * 32
    assert client.get(f"/files/{KEY}/{wrong}/plan.pdf", headers={"If-None-Match": f'"{wrong}"'}).status_code == 404


def test_the_signature_of_one_file_does_not_open_another(client: TestClient, folder: Folder) -> None:
    put(folder, key="0190a1b2-environment/another")
    assert client.get(f"/files/0190a1b2-environment/another/{sign(SECRET, KEY)}/plan.pdf").status_code == 404


def test_a_deleted_file_is_not_found(client: TestClient, folder: Folder) -> None:
    put(folder)
    folder.delete(KEY)
    assert client.get(PLAN).status_code == 404


def test_a_deleted_file_is_not_found_by_a_browser_that_kept_it(client: TestClient, folder: Folder) -> None:
    put(folder)
    etag = client.get(PLAN).headers["ETag"]
    folder.delete(KEY)
    assert client.get(PLAN, headers={"If-None-Match": etag}).status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/files/%2e%2e/%2e%2e/x/passwd", "/files/a/%00/x/y", "/files/a/b/%C3%A9/y", "/files/a/b/%FF/y", "/files/a/..%2f..%2fetc/x/passwd"],
)
def test_a_hostile_address_is_not_found(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404
