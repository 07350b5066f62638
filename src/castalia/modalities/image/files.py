"""The files that a picture is given out as."""

from __future__ import annotations

import io

import numpy as np

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import Picture

FACES = ("png", "jpg", "webp")
"""Extensions of the files."""
_OTHER_NAMES = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg"}
_QUALITY = 95
"""Of JPEG and WebP: a watermark lives through it, and nobody sees the loss."""
_LONGEST_WEBP = 16_383
"""Pixels a side (RFC 9649, section 2.7)."""


def file_of(picture: Picture, extension: str) -> bytes:
    """The picture as a file, without any mark.

    Args:
        picture: The work; JPEG shows it on white where it is transparent.
        extension: One of `FACES` or another name of one, with or without a dot.

    Raises:
        UsageError: another extension, or a picture that this kind of file cannot hold.
    """
    from PIL import Image

    kind = extension.lower().lstrip(".")
    kind = _OTHER_NAMES.get(kind, kind)
    stream = io.BytesIO()
    match kind:
        case "png":
            return picture.png
        case "jpg":
            Image.fromarray(_on_white(picture)).save(stream, "JPEG", quality=_QUALITY, subsampling=0)
        case "webp":
            if max(picture.width, picture.height) > _LONGEST_WEBP:
                raise UsageError(
                    say(
                        "WebP holds no picture of {w} × {h} pixels: at most {n} a side.",
                        "WebP 无法保存 {w} × {h} 像素的图片：每边最多 {n} 像素。",
                        w=picture.width,
                        h=picture.height,
                        n=_LONGEST_WEBP,
                    ),
                    hint=say("Choose .png or .jpg.", "请选择 .png 或 .jpg。"),
                )
            Image.fromarray(picture.pixels).save(stream, "WEBP", quality=_QUALITY, exact=True)
        case _:
            raise UsageError(
                say("A picture is not written as .{kind}.", "图片不能保存为 .{kind}。", kind=kind),
                hint=say("Choose one of {known}.", "请选择：{known}。", known=", ".join(FACES)),
            )
    return stream.getvalue()


def _on_white(picture: Picture) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    pixels = picture.pixels
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
