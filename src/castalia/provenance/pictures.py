"""Pixels of a picture file: read within limits, changed, and written in the same format with the same quality.

The visible label is drawn here: GB 45438-2025 asks for a text height of at least 5 % of the shortest side.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from castalia.provenance.embed.face import Face, MalformedError
from castalia.provenance.label import FONT, LABELS

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Pixels (height, width, 3) as they are seen → the same changed."""
MOST_PIXELS = 64_000_000
HEIGHT = 0.055
"""Height of the label's characters as a share of the shortest side."""
_ALIKE = 0.7
"""Correlation from which the pixels of a corner are a label's."""
_LOOKED_AT = 640
"""Longer side in which a label is looked for."""
_SHRUNK = (1, 2, 4)
"""How many times larger a picture may have been when its label was drawn."""
_LARGEST_DRAWN = 4096
"""Longer side beyond which a label has so many pixels that a larger original's looks the same."""
_SHIFT = 2
"""Pixels by which it may have been moved."""
_DRAWN = 24
"""Levels by which a pixel must differ to belong to the label; a watermark changes less."""
_EIGHT_BITS = frozenset(("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX"))


def pixels(content: bytes) -> NDArray[np.uint8]:
    """The first picture of a file as it is seen (height, width, 3).

    Raises:
        MalformedError: it cannot be decoded or has too many pixels.
    """
    return np.asarray(_upright(_open(content)).convert("RGB"))


def changed(content: bytes, face: Face, change: Change) -> bytes:
    """The file with its pixels changed; transparency, profile and every other part of it are kept.

    Raises:
        MalformedError: it cannot be decoded, has too many pixels, or more than 8 bits a channel; or it is an animated
            PNG.
    """
    picture = _open(content)
    if picture.mode not in _EIGHT_BITS or (picture.format == "PNG" and content[24:25] == b"\x10"):
        raise MalformedError(f"pixels of the kind {picture.mode} or of 16 bits, which are not touched")
    if getattr(picture, "n_frames", 1) > 1:
        new = _animated(picture, content, change)
    else:
        new = _encoded(_turned_back(_with(change, _upright(picture)), picture), picture, content)
    return face.graft(content, new) if face.graft else new


def _with(change: Change, seen: Image) -> Image:
    from PIL import Image

    clear = seen.convert("RGBA").getchannel("A") if seen.has_transparency_data else None
    before = np.array(seen.convert("RGB"))
    if clear is not None:
        before[np.asarray(clear) == 0] = 255  # a dark plate would not be told from the black that mostly hides there
    after = Image.fromarray(change(before.copy()))
    if clear is not None:
        drawn = np.abs(np.asarray(after, np.int16) - before).max(-1) > _DRAWN
        # A label over nothing is to be seen too.
        after.putalpha(Image.fromarray(np.where(drawn, 255, np.asarray(clear)).astype(np.uint8)))
    return after


def _animated(picture: Image, content: bytes, change: Change) -> bytes:
    """Every frame changed, in the same time and as often again; one that comes twice is changed once."""
    from PIL import ImageSequence

    count: int = getattr(picture, "n_frames", 1)
    if picture.format not in ("GIF", "WEBP"):
        raise MalformedError("an animated PNG, whose pixels are not touched")
    if picture.width * picture.height * count > MOST_PIXELS:
        raise MalformedError(f"frames of more than {MOST_PIXELS} pixels together")
    done: dict[bytes, Image] = {}
    frames: list[Image] = []
    held: list[int] = []
    try:
        for each in ImageSequence.Iterator(picture):
            seen = each.convert("RGBA" if each.has_transparency_data else "RGB")
            held.append(int(each.info.get("duration", 0)))
            name = seen.mode.encode() + seen.tobytes()
            done[name] = done.get(name) or _with(change, seen)
            frames.append(done[name])
    except (OSError, SyntaxError, EOFError, ValueError) as error:
        raise MalformedError(f"an animated picture that cannot be decoded ({error})") from error
    stream = io.BytesIO()
    again: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": held}
    if "loop" in picture.info:
        again["loop"] = picture.info["loop"]
    if picture.format == "GIF":
        frames[0].save(stream, "GIF", disposal=2 if frames[0].mode == "RGBA" else 1, **again)
    else:
        frames[0].save(stream, "WEBP", lossless=b"VP8L" in content[:4096], quality=95, exact=True, **again)
    return stream.getvalue()


def draw_label(seen: NDArray[np.uint8], label: str) -> NDArray[np.uint8]:
    """The picture with its label in a dark plate in the lower right corner.

    Args:
        seen: Pixels (height, width, 3).
        label: One of `label.LABELS`.
    """
    from PIL import Image, ImageDraw

    picture = Image.fromarray(seen)
    plate = _plate(picture.width, picture.height, label)
    draw = ImageDraw.Draw(picture, "RGBA")
    left, top = picture.width - plate.width, picture.height - plate.height
    draw.rectangle((left, top, picture.width, picture.height), fill=(0, 0, 0, 150))
    draw.text((left + plate.across, top + plate.down), label, font=plate.font, fill=(255, 255, 255, 255))
    return np.array(picture.convert("RGB"))


def drawn_label(seen: NDArray[np.uint8]) -> str:
    """The label that stands in a picture where `draw_label` puts it, perhaps coded or resized since; else empty.

    Args:
        seen: Pixels (height, width, 3).
    """
    from PIL import Image

    picture = Image.fromarray(seen).convert("L")
    width, height = picture.size
    picture.thumbnail((_LOOKED_AT, _LOOKED_AT))
    luma = np.asarray(picture, np.float32)
    likest, found = _ALIKE, ""
    for label in LABELS.values():
        for by in [each for each in _SHRUNK if each == 1 or each * max(width, height) <= _LARGEST_DRAWN]:
            wanted = _lettering((width * by, height * by), label, picture.width / width / by)
            corner = np.pad(luma[-len(wanted) :, -wanted.shape[1] :], _SHIFT, "edge")
            windows: NDArray[np.float32] = np.lib.stride_tricks.sliding_window_view(corner, wanted.shape)
            likeness = np.mean(windows * wanted, axis=(2, 3)) / np.maximum(windows.std(axis=(2, 3)), 1.0)
            if likeness.max() > likest:
                likest, found = float(likeness.max()), label
    return found


def _lettering(size: tuple[int, int], label: str, shrunk: float) -> NDArray[np.float32]:
    """The letters of a plate in a picture of this size, made that much smaller; mean 0, deviation 1."""
    from PIL import Image, ImageDraw

    plate = _plate(*size, label)
    image = Image.new("L", (plate.width, plate.height))
    ImageDraw.Draw(image).text((plate.across, plate.down), label, font=plate.font, fill=255)
    image = image.resize((max(1, round(plate.width * shrunk)), max(1, round(plate.height * shrunk))))
    letters = np.asarray(image, np.float32)
    return (letters - letters.mean()) / (letters.std() or 1.0)


@dataclass(frozen=True)
class _Plate:
    """The label's plate in the lower right corner, pixels."""

    font: FreeTypeFont
    width: int
    height: int
    across: int
    """From its left edge to the anchor of the text."""
    down: int


def _plate(width: int, height: int, label: str) -> _Plate:
    """The plate of a label in a picture of this size."""
    tall = max(8, math.ceil(min(width, height) * HEIGHT))
    font = _font(label, tall)
    left, top, right, bottom = map(math.floor, font.getbbox(label))
    margin = tall // 3
    if right - left + 2 * margin > width:  # a strip: as large as fits
        font = _font(label, max(1, int(tall * width / (right - left + 2 * margin))))
        left, top, right, bottom = map(math.floor, font.getbbox(label))
        margin = 1
    wide, high = min(width, right - left + 2 * margin), min(height, bottom - top + 2 * margin)
    return _Plate(font, wide, high, margin - left, margin - top)


def _font(label: str, tall: int) -> FreeTypeFont:
    """The label's font in the size in which its capital letters, or its characters, are that many pixels high."""
    from PIL import ImageFont

    _, top, _, bottom = ImageFont.truetype(FONT, 100).getbbox("A" if label.isascii() else "生")
    return ImageFont.truetype(FONT, tall * 100 / (bottom - top))


def _open(content: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError

    try:
        picture = Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP", "GIF"))
        if picture.width * picture.height > MOST_PIXELS:
            raise MalformedError(f"more than {MOST_PIXELS} pixels")
        picture.load()
    except (UnidentifiedImageError, OSError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise MalformedError(f"a picture that cannot be decoded ({error})") from error
    return picture


def _upright(picture: Image) -> Image:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(picture)
    except (ValueError, TypeError, KeyError, SyntaxError, OSError, struct.error) as error:
        raise MalformedError(f"EXIF that cannot be read ({error})") from error


def _turned_back(seen: Image, stored: Image) -> Image:
    """Undo `_upright`, since the file keeps its EXIF orientation (CIPA DC-008, tag 0x0112)."""
    from PIL.Image import Transpose

    undo = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_90,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_270,
    }.get(stored.getexif().get(0x0112, 1))
    return seen if undo is None else seen.transpose(undo)


def _encoded(picture: Image, old: Image, content: bytes) -> bytes:
    """The picture in the old one's format; a JPEG with its own tables, a WebP without loss where it had none."""
    stream = io.BytesIO()
    grey = old.mode in ("1", "L", "LA")
    if old.format == "JPEG":
        from PIL.JpegImagePlugin import get_sampling

        tables: Any = getattr(old, "quantization", None)
        sampling = -1 if grey else get_sampling(old)
        picture.convert("L" if grey else "RGB").save(stream, "JPEG", qtables=tables, subsampling=sampling)
    elif old.format == "WEBP":
        picture.save(stream, "WEBP", lossless=b"VP8L" in content[:4096], quality=95, exact=True)
    elif old.format == "GIF":
        picture.save(stream, "GIF")
    else:
        mode = {"RGB": "L", "RGBA": "LA"}[picture.mode] if grey else picture.mode
        picture.convert(mode).save(stream, "PNG")
    return stream.getvalue()
