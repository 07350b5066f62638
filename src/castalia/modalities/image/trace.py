"""Flat art to SVG: few colours, and smooth outlines around each; by vtracer (MIT).

Only what an outline needs is let through: paths with a fill and a shift. So no script, link or style can be in it.
"""

from __future__ import annotations

import io
import re
from importlib import import_module
from typing import Any

import numpy as np
from PIL import Image

from castalia.core.errors import EngineError, MissingError, UsageError
from castalia.core.language import say
from castalia.modalities.image.matte import behind_alpha
from castalia.modalities.image.oklab import Pixels

LONGEST = 2048
"""Pixels of the longer side of what is traced."""
MOST_COLOURS = 64
_SPECK = 4
"""Pixels a side below which a patch is left to its neighbour."""
_PATH = re.compile(
    r'<path d="(?P<line>[MLCZ0-9eE ,.+-]+)" fill="(?P<fill>#[0-9A-Fa-f]{6})"'
    r'(?: transform="(?P<move>translate\(-?[0-9.]+,-?[0-9.]+\))")?\s*/>'
)


def trace(pixels: Pixels, *, colours: int = 16) -> str:
    """A picture as SVG.

    Args:
        pixels: (height, width, 3), or 4 with alpha, which becomes a hard edge.
        colours: Most different fills, 2 … 64. Photographs take many and look like posters.

    Returns:
        SVG text of the picture's size, made of filled paths alone, with a `viewBox`.

    Raises:
        UsageError: the number of colours is another, or the picture is larger than 2048 pixels a side.
        MissingError: vtracer is not installed.
        EngineError: it wrote something else than filled paths.
    """
    height, width = pixels.shape[:2]
    if not 2 <= colours <= MOST_COLOURS:
        raise UsageError(
            say("Fills: 2 to {most}, not {n}.", "颜色数应为 2 到 {most}，而不是 {n}。", most=MOST_COLOURS, n=colours)
        )
    if max(height, width) > LONGEST:
        raise UsageError(
            say("{w} × {h} pixels are too many to trace.", "{w} × {h} 像素的图片太大，无法描摹。", w=width, h=height),
            hint=say("At most {n} pixels a side.", "每边最多 {n} 像素。", n=LONGEST),
        )
    try:
        tracer: Any = import_module("vtracer")
    except ImportError as error:
        raise MissingError(
            say("Tracing needs vtracer, which is not installed.", "描摹需要 vtracer，尚未安装。"),
            hint="pip install 'castalia[pictures]'",
        ) from error
    few = _few_colours(pixels, colours)
    stream = io.BytesIO()
    Image.fromarray(few).save(stream, "PNG")
    written: str = tracer.convert_raw_image_to_svg(
        stream.getvalue(),
        img_format="png",
        hierarchical="stacked",
        filter_speckle=_SPECK,
        color_precision=8,
        layer_difference=0,
        path_precision=2,
    )
    return _rebuilt(written, few)


def _few_colours(pixels: Pixels, colours: int) -> Pixels:
    """With so many colours, and alpha all or nothing; (height, width, 4)."""
    clear = pixels.shape[2] == 4
    colour = behind_alpha(pixels) if clear else pixels
    few = Image.fromarray(colour).quantize(colours, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    alpha = np.where(pixels[..., 3] > 127, 255, 0) if clear else np.full(pixels.shape[:2], 255)
    return np.dstack([np.asarray(few.convert("RGB")), alpha.astype(np.uint8)])


def _rebuilt(written: str, few: Pixels) -> str:
    """The same paths in a file of our own, each in the nearest colour of the picture."""
    height, width = few.shape[:2]
    known = np.unique(few[few[..., 3] > 0][:, :3], axis=0).astype(int)
    paths = list(_PATH.finditer(written))
    if len(paths) != written.count("<path"):
        raise EngineError(
            say("The tracer wrote a path of an unknown form.", "描摹程序写出了未知形式的路径。"),
            hint="pip install 'vtracer==0.6.15'",
        )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">'
    ]
    for each in paths:
        move = f' transform="{each["move"]}"' if each["move"] else ""
        away = ((known - [*bytes.fromhex(each["fill"][1:])]) ** 2).sum(-1)
        red, green, blue = known[away.argmin()]
        fill = f"#{red:02x}{green:02x}{blue:02x}"
        lines.append(f'<path d="{each["line"].strip()}" fill="{fill}"{move}/>')
    return "\n".join([*lines, "</svg>", ""])
