"""An upload is read piece by piece, however it is cut; what is no upload is refused."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from itertools import pairwise
from tempfile import SpooledTemporaryFile

import pytest
from hypothesis import given, settings, strategies as st

from planwerk.errors import Refusal
from planwerk.files.upload import FIELD_LIMIT_BYTES, FORM_LIMIT_BYTES, MEMORY_BYTES, PART_LIMIT, Form, Upload, read_upload

BOUNDARY = b"--x"
CONTENT_TYPE = "multipart/form-data; boundary=--x"
LIMIT = 2 * MEMORY_BYTES


def file_part(content: bytes = b"saw", name: str = "file", filename: str = "plan.txt", content_type: str = "text/plain") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {content_type}\r\n\r\n'
    return head.encode() + content


def text_part(name: str, text: bytes) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + text


def form(*parts: bytes) -> bytes:
    return b"".join(b"--" + BOUNDARY + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + BOUNDARY + b"--\r\n"


async def stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def read(*chunks: bytes, limit: int = LIMIT) -> Upload:
    return asyncio.run(read_upload(CONTENT_TYPE, stream(chunks), limit))


def feed(*chunks: bytes) -> Upload:
    """The same without a thread, for tests that read a thousand forms."""
    made = Form(BOUNDARY, LIMIT)
    try:
        for chunk in chunks:
            made.feed(chunk)
        return made.finish()
    except Refusal:
        made.file.close()
        raise


def refused(*chunks: bytes, limit: int = LIMIT) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        read(*chunks, limit=limit).file.close()
    return refusal.value


def content(upload: Upload) -> bytes:
    with upload.file as file:
        return file.read()


def test_a_file_comes_with_its_name_type_size_and_hash() -> None:
    upload = read(form(file_part(b"saw")))
    assert (upload.filename, upload.content_type, upload.size_bytes) == ("plan.txt", "text/plain", 3)
    assert upload.sha256_hex == hashlib.sha256(b"saw").hexdigest()
    assert content(upload) == b"saw"


def test_texts_before_and_after_the_file_come_along() -> None:
    upload = read(form(text_part("card_id", b"0190"), file_part(), text_part("note", "Tür".encode())))
    assert upload.fields == {"card_id": "0190", "note": "Tür"}
    assert content(upload) == b"saw"


def test_an_empty_file_and_an_empty_text_are_taken() -> None:
    upload = read(form(text_part("note", b""), file_part(b"")))
    assert (upload.size_bytes, upload.fields, content(upload)) == (0, {"note": ""}, b"")


def test_the_last_of_two_texts_of_a_name_counts() -> None:
    upload = read(form(text_part("note", b"one"), text_part("note", b"two"), file_part()))
    assert (upload.fields, content(upload)) == ({"note": "two"}, b"saw")


def test_a_path_in_a_filename_is_dropped() -> None:
    upload = read(form(file_part(filename="../../etc/passwd")))
    assert (upload.filename, content(upload)) == ("passwd", b"saw")


def test_what_comes_before_the_first_and_after_the_last_boundary_is_no_content() -> None:
    assert content(read(b"\r\n" + form(file_part()) + b"epilogue")) == b"saw"


def test_a_large_file_comes_back_whole_from_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    rolled: list[bool] = []

    class Watched(SpooledTemporaryFile[bytes]):
        def rollover(self) -> None:
            rolled.append(True)
            super().rollover()

    monkeypatch.setattr("planwerk.files.upload.SpooledTemporaryFile", Watched)
    large = bytes(range(256)) * (LIMIT // 256)
    body = form(file_part(large))
    upload = read(*(body[start : start + 65_536] for start in range(0, len(body), 65_536)))
    assert (upload.size_bytes, upload.sha256_hex) == (LIMIT, hashlib.sha256(large).hexdigest())
    assert content(upload) == large
    assert rolled == [True]


TRICKY = b"\r\n--\r\n--- \r\n----\r\r\n---x\r\n----y\r\n-- --x\n----x--\r"


def test_the_form_may_be_cut_at_every_position() -> None:
    body = form(text_part("note", b"\r\n-"), file_part(TRICKY))
    for position in range(len(body) + 1):
        upload = feed(body[:position], body[position:])
        assert (upload.filename, upload.fields, content(upload)) == ("plan.txt", {"note": "\r\n-"}, TRICKY)


def test_the_form_may_come_byte_by_byte() -> None:
    body = form(text_part("note", b"x"), file_part(TRICKY))
    upload = feed(*(body[position : position + 1] for position in range(len(body))))
    assert (upload.sha256_hex, content(upload)) == (hashlib.sha256(TRICKY).hexdigest(), TRICKY)


PIECES = st.sampled_from([b"\r", b"\n", b"-", b"--", b"x", b"\r\n", b"\r\n--", b"\r\n----", b"\x00", b"\xff", b" ", b"ab"])
CONTENT = st.lists(PIECES, max_size=30).map(b"".join).filter(lambda data: b"\r\n--" + BOUNDARY not in b"\r\n" + data)


@given(data=CONTENT, cuts=st.lists(st.integers(0, 250), max_size=6))
@settings(max_examples=500)
def test_any_content_comes_back_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    body = form(file_part(data), text_part("note", b"after"))
    places = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    upload = feed(*(body[start:end] for start, end in pairwise(places)))
    assert (upload.fields, upload.size_bytes, content(upload)) == ({"note": "after"}, len(data), data)


@given(position=st.integers(0, 250), junk=st.binary(max_size=8), length=st.integers(0, 8))
@settings(max_examples=300)
def test_any_damage_to_a_form_gives_an_upload_or_a_refusal(position: int, junk: bytes, length: int) -> None:
    body = form(text_part("note", b"x"), file_part(b"saw"))
    with suppress(Refusal):
        upload = feed(body[:position] + junk + body[position + length :])
        assert len(content(upload)) == upload.size_bytes


def test_a_form_that_ends_early_is_refused_wherever_it_ends() -> None:
    body = form(text_part("note", b"x"), file_part()).removesuffix(b"--\r\n")
    for end in range(len(body) + 1):
        with pytest.raises(Refusal, match="ends before its last boundary"):
            feed(body[:end])


@pytest.mark.parametrize(
    "body",
    [
        b"hello",
        b'{"file": "https://example.com"}',
        form(file_part()).replace(BOUNDARY, b"other"),
        b"--" + BOUNDARY + b"\r\nno header\r\n\r\n",
        b"--" + BOUNDARY + b"\r\n: empty\r\n\r\n",
        b"--" + BOUNDARY + b"\r\nA: b\rc\r\n\r\n",
        form(b"A: " + b"b" * 5000 + b"\r\n\r\n"),
        form(b"A: b\r\n" * 9 + b"\r\n"),
        form(b"\r\nno headers at all"),
    ],
)
def test_a_body_that_is_no_form_is_refused(body: bytes) -> None:
    refusal = refused(body)
    assert (refusal.status, refusal.faults[0].kind.code) == (400, 10001)


def test_an_empty_body_is_refused() -> None:
    assert refused().status == 400


@pytest.mark.parametrize("text", [b"\xff", b"\xc3", b"\xed\xa0\x80"])
def test_a_text_that_is_not_utf_8_is_refused_with_its_name(text: bytes) -> None:
    refusal = refused(form(text_part("note", text), file_part()))
    assert (refusal.status, refusal.faults[0].property) == (400, "note")


@pytest.mark.parametrize(
    "body",
    [
        form(),
        form(text_part("note", b"x")),
        form(text_part("file", b"https://example.com")),
        form(file_part(name="attachment")),
        form(file_part(filename="")),
        form(file_part(), file_part()),
        form(file_part(), file_part(name="other")),
    ],
    ids=["no part", "only a text", "a text named file", "another name", "no file chosen", "two files", "a file beside it"],
)
def test_a_form_without_exactly_one_file_is_refused_for_the_property_file(body: bytes) -> None:
    refusal = refused(body)
    assert (refusal.status, refusal.faults[0].kind.code, refusal.faults[0].property) == (422, 10007, "file")


def test_a_file_of_the_limit_is_taken_and_one_byte_more_is_not() -> None:
    assert content(read(form(file_part(b"x" * 100)), limit=100)) == b"x" * 100
    assert refused(form(file_part(b"x" * 101)), limit=100).status == 413


def test_a_body_that_never_ends_is_refused_though_its_file_is_small() -> None:
    assert refused(form(file_part()), *[b"epilogue" * 8192] * (FORM_LIMIT_BYTES // 65_536 + 1), limit=1000).status == 413


def test_a_file_that_is_too_large_is_refused_before_it_has_come_whole() -> None:
    taken: list[int] = []

    def chunks() -> Iterable[bytes]:
        yield form(file_part()).removesuffix(b"\r\n--" + BOUNDARY + b"--\r\n")
        for number in range(1000):
            taken.append(number)
            yield b"x" * 1000

    with pytest.raises(Refusal, match="at most 5000 bytes"):
        asyncio.run(read_upload(CONTENT_TYPE, stream(chunks()), 5000))
    assert len(taken) == 5


def test_a_text_of_64_kib_is_taken_and_one_byte_more_is_not() -> None:
    upload = read(form(text_part("note", b"x" * FIELD_LIMIT_BYTES), file_part()))
    assert (len(upload.fields["note"]), content(upload)) == (FIELD_LIMIT_BYTES, b"saw")
    assert refused(form(text_part("note", b"x" * (FIELD_LIMIT_BYTES + 1)), file_part())).status == 413


def test_20_parts_are_taken_and_one_more_is_not() -> None:
    texts = [text_part(str(number), b"x") for number in range(PART_LIMIT - 1)]
    assert content(read(form(*texts, file_part()))) == b"saw"
    assert refused(form(*texts, file_part(), text_part("more", b"x"))).status == 400


def test_a_client_that_leaves_halfway_leaves_no_file_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    class Watched(SpooledTemporaryFile[bytes]):
        def close(self) -> None:
            closed.append(True)
            super().close()

    async def leaving() -> AsyncIterator[bytes]:
        yield form(file_part())[:-10]
        raise ConnectionResetError

    monkeypatch.setattr("planwerk.files.upload.SpooledTemporaryFile", Watched)
    with pytest.raises(ConnectionResetError):
        asyncio.run(read_upload(CONTENT_TYPE, leaving(), LIMIT))
    assert closed == [True]
