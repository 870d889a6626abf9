"""Files: uploads of attachments, thumbnails, avatars as data URIs, and the signed addresses under which they are read.

To see it fail: trust the name of a file, show SVG inline, keep the files of a request that is refused, or take away those of
one that may have been written.
"""

import asyncio
import hashlib
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.client import Client
from tests.server import Server, running
from tests.world import PICTURE, World

from planwerk.run import run_create
from planwerk.store.database import unavailable

BOUNDARY = "planwerk"
FORM = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}


def form(filename: str, content: bytes, kind: str = "application/octet-stream", **fields: str) -> bytes:
    """A form with one file (RFC 7578)."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode() for name, text in fields.items()]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\nContent-Type: {kind}\r\n\r\n'
    return b"".join([*parts, head.encode(), content, f"\r\n--{BOUNDARY}--\r\n".encode()])


def picture() -> bytes:
    packed = BytesIO()
    Image.new("RGB", (640, 480), "#2f6fde").save(packed, "PNG")
    return packed.getvalue()


@pytest.fixture
def path(world: World) -> str:
    return f"/v1/collection/{world.id('collection')}/attachment"


def local(address: str) -> str:
    """The path of an address of ours."""
    return "/" + address.split("/", 3)[3]


def test_an_uploaded_file_is_kept_measured_and_given_back(path: str, api: Client) -> None:
    content = b"oak\x00\xff" * 1_000
    made = api.ask("POST", path, form("Zeichnung 1.pdf", content, "application/pdf", external_ref="a1"), FORM).json
    assert (made["filename"], made["bytes"], made["type"], made["external_ref"]) == (
        "Zeichnung 1.pdf",
        len(content),
        "fs.mostwanted.io",
        "a1",
    )
    assert made["checksum"] == hashlib.sha256(content).hexdigest()
    assert made["thumbnail"] is None
    file = replace(api, headers={}).ask("GET", local(made["file"]))
    assert (file.status, file.body) == (200, content)
    assert file.headers["content-disposition"].startswith("attachment")
    assert file.headers["x-content-type-options"] == "nosniff"


def test_a_picture_gets_a_thumbnail(path: str, api: Client) -> None:
    made = api.ask("POST", path, form("hall.png", picture(), "image/png"), FORM).json
    file = api.ask("GET", local(made["thumbnail"]))
    assert (len(file.body), hashlib.sha256(file.body).hexdigest()) == (made["thumbnail_bytes"], made["thumbnail_checksum"])
    assert max(Image.open(BytesIO(file.body)).size) < 640


def test_a_signature_opens_its_own_file_only(path: str, api: Client) -> None:
    first, second = (api.ask("POST", path, form("a.txt", text), FORM).json["file"] for text in (b"one", b"two"))
    parts, others = first.split("/"), second.split("/")
    for forged in (
        [*parts[:-2], others[-2], parts[-1]],
        [*parts[:-2], "0" * 32, parts[-1]],
        [*parts[:-2], parts[-2].upper() + "x", parts[-1]],
    ):
        assert api.ask("GET", local("/".join(forged))).status == 404


def test_a_link_to_a_file_elsewhere_is_no_upload(path: str, api: Client) -> None:
    made = api.post(path, {"file": "https://example.com/plans/hall.pdf"})
    assert made["file"] == "https://example.com/plans/hall.pdf"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", FORM, (400, 422)),
        (b"nonsense", FORM, (400, 422)),
        (form("a.txt", b"x")[:-20], FORM, (400, 422)),
        (form("a.txt", b"x"), {"content-type": "multipart/form-data"}, (400,)),
        (form("a.txt", b"x").replace(b'name="file"', b'name="other"'), FORM, (400, 422)),
        (form("a.txt", b"x", card_id="nonsense"), FORM, (422,)),
        (form("a.txt", b"x", card_id="00000000-0000-4000-8000-000000000000"), FORM, (422,)),
    ],
)
def test_a_bad_upload_is_refused_and_leaves_no_file(
    body: bytes, headers: dict[str, str], status: tuple[int, ...], path: str, server: Server, world: World, api: Client
) -> None:
    before = stored(server)
    answer = api.ask("POST", path, body, headers)
    assert answer.status in status
    assert stored(server) == before
    assert api.get(path)["count"] == 0


def stored(server: Server) -> set[Path]:
    return {found for found in Path(server.settings.files).rglob("*") if found.is_file()}


def test_an_upload_that_turns_out_a_duplicate_leaves_no_file(path: str, server: Server, api: Client) -> None:
    api.ask("POST", path, form("a.txt", b"one", external_ref="a1"), FORM)
    before = stored(server)
    assert api.ask("POST", path, form("a.txt", b"two", external_ref="a1"), FORM).codes == [10008]
    assert stored(server) == before


def test_an_upload_whose_commit_is_not_confirmed_keeps_its_file(
    path: str, server: Server, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, before = server.database.write, stored(server)

    async def lose_the_answer(environment_id: str, work: Any) -> Any:
        await write(environment_id, work)
        raise unavailable("the database cannot be reached")

    headers = {**FORM, "idempotency-key": "once"}
    monkeypatch.setattr(server.database, "write", lose_the_answer)
    assert api.ask("POST", path, form("a.txt", b"one"), headers).status == 503
    monkeypatch.setattr(server.database, "write", write)
    kept = stored(server) - before
    assert api.ask("POST", path, form("a.txt", b"one"), headers).headers["idempotency-replayed"] == "true"
    (made,) = api.get(path)["data"]
    assert api.ask("GET", local(made["file"])).body == b"one"
    assert stored(server) - before == kept, "the repeat leaves no second file"


def test_an_upload_that_is_broken_off_while_it_is_written_keeps_its_file(
    path: str, server: Server, api: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that writes goes on."""
    begun, released = threading.Event(), threading.Event()

    def hold(*given: Any) -> Any:
        begun.set()
        released.wait()
        return run_create(*given)

    async def break_off() -> None:
        asking = asyncio.ensure_future(api.ask_async("POST", path, form("a.txt", b"one"), FORM))
        await asyncio.to_thread(begun.wait)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        released.set()

    monkeypatch.setattr("planwerk.handlers.run_create", hold)
    server.loop.run(break_off())
    while not (found := api.get(path)["data"]):
        pass
    assert api.ask("GET", local(found[0]["file"])).body == b"one"


def test_an_upload_beyond_the_limit_is_413(server: Server, world: World, path: str, api: Client) -> None:
    with running(server.loop, replace(server.settings, upload_limit_bytes=1_000)) as small:
        before = stored(server)
        assert replace(api, app=small.app).refused("POST", path, form("a.bin", b"x" * 1_001), FORM) == (413, [10016])
        assert stored(server) == before


def test_an_avatar_comes_as_a_data_uri_and_is_shown_as_an_address(api: Client) -> None:
    made = api.post("/v1/resource", {"name": "Saw", "avatar": PICTURE})
    assert made["avatar"].startswith("http")
    assert api.ask("GET", local(made["avatar"])).headers["content-type"].startswith("image/")
    path = f"/v1/resource/{made['id']}"
    assert api.put(path, {"avatar": made["avatar"]})["avatar"] == made["avatar"]
    assert api.put(path, {"avatar": None})["avatar"] is None


@pytest.mark.parametrize(
    "avatar",
    [
        "data:image/png;base64,AAAA",
        "data:text/html;base64,PGI+",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:,",
        "nonsense",
        5,
        "https://example.com/me.png",
    ],
)
def test_an_avatar_that_is_no_picture_is_refused(avatar: Any, server: Server, api: Client) -> None:
    before = stored(server)
    answer = api.ask("POST", "/v1/resource", {"name": "Saw", "avatar": avatar})
    assert (answer.status, [name for name, _ in answer.faults]) == (422, ["avatar"])
    assert stored(server) == before
