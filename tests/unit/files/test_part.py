"""Names that come from outside are made harmless, headers that say nonsense are refused."""

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given, strategies as st

from planwerk.errors import Refusal
from planwerk.files.part import Part, boundary_of, clean_filename, read_part


def part(**headers: bytes) -> Part:
    return read_part(
        {
            "content-disposition": b'form-data; name="file"; filename="a.txt"',
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
    )


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("plan.pdf", "plan.pdf"),
        ("/etc/passwd", "passwd"),
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Users\\me\\plan.pdf", "plan.pdf"),
        ("..", "file"),
        (".", "file"),
        ("...", "file"),
        ("", "file"),
        ("   ", "file"),
        ("plans/", "file"),
        (". .", "file"),
        (".profile", ".profile"),
        ("  plan.pdf ", "plan.pdf"),
        ("plan\x00.pdf", "plan.pdf"),
        ("plan\r\nSet-Cookie: x", "planSet-Cookie: x"),
        ("plan\u202efdp.exe", "planfdp.exe"),
        ("plan\u2028.pdf", "plan.pdf"),
        ("plan\x7f\x85.pdf", "plan.pdf"),
        ("Tu\u0308r.pdf", "Tür.pdf"),
        ("図面.pdf", "図面.pdf"),
        ("a" * 300 + ".pdf", "a" * 251 + ".pdf"),
        ("a" * 300, "a" * 255),
        ("a." + "b" * 300, "a." + "b" * 253),
        ("a" * 255, "a" * 255),
    ],
)
def test_a_filename_is_cleaned(sent: str, kept: str) -> None:
    assert clean_filename(sent) == kept


@given(st.text(max_size=600))
def test_every_cleaned_filename_is_one_visible_segment_that_fits(name: str) -> None:
    cleaned = clean_filename(name)
    assert 1 <= len(cleaned) <= 255
    assert not set(cleaned) & set("/\\")
    assert cleaned not in (".", "..")
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in cleaned)


@given(st.text(max_size=600))
def test_cleaning_a_clean_filename_changes_nothing(name: str) -> None:
    assert clean_filename(clean_filename(name)) == clean_filename(name)


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/form-data; boundary=x", b"x"),
        ("Multipart/Form-Data; Boundary=x", b"x"),
        ('multipart/form-data; boundary="a b:c"', b"a b:c"),
        ("multipart/form-data; charset=utf-8; boundary=x", b"x"),
        ("multipart/form-data; boundary=" + "x" * 70, b"x" * 70),
    ],
)
def test_the_boundary_is_read(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize("parameters", ["", ";", "; boundary", "; boundary=", '; boundary=""', "; boundary=" + "x" * 71, "; boundary*=x"])
def test_a_form_without_a_usable_boundary_is_refused(parameters: str) -> None:
    with pytest.raises(Refusal, match="boundary of 1 to 70") as refusal:
        boundary_of("multipart/form-data" + parameters)
    assert refusal.value.status == 400


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/mixed; boundary=x", "text/plain; boundary=x", "€; boundary=x"])
def test_another_content_type_is_told_what_to_send(content_type: str) -> None:
    with pytest.raises(Refusal, match="send the file as multipart/form-data") as refusal:
        boundary_of(content_type)
    assert refusal.value.status == 415


@given(st.text())
def test_any_content_type_gives_a_boundary_or_is_refused(parameters: str) -> None:
    with suppress(Refusal):
        assert 1 <= len(boundary_of("multipart/form-data;" + parameters)) <= 70


def test_names_and_type_of_a_part_are_read() -> None:
    assert part(content_type=b"Text/Plain; charset=utf-8") == Part("file", "a.txt", "text/plain")


@pytest.mark.parametrize(
    "content_type", [b"", b"picture", b"image/", b"/png", b"image/png/x", b"text/\x0bhtml", b"text/<b>", b"x" * 64 + b"/y", b"\xff/x"]
)
def test_a_type_that_is_none_becomes_that_of_any_bytes(content_type: bytes) -> None:
    assert part(content_type=content_type).content_type == "application/octet-stream"


@pytest.mark.parametrize(
    "disposition", [b"", b"form-data", b'attachment; name="file"', b'form-data; filename="a"', b"; name=x", b"form-data; name*=x"]
)
def test_a_part_without_a_name_is_refused(disposition: bytes) -> None:
    with pytest.raises(Refusal, match="every part needs the header") as refusal:
        part(content_disposition=disposition)
    assert refusal.value.status == 400


@pytest.mark.parametrize("encoding", [b"base64", b"Quoted-Printable", b"\xff"])
def test_an_encoded_part_is_refused_and_not_stored_encoded(encoding: bytes) -> None:
    with pytest.raises(Refusal, match="send the bytes as they are") as refusal:
        part(content_transfer_encoding=encoding)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    "disposition", [b'form-data; name="\xff"', b'form-data; name="file"; filename="\xc3.txt"', b'form-data; name="\xed\xa0\x80"']
)
def test_a_name_that_is_not_utf_8_is_refused(disposition: bytes) -> None:
    with pytest.raises(Refusal, match="must be UTF-8") as refusal:
        part(content_disposition=disposition)
    assert refusal.value.status == 400


def test_a_name_may_hold_any_language_and_quotes() -> None:
    assert part(content_disposition='form-data; name="file"; filename="Tür \\"A\\"; 図.pdf"'.encode()).filename == 'Tür "A"; 図.pdf'
