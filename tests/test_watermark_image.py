"""The image watermark: what is written is read after attacks, and nothing is read where nothing was written."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from castalia.core.errors import MarkError
from castalia.core.seeds import generator
from castalia.provenance.watermarks import payload as code
from castalia.provenance.watermarks.image import ALARM, Detection, ImageWatermark

Pixels = NDArray[np.uint8]
PAYLOAD = bytes.fromhex("00ff5aa5c319")
MARK = ImageWatermark(b"a secret of the tests")


def scene(height: int = 384, width: int = 512, seed: int = 1) -> Pixels:
    """Clouds with a spectrum that falls as a photograph's does, coloured, and a few hard edges."""
    chance = generator(seed, "scene")
    row, column = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    falling = 1 / np.maximum(np.hypot(row, column), 1 / max(height, width)) ** 1.3
    noise = chance.normal(size=(3, *falling.shape)) + 1j * chance.normal(size=(3, *falling.shape))
    clouds = np.fft.irfft2(noise * falling, (height, width))
    clouds[1:] = 0.8 * clouds[0] + 0.2 * clouds[1:]
    levels = 120 + 45 * (clouds - clouds.mean()) / clouds.std()
    picture = Image.fromarray(np.clip(levels, 0, 255).astype(np.uint8).transpose(1, 2, 0))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((width // 8, height // 2, width // 3, height - 9), fill=(60, 30, 20))
    draw.ellipse((width // 2, height // 8, width * 3 // 4, height // 2), fill=(230, 210, 90))
    return np.asarray(picture)


def drawing(height: int = 512, width: int = 512) -> Pixels:
    """Coloured discs and black lines on white paper."""
    picture = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(picture)
    for number in range(5):
        top = height // 6 + number * 12
        draw.line((width // 10, top, width * 9 // 10, top), fill="black", width=2)
    draw.ellipse((width // 5, height // 2, width // 2, height * 4 // 5), fill=(250, 200, 40), outline="black", width=5)
    left, right, foot = width * 6 // 10, width * 9 // 10, height * 9 // 10
    draw.polygon([(left, foot), (right, foot), ((left + right) // 2, height // 2)], fill=(40, 130, 200))
    return np.asarray(picture)


def saved(picture: Pixels, kind: str, quality: int) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def cropped(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    return picture[height // 10 : -(height // 10), width // 10 : -(width // 10)]


def noisy(picture: Pixels) -> Pixels:
    return np.clip(picture + generator(3, "noise").normal(0, 8, picture.shape), 0, 255).astype(np.uint8)


ATTACKS: dict[str, Callable[[Pixels], Pixels]] = {
    "nothing": lambda picture: picture,
    "jpeg 50": lambda picture: saved(picture, "JPEG", 50),
    "webp 60": lambda picture: saved(picture, "WEBP", 60),
    "half size": lambda picture: np.asarray(Image.fromarray(picture).reduce(2)),
    "a tenth cropped from each side": cropped,
    "turned, larger canvas": lambda picture: np.asarray(Image.fromarray(picture).rotate(2, expand=True, resample=3)),
    "turned back, same canvas": lambda picture: np.asarray(Image.fromarray(picture).rotate(-2, resample=3)),
    "brighter": lambda picture: np.clip(picture * 1.2, 0, 255).astype(np.uint8),
    "darker": lambda picture: (picture * 0.8).astype(np.uint8),
    "noise": noisy,
    "blur": lambda picture: np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(1.5))),
    "half size, then jpeg": lambda picture: saved(np.asarray(Image.fromarray(picture).reduce(2)), "JPEG", 50),
    "cropped, then webp": lambda picture: saved(cropped(picture), "WEBP", 60),
}


@pytest.fixture(scope="module")
def pictures() -> dict[str, Pixels]:
    return {"scene": scene(), "drawing": drawing()}


@pytest.fixture(scope="module")
def marked(pictures: dict[str, Pixels]) -> dict[str, Pixels]:
    return {name: MARK.embed(picture, PAYLOAD) for name, picture in pictures.items()}


@pytest.mark.parametrize("kind", ["scene", "drawing"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_the_payload_survives(marked: dict[str, Pixels], kind: str, attack: str):
    found = MARK.detect(ATTACKS[attack](marked[kind]))
    assert found.payload == PAYLOAD
    assert found.p_value <= ALARM


@pytest.mark.parametrize("kind", ["scene", "drawing"])
def test_the_picture_is_changed_by_no_more_than_promised(
    pictures: dict[str, Pixels], marked: dict[str, Pixels], kind: str
):
    error = np.mean((marked[kind].astype(float) - pictures[kind]) ** 2)
    assert 10 * np.log10(255**2 / error) >= 40
    assert marked[kind].shape == pictures[kind].shape


def test_the_same_input_gives_the_same_bytes(marked: dict[str, Pixels]):
    assert ImageWatermark(b"a secret of the tests").embed(scene(), PAYLOAD).tobytes() == marked["scene"].tobytes()


def test_another_key_finds_nothing(marked: dict[str, Pixels]):
    other = ImageWatermark(b"another secret")
    assert other.label != MARK.label
    for picture in marked.values():
        assert nothing(other.detect(picture))


def test_pictures_without_the_mark_say_nothing(pictures: dict[str, Pixels]):
    chance = generator(5, "unmarked")
    blank = np.full((200, 300, 3), 255, np.uint8)
    static = chance.integers(0, 256, (256, 256, 3), np.uint8)
    stripes = np.tile(np.arange(256) // 8 % 2 * 255, (256, 1)).astype(np.uint8)
    for picture in [*pictures.values(), blank, static, stripes, cropped(pictures["scene"])]:
        assert nothing(MARK.detect(picture))


def nothing(found: Detection) -> bool:
    return found.payload is None and found.p_value > 1e-3


def test_the_place_is_found(marked: dict[str, Pixels]):
    assert MARK.detect(cropped(marked["scene"])).size == pytest.approx(1.25, abs=0.01)
    turned = np.asarray(Image.fromarray(marked["drawing"]).rotate(2, resample=3))
    assert abs(MARK.detect(turned).angle) == pytest.approx(2, abs=0.2)


def test_each_payload_is_read_as_itself():
    picture = scene(256, 256)
    for payload in (bytes(6), b"\xff" * 6, b"abcdef"):
        assert MARK.detect(MARK.embed(picture, payload)).payload == payload


def test_grey_and_transparent_pictures():
    picture = scene(256, 320)
    grey = MARK.embed(picture[..., 0], PAYLOAD)
    assert grey.shape == (256, 320)
    assert MARK.detect(grey).payload == PAYLOAD
    alpha = generator(2, "alpha").integers(0, 256, (256, 320, 1), np.uint8)
    clear = MARK.embed(np.concatenate([picture, alpha], axis=2), PAYLOAD)
    assert np.array_equal(clear[..., 3:], alpha)
    assert MARK.detect(clear).payload == PAYLOAD


@pytest.mark.parametrize("size", [(256, 192), (1100, 800)])
def test_small_and_large_pictures(size: tuple[int, int]):
    picture = MARK.embed(scene(*size), PAYLOAD)
    assert MARK.detect(saved(picture, "JPEG", 75)).payload == PAYLOAD


def test_a_picture_that_cannot_hold_it_is_refused():
    static = generator(4, "static").integers(0, 256, (64, 64, 3), np.uint8)
    with pytest.raises(MarkError, match="64 × 64"):
        MARK.embed(static, PAYLOAD)


# ------------------------------------------------------------ the payload's code


@given(st.binary(min_size=6, max_size=6), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_noisy_code_word_is_read(payload: bytes, seed: int):
    word = code.encode(payload)
    assert set(np.unique(word)) <= {-1.0, 1.0}
    reading = code.decode(word + 0.5 * generator(seed, "channel").normal(size=word.shape))
    assert reading.payload == payload
    assert reading.intact
    assert reading.agreement > 0.9


def test_copies_count_as_values():
    word = np.tile(code.encode(PAYLOAD), (4, 1))
    reading = code.decode(word)
    assert reading.score == pytest.approx(np.sqrt(4 * code.CODE_BITS))
    assert reading.chance(1) < 1e-100


def test_lost_bits_are_bridged():
    word = code.encode(PAYLOAD)
    word[::3] = 0
    assert code.decode(word).payload == PAYLOAD


def test_noise_alone_proves_nothing():
    chance = generator(6, "noise alone")
    readings = [code.decode(chance.normal(size=(4, code.CODE_BITS))) for _ in range(30)]
    assert min(reading.chance(1) for reading in readings) > 1e-3


def test_a_payload_has_six_bytes():
    with pytest.raises(ValueError, match="6 bytes, not 5"):
        code.encode(b"12345")
    with pytest.raises(ValueError, match="168"):
        code.decode(np.zeros(167))


def test_signs_depend_on_key_and_purpose():
    first = code.signs(b"key", "one", 1000)
    assert np.array_equal(first, code.signs(b"key", "one", 1000))
    assert abs(float(np.mean(first * code.signs(b"key", "two", 1000)))) < 0.15
    assert abs(float(np.mean(first * code.signs(b"yek", "one", 1000)))) < 0.15


def test_a_picture_wider_than_webp_takes_is_marked() -> None:
    wide = np.tile(scene(200, 1024), (1, 17, 1))
    assert MARK.detect(MARK.embed(wide, PAYLOAD)).payload == PAYLOAD
