"""A picture of any program → `Picture`: upright, sRGB, eight bits a channel, its first frame.

The limits are checked before anything is decoded; nothing of the file but its pixels is taken, so that neither a place
nor a camera's number goes on.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.modalities.image.colours import srgb

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 40_000_000
"""Of a given picture: 20 megapixels are a good camera's, 40 a long panorama's."""
LONGEST_SIDE = 30_000
"""Pixels."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")
"""What is read, as Pillow names it."""
EXTENSIONS = ("png", "jpg", "jpeg", "jpe", "webp", "gif", "tif", "tiff", "bmp", "ppm", "pgm", "avif", "heic", "svg")
"""What ends in one of these is taken for a picture's name, also where it is refused."""
_SEARCHED = 4_096
"""Bytes from the beginning in which an SVG drawing names itself."""
_DAMAGE = (
    *(ValueError, ArithmeticError, LookupError, RuntimeError, EOFError, OSError, SyntaxError),
    *(TypeError, AttributeError, MemoryError, struct.error, zlib.error),
)
"""What Pillow raises at bytes that it does not understand."""


def read_picture(content: bytes, name: str, *, made_by: Literal["model", "person"] = "person") -> Picture:
    """The picture of a file; see `read_picture_and_rest`."""
    return read_picture_and_rest(content, name, made_by=made_by)[0]


def read_picture_and_rest(
    content: bytes, name: str, *, made_by: Literal["model", "person"] = "person"
) -> tuple[Picture, tuple[str, ...]]:
    """The picture of a file, and what of the file it leaves out or changes.

    Args:
        content: The file; it decides about the format, whatever the name says.
        name: What to call it in errors.
        made_by: Who made it.

    Raises:
        UsageError: it is no picture that is read here, is too large, or is damaged.
    """
    from PIL import UnidentifiedImageError

    if not content:
        raise _refused(name, say("it is empty", "文件为空"), say("Choose another file.", "请选择另一个文件。"))
    try:
        with _quiet(), _opened(content, name) as image:
            _check_size(image.width, image.height, name)
            _check_kind(image, name)
            image.load()
            notes = [*_frames(image), *_depth(image, content)]
            pixels, more = srgb(_upright(image, notes))
    except UnidentifiedImageError as error:
        raise _unknown(content, name) from error
    except _DAMAGE as error:
        why = str(error)[:120] or type(error).__name__
        raise _refused(
            name,
            say("it is damaged or cut off ({why})", "文件损坏或不完整（{why}）", why=why),
            say("Fetch or export it again.", "请重新获取或导出该文件。"),
        ) from error
    return Picture.of(_without_plain_alpha(pixels), made_by=made_by), (*notes, *more)


@contextmanager
def _quiet() -> Generator[None]:
    """Without Pillow's warnings, of sizes that are checked here and of metadata that is not taken."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        yield


def _opened(content: bytes, name: str) -> Image:
    from PIL import Image

    try:
        return Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large(name, say("more than 100 megapixels", "超过 1 亿像素")) from error


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise _too_large(name, say("{w} × {h} pixels", "{w} × {h} 像素", w=width, h=height))


def _check_kind(image: Image, name: str) -> None:
    if image.mode == "F":
        raise _refused(
            name,
            say("its pixels are floating point numbers", "其像素为浮点数"),
            say("Save it with 8 or 16 bits a channel.", "请以每通道 8 或 16 位保存。"),
        )


def _frames(image: Image) -> list[str]:
    """That there are more pictures; the second one of a stereo camera or a preview says nothing."""
    if image.format == "MPO" or not getattr(image, "is_animated", False):
        return []
    if image.format == "TIFF":
        return [say("the first of several pages", "仅取多页中的第一页")]
    return [say("the first frame of an animation", "仅取动画的第一帧")]


def _depth(image: Image, content: bytes) -> list[str]:
    """That colours were finer: of 16-bit colour Pillow itself keeps the upper byte, grey is left to `srgb`."""
    fine = image.mode.startswith("I") or (image.format == "PNG" and content[24:25] == b"\x10")
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(258, (8,))  # BitsPerSample
        fine = max(bits) > 8
    return [say("16 bits a channel were made 8", "每通道 16 位已转为 8 位")] if fine else []


def _upright(image: Image, notes: list[str]) -> Image:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except _DAMAGE:
        notes.append(
            say("its EXIF cannot be read: it may lie on its side", "无法读取 EXIF：图片方向可能不正确"),
        )
        return image


def _without_plain_alpha(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return pixels[..., :3] if pixels.shape[2] == 4 and bool((pixels[..., 3] == 255).all()) else pixels


def _unknown(content: bytes, name: str) -> UsageError:
    head = content[:_SEARCHED]
    if b"<svg" in head or head[:2] == b"\x1f\x8b":
        return _refused(
            name,
            say("it is an SVG drawing, which is not read", "这是 SVG 图形，无法读取"),
            say("Export it as PNG from the program that drew it.", "请用绘制它的程序导出为 PNG。"),
        )
    return _refused(
        name,
        say("its format is none that is read", "格式无法识别"),
        say(
            "Save it as PNG, JPEG, WebP, GIF, TIFF, BMP or AVIF.", "请另存为 PNG、JPEG、WebP、GIF、TIFF、BMP 或 AVIF。"
        ),
    )


def _too_large(name: str, found: str) -> UsageError:
    return _refused(
        name,
        say(
            "it has {found}; at most {n} megapixels and {side} pixels a side are read",
            "尺寸为 {found}；最多 {n} 百万像素、每边 {side} 像素",
            found=found,
            n=MOST_PIXELS // 1_000_000,
            side=LONGEST_SIDE,
        ),
        say("Make it smaller, or cut it into parts.", "请缩小图片，或将其裁成几部分。"),
    )


def _refused(name: str, why: str, hint: str) -> UsageError:
    return UsageError(
        say("The picture {name} cannot be used: {why}.", "无法使用图片 {name}：{why}。", name=name, why=why), hint=hint
    )
