"""The files that a picture is given out as; one that holds several also as an animation, or each on its own."""

from __future__ import annotations

import io
import re
import zipfile

import numpy as np
from PIL import Image

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.modalities.image.matte import laid_on
from castalia.modalities.image.sets import cells
from castalia.modalities.image.size import within
from castalia.modalities.image.trace import LONGEST, MOST_COLOURS, trace

PIXELS = ("png", "jpg", "webp")
"""Extensions of the files that hold the pixels of any picture."""
FACES = (*PIXELS, "svg")
"""Extensions of all files of any picture."""
_OTHER_NAMES = {"jpeg": "jpg", "jpe": "jpg", "jfif": "jpg"}
_QUALITY = 95
"""Of JPEG and WebP: a watermark lives through it, and nobody sees the loss."""
_LONGEST_WEBP = 16_383
"""Pixels a side (RFC 9649, section 2.7)."""
_COLOURS = 24
"""Fills of a traced picture, and of one that holds several for each of them, up to the most."""
_HELD = 6
"""Times as long as the others the first and the last frame of an animation are shown."""
_THEN = (1980, 1, 1, 0, 0, 0)
"""Time of an archive's members: the same work, the same bytes."""


def faces_of(picture: Picture) -> tuple[str, ...]:
    """Extensions of the files of this picture."""
    sheet = picture.sheet
    return (*FACES, *(("zip",) if sheet else ()), *(("gif",) if sheet and sheet.milliseconds else ()))


def file_of(picture: Picture, extension: str) -> bytes:
    """The picture as a file, without any mark.

    Args:
        picture: The work; JPEG shows it on white where it is transparent.
        extension: One of `faces_of` or another name of one, with or without a dot.

    Raises:
        UsageError: another extension, or a picture that this kind of file cannot hold.
        MissingError: vtracer is wanted and not installed.
    """
    kind = extension.lower().lstrip(".")
    kind = _OTHER_NAMES.get(kind, kind)
    stream = io.BytesIO()
    match kind:
        case "gif" | "zip" if kind not in faces_of(picture):
            raise UsageError(
                say("This picture is not written as .{kind}.", "这张图片不能保存为 .{kind}。", kind=kind),
                hint=say("Choose one of {known}.", "请选择：{known}。", known=", ".join(faces_of(picture))),
            )
        case "png":
            return picture.png
        case "svg":
            count = len(picture.sheet.cells) if picture.sheet else 1
            return trace(within(picture.pixels, LONGEST), colours=min(_COLOURS * count, MOST_COLOURS)).encode()
        case "zip":
            return _each(picture)
        case "webp" | "gif" if picture.sheet and picture.sheet.milliseconds:
            return _animation(picture, picture.sheet.milliseconds, kind)
        case "jpg":
            Image.fromarray(laid_on(picture.pixels)).save(stream, "JPEG", quality=_QUALITY, subsampling=0)
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


def thumbnail(picture: Picture, longest: int) -> bytes:
    """A WebP of the picture that is at most so many pixels a side, without any mark."""
    stream = io.BytesIO()
    Image.fromarray(within(picture.pixels, longest)).save(stream, "WEBP", quality=_QUALITY, exact=True)
    return stream.getvalue()


def _each(picture: Picture) -> bytes:
    """Every picture of a sheet as a PNG, in an archive, named by its number and its words."""
    assert picture.sheet
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number, (cell, pixels) in enumerate(zip(picture.sheet.cells, cells(picture), strict=True), 1):
            words = re.sub(r"[^\w-]+", "-", cell.name)[:40].strip("-")
            name = f"{number:02}-{words}.png" if words else f"{number:02}.png"
            archive.writestr(zipfile.ZipInfo(name, _THEN), Picture.of(np.ascontiguousarray(pixels)).png)
    return stream.getvalue()


def _animation(picture: Picture, milliseconds: int, kind: str) -> bytes:
    """The frames there and back again, without end; the first and the last are shown longer."""
    there = [Image.fromarray(laid_on(each)) for each in cells(picture)]
    frames = [*there, *there[-2:0:-1]]
    held = [milliseconds * (_HELD if number in (0, len(there) - 1) else 1) for number in range(len(frames))]
    stream = io.BytesIO()
    options = {"save_all": True, "append_images": frames[1:], "duration": held, "loop": 0}
    if kind == "gif":
        frames[0].save(stream, "GIF", **options)
    else:
        frames[0].save(stream, "WEBP", quality=_QUALITY, **options)
    return stream.getvalue()
