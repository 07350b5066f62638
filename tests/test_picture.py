"""A picture as a value: exact pixels, in PNG that any program reads, in JSON and back."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from castalia.core import picture as core_picture
from castalia.core import png
from castalia.core.errors import UsageError
from castalia.core.picture import Picture


def noise(height: int, width: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), np.uint8)


@given(st.integers(1, 9), st.integers(1, 9), st.sampled_from([3, 4]), st.integers(0, 99))
def test_pixels_come_back_and_other_programs_see_the_same(height: int, width: int, channels: int, seed: int) -> None:
    pixels = noise(height, width, channels, seed)
    made = Picture.of(pixels, "a cat")
    assert (made.height, made.width) == (height, width)
    assert np.array_equal(made.pixels, pixels)
    with Image.open(io.BytesIO(made.png)) as seen:
        assert seen.mode == ("RGB", "RGBA")[channels - 3]
        assert np.array_equal(np.asarray(seen), pixels)


def test_json_keeps_every_byte_and_prints_none_of_them() -> None:
    made = Picture.of(noise(5, 7, 4), "猫", made_by="person")
    again = Picture.model_validate_json(made.model_dump_json())
    assert again == made
    assert again.png == made.png
    assert Picture.model_validate(made.model_dump(mode="json")).png == made.png
    assert Picture.model_validate(made.model_dump()).png == made.png
    assert "PNG" not in repr(made)
    assert "猫" in repr(made)


def test_equal_is_what_looks_equal() -> None:
    pixels = noise(6, 6, 3)
    made = Picture.of(pixels)
    start = made.png.index(b"IDAT") - 4
    size = int.from_bytes(made.png[start : start + 4])
    packed = zlib.compress(zlib.decompress(made.png[start + 8 : start + 8 + size]), 0)
    crc = zlib.crc32(b"IDAT" + packed).to_bytes(4)
    other = Picture(png=made.png[:start] + len(packed).to_bytes(4) + b"IDAT" + packed + crc + made.png[-12:])
    assert other.png != made.png
    assert other == made
    assert hash(other) == hash(made)
    pixels[3, 3, 1] ^= 1
    assert Picture.of(pixels) != made
    assert Picture.of(noise(6, 6, 3), "said") != made
    assert made != "a picture"


def test_what_is_no_plain_png_is_refused() -> None:
    stream = io.BytesIO()
    Image.fromarray(noise(4, 4, 3)).convert("P").save(stream, "PNG")
    for content in (b"", b"GIF89a", stream.getvalue()):
        with pytest.raises(ValidationError, match="PNG"):
            Picture(png=content)
    with pytest.raises(ValidationError):
        Picture.model_validate({"png": "no base64!"})
    whole = Picture.of(noise(4, 4, 3)).png
    for damaged in (whole[:60], whole[:50] + b"\0\0\0\0" + whole[54:]):
        with pytest.raises(ValueError, match="damaged"):
            Picture(png=damaged).pixels  # noqa: B018
    stream = io.BytesIO()
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(stream, "PNG")
    with pytest.raises(ValueError, match="another program"):
        png.decode(stream.getvalue())


def test_a_header_that_promises_more_than_there_is_costs_no_memory() -> None:
    whole = bytearray(Picture.of(noise(4, 4, 3)).png)
    whole[16:24] = (6_000).to_bytes(4) + (6_000).to_bytes(4)
    with pytest.raises(ValueError, match="of 108006000"):
        png.decode(bytes(whole))
    whole[16:24] = (60_000).to_bytes(4) + (60_000).to_bytes(4)
    with pytest.raises(ValidationError, match="at most 64000000 pixels"):
        Picture(png=bytes(whole))


def test_a_picture_too_large_to_mark_is_not_made(monkeypatch) -> None:
    monkeypatch.setattr(core_picture, "MOST_PIXELS", 1_000_000)
    with pytest.raises(UsageError, match="1001 × 1000 pixels is too large: at most 1 megapixels"):
        Picture.of(np.zeros((1000, 1001, 3), np.uint8))
    assert Picture.of(np.zeros((1000, 1000, 3), np.uint8)).width == 1000
