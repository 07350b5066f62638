"""A picture, and pictures to make, as steps of a plan: drawn from words, painted, enlarged, repeated, cut out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from castalia.core import png
from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.value import Value

MOST_PIXELS = 64_000_000
"""Of one picture; a larger one could not be marked."""


def _bytes(given: object) -> object:
    return base64.b64decode(given, validate=True) if isinstance(given, str) else given


def _plain(content: bytes) -> bytes:
    height, width, _ = png.size(content)
    if height * width > MOST_PIXELS:
        raise ValueError(f"at most {MOST_PIXELS} pixels")
    return content


class Cell(Value):
    """Where one of several pictures lies in a larger one, pixels."""

    name: str
    """What it shows."""
    left: int
    top: int
    width: int
    height: int


class Sheet(Value):
    """What lies where in a picture that holds several: a set, or the frames of an animation."""

    cells: tuple[Cell, ...]
    milliseconds: int = 0
    """How long each is shown, one after the other; 0 where they are no frames."""


class Picture(Value):
    """Pixels, exact; in JSON they are base64. Two pictures are equal when every pixel is."""

    png: Annotated[
        bytes,
        Field(repr=False),
        BeforeValidator(_bytes),
        AfterValidator(_plain),
        PlainSerializer(lambda content: base64.b64encode(content).decode(), when_used="json"),
    ]
    """As `core.png` writes it: RGB, or RGB with alpha, 8 bits a channel."""
    described: str = ""
    """The words that it was made from, or what is known of it."""
    made_by: Literal["model", "person"] = "model"
    """Who made what is seen; `person` too where a model changed a person's picture."""
    sheet: Sheet | None = None
    """Of a picture that holds several."""

    @classmethod
    def of(
        cls,
        pixels: NDArray[np.uint8],
        described: str = "",
        *,
        made_by: Literal["model", "person"] = "model",
        sheet: Sheet | None = None,
    ) -> Self:
        """A picture of pixels.

        Args:
            pixels: Shape (height, width, 3 or 4), sRGB, alpha not multiplied in.
            described: See the field.
            made_by: See the field.
            sheet: See the field.

        Raises:
            UsageError: it has more than `MOST_PIXELS`.
        """
        height, width = pixels.shape[:2]
        if height * width > MOST_PIXELS:
            raise UsageError(
                say(
                    "A picture of {w} × {h} pixels is too large: at most {n} megapixels.",
                    "{w} × {h} 像素的图片过大：最多 {n} 百万像素。",
                    w=width,
                    h=height,
                    n=MOST_PIXELS // 1_000_000,
                ),
                hint=say("Start from a smaller picture, or enlarge it less.", "请用较小的图片，或减小放大倍数。"),
            )
        return cls(png=png.encode(pixels), described=described, made_by=made_by, sheet=sheet)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """A fresh array (height, width, 3 or 4), decoded at each call: 0.1 s for 12 megapixels.

        Raises:
            ValueError: the data are damaged.
        """
        return png.decode(self.png)

    @property
    def width(self) -> int:
        """Pixels."""
        return png.size(self.png)[1]

    @property
    def height(self) -> int:
        """Pixels."""
        return png.size(self.png)[0]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Picture):
            return False
        if (self.described, self.made_by, self.sheet) != (other.described, other.made_by, other.sheet):
            return False
        if self.png == other.png:
            return True
        # Two builds of zlib may code the same pixels differently.
        return png.size(self.png) == png.size(other.png) and np.array_equal(self.pixels, other.pixels)

    def __hash__(self) -> int:
        return hash((png.size(self.png), self.described))


@dataclass(frozen=True)
class DrawStep:
    """One node of a plan: a picture to draw from words."""

    name: str
    words: str
    """What is to be seen."""
    size: int = 0
    """Pixels a side, 64 to 2048; 0 leaves it to the model."""
    style: str = ""
    """A look that the model was taught; empty leaves it to the model."""


@dataclass(frozen=True)
class PaintStep:
    """One node of a plan: a picture to paint anew in a style."""

    name: str
    picture: Picture
    """What is to be seen; its alpha is kept."""
    style: str | Picture
    """How: a style by its name, or a picture that is painted so."""
    strength: float = 1.0
    """From 0, hardly changed, to 1, as much of the style as there is."""
    keep_colours: bool = False
    """Whether the colours stay and only light and dark are painted."""
    mask: Picture | None = None
    """Where it may change, as large as the picture; None everywhere."""


@dataclass(frozen=True)
class EnlargeStep:
    """One node of a plan: a picture to enlarge."""

    name: str
    picture: Picture
    factor: Literal[2, 4] = 4
    """How many times wider and higher."""
    kind: Literal["photo", "drawing", "fast"] = "photo"
    """What it shows, which decides about the model; `fast` takes either, a tenth of the time, and is smoother."""
    enough: int = 0
    """Pixels of the shorter side from which the picture is left as it is; 0 enlarges any."""


@dataclass(frozen=True)
class PatternStep:
    """One node of a plan: a tile that repeats without a seam."""

    name: str
    picture: Picture
    """What is repeated: a picture whose sides are folded over each other, or with alpha a motif."""
    ground: tuple[int, int, int] = (255, 255, 255)
    """sRGB between motifs."""


@dataclass(frozen=True)
class CutOutStep:
    """One node of a plan: a subject without its plain ground."""

    name: str
    picture: Picture


@dataclass(frozen=True)
class RedrawStep:
    """One node of a plan: a picture drawn again from the same words, near to what it was or far from it."""

    name: str
    picture: Picture
    words: str
    """What is to be seen."""
    style: str = ""
    """See `DrawStep`."""
    strength: float = 0.5
    """From 0, as near as the model comes to it, to 1, as if it had not been seen."""
    mask: Picture | None = None
    """Where it may change, as large as the picture; None everywhere."""


@dataclass(frozen=True)
class MixStep:
    """One node of a plan: a picture between two others."""

    name: str
    pictures: tuple[Picture, Picture]
    words: tuple[str, str]
    """What is to be seen on each."""
    style: str = ""
    """See `DrawStep`."""
    share: float = 0.5
    """Of the second picture, 0 to 1."""


@dataclass(frozen=True)
class DirectStep:
    """One node of a plan: a picture moved along a direction that was found in the model, such as taller."""

    name: str
    picture: Picture
    words: str
    """What is to be seen."""
    direction: str
    """A name that the model's card lists, English or Chinese."""
    style: str = ""
    """See `DrawStep`."""
    amount: float = 1.0
    """How far, in deviations of the noise; below 0 the other way."""
    mask: Picture | None = None
    """Where it may change, as large as the picture; None everywhere."""


@dataclass(frozen=True)
class StickerStep:
    """One node of a plan: a subject without its plain ground, in the middle of a square, as large as others look."""

    name: str
    picture: Picture
    side: int = 256
    """Pixels."""
    rim: bool = True
    """Whether it has a white rim, as if it were cut out of paper."""


@dataclass(frozen=True)
class SheetStep:
    """One node of a plan: several pictures side by side in one."""

    name: str
    pictures: tuple[Picture, ...]
    """Of any sizes; each is made to fit its cell."""
    side: int = 256
    """Pixels of a cell."""
    gap: int = 0
    """Pixels between cells, and around them."""
    ground: tuple[int, int, int] | None = None
    """sRGB behind them; None leaves it clear."""
    milliseconds: int = 0
    """See `Sheet`."""


Proportion = Literal["book", "album", "post", "story"]
"""2:3, 1:1, 16:9 and 9:16, wide to high."""


@dataclass(frozen=True)
class CoverStep:
    """One node of a plan: a title, and what else is to be read, typeset over a picture."""

    name: str
    picture: Picture
    title: str
    subtitle: str = ""
    author: str = ""
    proportion: Proportion = "book"
    layout: Literal["", "poster", "block", "full"] = ""
    """The subject on a ground of its colours, the picture above a block of colour, or the picture under all; empty
    leaves it to the picture."""


PictureStep = (
    DrawStep
    | PaintStep
    | EnlargeStep
    | PatternStep
    | CutOutStep
    | RedrawStep
    | MixStep
    | DirectStep
    | StickerStep
    | SheetStep
    | CoverStep
)
SettledStep = PaintStep | EnlargeStep | PatternStep | CutOutStep | MixStep | DirectStep | SheetStep | CoverStep
"""One that leaves nothing to its seed."""
DrawnStep = DrawStep | RedrawStep | MixStep | DirectStep
"""Steps that ask a model which draws from words."""
PictureStepMaker = Callable[[Mapping[str, str]], PictureStep]
"""Makes a step from what the steps before it wrote, by name: texts as they are, scores and pictures as JSON."""
