"""Pictures come out small, upright and bare, or not at all."""

import base64
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from planwerk.fields import Bad
from planwerk.files.picture import AVATAR_BYTES, Picture, avatar, thumbnail

FORMATS = ["PNG", "JPEG", "WEBP", "GIF"]
ORIENTATION = 0x0112
TURNED_RIGHT = 6


def picture(kind: str = "PNG", size: tuple[int, int] = (640, 320), mode: str = "RGB", colour: Any = "red", **options: Any) -> bytes:
    file = BytesIO()
    Image.new(mode, size, colour).save(file, kind, **options)
    return file.getvalue()


def data_uri(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def made(content: bytes) -> Picture:
    small = thumbnail(BytesIO(content))
    assert small is not None
    return small


def opened(small: Picture) -> Image.Image:
    image = Image.open(BytesIO(small.content))
    image.load()
    return image


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it has so many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


# ── thumbnails ──


@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_becomes_a_small_picture_of_the_same_shape(kind: str) -> None:
    assert opened(made(picture(kind))).size == (320, 160)


def test_a_small_picture_keeps_its_size() -> None:
    assert opened(made(picture(size=(20, 10)))).size == (20, 10)


def test_a_line_of_one_pixel_stays_visible() -> None:
    assert opened(made(picture(size=(2000, 1)))).size == (320, 1)


def test_an_opaque_picture_becomes_a_jpeg() -> None:
    assert made(picture("PNG")).content_type == "image/jpeg"


@pytest.mark.parametrize(("mode", "colour"), [("RGBA", (255, 0, 0, 128)), ("LA", (9, 128))])
def test_a_transparent_picture_becomes_a_png_that_is_as_transparent(mode: str, colour: tuple[int, ...]) -> None:
    small = made(picture("PNG", mode=mode, colour=colour))
    assert small.content_type == "image/png"
    assert opened(small).getchannel("A").getextrema() == (128, 128)


def test_a_transparent_colour_of_a_palette_stays_transparent() -> None:
    assert opened(made(picture("GIF", mode="P", colour=0, transparency=0))).getchannel("A").getextrema() == (0, 0)


@pytest.mark.parametrize(
    ("kind", "mode", "colour"), [("JPEG", "CMYK", (0, 255, 255, 0)), ("JPEG", "L", 128), ("PNG", "1", 1), ("PNG", "P", 3)]
)
def test_each_colour_mode_becomes_a_picture(kind: str, mode: str, colour: Any) -> None:
    assert opened(made(picture(kind, mode=mode, colour=colour))).mode == "RGB"


def test_sixteen_bits_of_grey_stay_grey() -> None:
    assert opened(made(picture("PNG", mode="I;16", colour=0x8000))).getpixel((5, 5)) == pytest.approx((128, 128, 128), abs=2)


def test_a_photo_that_was_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED_RIGHT
    assert opened(made(picture("JPEG", exif=exif))).size == (160, 320)


def test_the_first_picture_of_an_animation_is_taken() -> None:
    file = BytesIO()
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert opened(made(file.getvalue())).getpixel((5, 5)) == pytest.approx((254, 0, 0), abs=2)


def test_nothing_of_the_metadata_comes_along() -> None:
    exif = Image.Exif()
    exif[0x010E] = "made at home, 52.3 N"
    comment = PngInfo()
    comment.add_text("Author", "someone at home")
    jpeg = picture("JPEG", exif=exif, comment=b"secret at home", icc_profile=b"profile at home")
    png = picture("PNG", mode="RGBA", exif=exif, pnginfo=comment, icc_profile=b"profile at home")
    for content in (jpeg, png):
        assert b"home" in content
        assert b"home" not in made(content).content


def test_the_hash_is_that_of_the_content() -> None:
    assert Picture("image/png", b"abc").sha256_hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("size", [(7072, 7072), (20_000, 20_000), (2**31 - 1, 2**31 - 1), (0, 0), (50_000_001, 1)])
def test_a_picture_of_too_many_pixels_is_not_unfolded(size: tuple[int, int]) -> None:
    assert thumbnail(BytesIO(bomb(*size))) is None


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"GIF89a"]
)
def test_what_is_no_picture_has_no_thumbnail(content: bytes) -> None:
    assert thumbnail(BytesIO(content)) is None


def test_formats_that_are_seldom_needed_and_often_attacked_have_no_thumbnail() -> None:
    assert [thumbnail(BytesIO(picture(kind))) for kind in ("TIFF", "BMP", "PPM", "ICO")] == [None] * 4


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_is_cut_off_has_no_thumbnail(kind: str) -> None:
    content = picture(kind)
    assert thumbnail(BytesIO(content[: len(content) // 2])) is None


@pytest.mark.parametrize("kind", FORMATS)
@given(data=st.data())
@settings(max_examples=50)
def test_no_damage_to_a_picture_makes_the_thumbnail_raise(kind: str, data: st.DataObject) -> None:
    content = bytearray(picture(kind, size=(16, 16)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    small = thumbnail(BytesIO(bytes(content)))
    assert small is None or max(opened(small).size) <= 320


def test_a_file_that_cannot_be_read_has_no_thumbnail() -> None:
    file = BytesIO()
    file.close()
    assert thumbnail(file) is None


# ── avatars ──


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp", "gif"])
def test_an_avatar_is_at_most_512_pixels(kind: str) -> None:
    assert max(opened(avatar(data_uri(picture(kind.upper(), size=(600, 1200)), kind))).size) == 512


def test_an_avatar_is_encoded_anew() -> None:
    content = picture("PNG", size=(8, 8)) + b"<script>alert(1)</script>"
    assert b"script" not in avatar(data_uri(content)).content


def test_what_an_avatar_says_it_is_does_not_count() -> None:
    assert avatar(data_uri(picture("GIF"), "svg+xml")).content_type == "image/jpeg"


def test_a_data_uri_is_read_without_regard_to_case_and_parameters() -> None:
    encoded = data_uri(picture()).partition(",")[2]
    assert avatar(f"DATA:image/PNG;name=me.png;BASE64,{encoded}").content_type == "image/jpeg"


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "https://example.com/me.png",
        "data:,hello",
        "data:text/html;base64,aGVsbG8=",
        "data:image/png,hello",
        "file:///etc/passwd",
        "\x00",
    ],
)
def test_an_avatar_that_is_no_data_uri_of_an_image_is_refused(text: str) -> None:
    with pytest.raises(Bad, match="must be a data URI"):
        avatar(text)


@pytest.mark.parametrize("encoded", ["a", "aGVsbG8", "aGVs bG8=", "%61GVsbG8=", "aGVsbG8=é", "_-__"])
def test_an_avatar_in_broken_base64_is_refused(encoded: str) -> None:
    with pytest.raises(Bad, match="must be valid base64"):
        avatar(f"data:image/png;base64,{encoded}")


@pytest.mark.parametrize("content", [b"", b"hello", bomb(7072, 7072), bomb(30_000, 30_000), picture()[:90]])
def test_an_avatar_that_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Bad, match="must be a whole PNG, JPEG, WebP or GIF picture"):
        avatar(data_uri(content))


def test_an_avatar_of_2_mib_is_taken_and_one_byte_more_is_not() -> None:
    content = picture()
    assert avatar(data_uri(content.ljust(AVATAR_BYTES, b"\x00"))).content_type == "image/jpeg"
    with pytest.raises(Bad, match="must be a picture of at most 2 MiB"):
        avatar(data_uri(content.ljust(AVATAR_BYTES + 2, b"\x00")))


@given(st.text())
def test_any_text_is_an_avatar_or_refused(text: str) -> None:
    with pytest.raises(Bad):
        avatar(text)
