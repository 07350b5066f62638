"""Pictures of other programs: the right pixels or a clear error, a note where something is left out, bounded memory."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from castalia.core import language
from castalia.core.errors import UsageError
from castalia.core.picture import Picture
from castalia.modalities.image import PIXELS, file_of, read_picture, read_picture_and_rest

RED, GREEN, BLUE = (200, 30, 40), (20, 180, 60), (30, 60, 220)
PLAIN = np.zeros((20, 30, 3), np.uint8)
PLAIN[:, :15], PLAIN[:10, 15:], PLAIN[10:, 15:] = RED, GREEN, BLUE
"""Red on the left, green above blue on the right."""
SEEN = Image.fromarray(PLAIN)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG file that promises so many pixels, and holds next to none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def near(picture: Picture, expected: np.ndarray, within: int) -> bool:
    """Whether the middles of the three fields have their colours; coding blurs borders."""
    pixels = picture.pixels.astype(int)
    assert pixels.shape == expected.shape
    places = [(10, 7), (5, 22), (15, 22)]
    return all(np.abs(pixels[place] - expected[place]).max() <= within for place in places)


# ---------------------------------------------------------------- every kind of pixel

EXACT = {
    "png": saved(SEEN, "PNG"),
    "bmp": saved(SEEN, "BMP"),
    "ppm": saved(SEEN, "PPM"),
    "tiff": saved(SEEN, "TIFF"),
    "webp without loss": saved(SEEN, "WEBP", lossless=True),
    "a palette": saved(SEEN.quantize(3), "PNG"),
    "a palette in GIF": saved(SEEN.quantize(3), "GIF"),
    "interlaced": saved(SEEN, "PNG", interlace=1),
    "a profile of sRGB": saved(
        SEEN, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ),
    "a profile that is none": saved(SEEN, "PNG", icc_profile=b"junk" * 40),
    "a profile of another kind": saved(
        SEEN, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    ),
}
CODED = {
    "jpeg": saved(SEEN, "JPEG", quality=95),
    "progressive": saved(SEEN, "JPEG", quality=95, progressive=True),
    "webp": saved(SEEN, "WEBP", quality=95),
    "avif": saved(SEEN, "AVIF", quality=95),
    "YCbCr": saved(SEEN.convert("YCbCr"), "TIFF"),
    "Lab": saved(SEEN.convert("LAB"), "TIFF"),
}


@pytest.mark.parametrize("name", EXACT)
def test_pixels_are_what_they_were(name: str) -> None:
    picture, rest = read_picture_and_rest(EXACT[name], name)
    assert np.array_equal(picture.pixels, PLAIN)
    assert rest == ()
    assert picture.made_by == "person"


@pytest.mark.parametrize("name", CODED)
def test_coded_colours_are_near(name: str) -> None:
    picture, rest = read_picture_and_rest(CODED[name], name)
    assert near(picture, PLAIN, 10 if name == "Lab" else 4)
    assert rest == ()


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_colours_of_print_are_shown_and_noted(kind: str) -> None:
    picture, rest = read_picture_and_rest(saved(SEEN.convert("CMYK"), kind, quality=95), "x")
    assert near(picture, PLAIN, 4)
    assert rest == ("colours of print were made those of a screen",)


def test_a_wide_colour_space_is_followed() -> None:
    """Red and blue exchanged by a profile: what the file says is not what is seen."""
    path = "profile of Adobe's kind"
    wide = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    at, other = wide.index(b"rXYZ", 132), wide.index(b"bXYZ", 132)
    swapped = bytearray(wide)
    swapped[at : at + 4], swapped[other : other + 4] = b"bXYZ", b"rXYZ"
    picture = read_picture(saved(SEEN, "PNG", icc_profile=bytes(swapped)), path)
    assert np.abs(picture.pixels[10, 7].astype(int) - RED[::-1]).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_become_eight_by_rounding(kind: str) -> None:
    fine = (np.arange(600).reshape(20, 30) * 109).astype(np.uint16)
    picture, rest = read_picture_and_rest(saved(Image.fromarray(fine), kind), "x")
    expected = np.round(fine / 257).astype(np.uint8)
    assert np.array_equal(picture.pixels, np.repeat(expected[..., None], 3, axis=2))
    assert rest == ("16 bits a channel were made 8",)


def test_sixteen_bits_of_colour_are_noted() -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 51_400, 7_710, 10_280) * 3 for _ in range(2))
    whole = png_header(3, 2)
    header = struct.pack(">II5B", 3, 2, 16, 2, 0, 0, 0)
    data = zlib.compress(rows)
    whole = whole[:8] + b"".join(
        struct.pack(">I", len(each)) + kind + each + struct.pack(">I", zlib.crc32(kind + each))
        for kind, each in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    )
    picture, rest = read_picture_and_rest(whole, "x.png")
    assert np.abs(picture.pixels[0, 0].astype(int) - RED).max() <= 1
    assert rest == ("16 bits a channel were made 8",)


def test_grey_black_and_white_and_cover() -> None:
    grey = np.asarray(SEEN.convert("L"))
    assert np.array_equal(read_picture(saved(SEEN.convert("L"), "PNG"), "x").pixels, np.repeat(grey[..., None], 3, 2))
    ink = np.asarray(SEEN.convert("1")).astype(np.uint8) * 255
    assert np.array_equal(read_picture(saved(SEEN.convert("1"), "PNG"), "x").pixels, np.repeat(ink[..., None], 3, 2))
    half = SEEN.convert("LA")
    half.putalpha(100)
    pixels = read_picture(saved(half, "PNG"), "x").pixels
    assert pixels.shape == (20, 30, 4)
    assert np.array_equal(pixels[..., 0], grey)
    assert (pixels[..., 3] == 100).all()
    full = SEEN.convert("RGBA")
    assert read_picture(saved(full, "PNG"), "x").pixels.shape == (20, 30, 3)
    drawn = SEEN.quantize(3)
    index = drawn.getpixel((2, 2))
    clear = read_picture(saved(drawn, "PNG", transparency=index), "x").pixels
    assert clear.shape == (20, 30, 4)
    assert (clear[:, :15, 3] == 0).all()
    assert (clear[:, 15:, 3] == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_taken_and_noted(kind: str) -> None:
    later = [SEEN.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = saved(SEEN, kind, save_all=True, append_images=later, duration=50, **options)
    picture, rest = read_picture_and_rest(content, "x")
    assert near(picture, PLAIN, 8)
    assert rest == ("the first frame of an animation",)


def test_of_pages_the_first_is_taken_and_noted() -> None:
    content = saved(SEEN, "TIFF", save_all=True, append_images=[SEEN.rotate(180)])
    assert read_picture_and_rest(content, "x")[1] == ("the first of several pages",)


# ---------------------------------------------------------------- EXIF


@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, lambda seen: seen),
        (2, np.fliplr),
        (3, lambda seen: np.rot90(seen, 2)),
        (4, np.flipud),
        (5, lambda seen: seen.swapaxes(0, 1)),
        (6, lambda seen: np.rot90(seen, -1)),
        (7, lambda seen: np.rot90(seen, 2).swapaxes(0, 1)),
        (8, np.rot90),
    ],
)
def test_it_stands_upright_and_no_place_goes_on(orientation: int, turn: Callable[[np.ndarray], np.ndarray]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera of the person"
    exif[0x8825] = {1: "N", 2: (48.0, 12.0, 30.0)}
    content = saved(SEEN, "PNG", exif=exif)
    assert b"Camera of the person" in content
    picture = read_picture(content, "x")
    assert np.array_equal(picture.pixels, turn(PLAIN))
    for face in PIXELS:
        made = file_of(picture, face)
        assert b"Camera" not in made
        with Image.open(io.BytesIO(made)) as image:
            assert not image.getexif()


def test_exif_that_cannot_be_read_turns_nothing() -> None:
    content = saved(SEEN, "JPEG", quality=95, exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")
    assert near(read_picture(content, "x"), PLAIN, 6)


# ---------------------------------------------------------------- what is refused


def refused(content: bytes, name: str = "x.png") -> UsageError:
    with pytest.raises(UsageError) as error:
        read_picture(content, name)
    assert name in error.value.message
    assert error.value.hint
    return error.value


@pytest.mark.parametrize("size", [(30_001, 4), (4, 30_001), (6_400, 6_400), (100_000, 100_000), (2**31 - 1, 2**31 - 1)])
def test_a_bomb_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    read_picture(EXACT["png"], "warm")
    tracemalloc.start()
    error = refused(png_header(*size))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "at most 40 megapixels and 30000 pixels a side" in error.message
    assert peak < 3_000_000
    if size[0] < 50_000:
        assert f"{size[0]} × {size[1]}" in error.message


def test_a_long_panorama_is_read() -> None:
    long = np.zeros((40, 30_000, 3), np.uint8)
    long[:, ::2] = RED
    picture = read_picture(saved(Image.fromarray(long), "PNG"), "x")
    assert (picture.width, picture.height) == (30_000, 40)
    assert np.array_equal(picture.pixels, long)


@pytest.mark.parametrize("name", [*EXACT, *CODED])
def test_a_picture_that_is_cut_off_is_refused_or_whole(name: str) -> None:
    content = (EXACT | CODED)[name]
    for share in (0.02, 0.3, 0.6, 0.9):
        cut = content[: int(len(content) * share)]
        with suppress(UsageError):  # else a trailer alone is missing
            assert near(read_picture(cut, "cut"), PLAIN, 8), share


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "GIF"])
def test_half_a_picture_is_called_damaged(kind: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (60, 60, 3), np.uint8)
    content = saved(Image.fromarray(noise), kind)
    error = refused(content[: len(content) // 2], "half.png")
    assert "damaged or cut off" in error.message


def test_the_content_decides_whatever_the_name_says() -> None:
    for name in ("x.jpg", "x.gif", "x", "x.svg", "x.txt"):
        assert np.array_equal(read_picture(EXACT["png"], name).pixels, PLAIN)


@pytest.mark.parametrize(
    "content",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b'<?xml version="1.0"?>\n<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n<svg>&x;</svg>',
        b"\x1f\x8b\x08\0" + b"\0" * 20,
    ],
)
def test_svg_is_refused_with_the_next_step(content: bytes) -> None:
    error = refused(content, "x.svg")
    assert "SVG" in error.message
    assert "PNG" in error.hint


@pytest.mark.parametrize("content", [b"", b"words", b"%PDF-1.7\n", b"\0\0\0\x18ftypheic\0\0\0\0", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    refused(content)


def test_floating_point_is_refused_with_the_next_step() -> None:
    error = refused(saved(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"))
    assert "floating point" in error.message
    assert "8 or 16 bits" in error.hint


def test_errors_and_notes_are_in_chinese_too() -> None:
    language.use("zh")
    try:
        assert "最多 40 百万像素" in refused(png_header(30_001, 4)).message
        animated = saved(SEEN, "GIF", save_all=True, append_images=[SEEN.rotate(180)], duration=50)
        assert read_picture_and_rest(animated, "x")[1] == ("仅取动画的第一帧",)
    finally:
        language.use("en")


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*EXACT.values(), *CODED.values()]),
    st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_changed_bytes_give_a_picture_or_an_error_of_ours(content: bytes, changes: list[tuple[int, int]]) -> None:
    changed = bytearray(content)
    for place, byte in changes:
        changed[place % len(changed)] = byte
    try:
        picture = read_picture(bytes(changed), "x")
    except UsageError:
        return
    assert picture.width * picture.height <= 40_000_000


# ---------------------------------------------------------------- what goes out


def test_files_hold_the_picture() -> None:
    picture = Picture.of(PLAIN)
    assert np.array_equal(read_picture(file_of(picture, "png"), "x").pixels, PLAIN)
    for face in ("jpg", "jpeg", ".JPG", "webp"):
        assert near(read_picture(file_of(picture, face), "x"), PLAIN, 4)
    assert file_of(picture, "jpg").startswith(b"\xff\xd8\xff")
    assert file_of(picture, "webp")[8:12] == b"WEBP"


def test_cover_is_kept_and_jpeg_stands_on_white() -> None:
    clear = np.dstack([PLAIN, np.full((20, 30), 255, np.uint8)])
    clear[:, :15, 3] = 0
    clear[:10, 15:, 3] = 51
    picture = Picture.of(clear)
    assert np.array_equal(read_picture(file_of(picture, "png"), "x").pixels, clear)
    assert np.array_equal(read_picture(file_of(picture, "webp"), "x").pixels[..., 3], clear[..., 3])
    shown = read_picture(file_of(picture, "jpg"), "x").pixels.astype(int)
    assert np.abs(shown[10, 7] - 255).max() <= 3
    assert np.abs(shown[5, 22] - (np.array(GREEN) * 0.2 + 255 * 0.8)).max() <= 3


def test_what_a_file_cannot_hold_is_said() -> None:
    with pytest.raises(UsageError, match=r"not written as \.gif") as error:
        file_of(Picture.of(PLAIN), "gif")
    assert "png, jpg, webp" in error.value.hint
    with pytest.raises(UsageError, match="WebP holds no picture of 16384 × 2"):
        file_of(Picture.of(np.zeros((2, 16_384, 3), np.uint8)), "webp")
