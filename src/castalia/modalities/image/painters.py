"""The models that make pictures, each loaded when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from castalia import __version__
from castalia.core.explained_picture import PictureExplanation
from castalia.core.picture import DirectStep, DrawnStep, MixStep, Picture, RedrawStep
from castalia.core.ports import Progress
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.enlarge import RealEsrgan
from castalia.modalities.image.paint import StylePainter

Pixels = NDArray[np.uint8]
"""Shape (height, width, 3): sRGB."""


class Model(Protocol):
    """Weights, or an exact method, that make pictures."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str:
        """SHA-256 of the weights; of a method without weights empty."""
        ...

    @property
    def build(self) -> str:
        """Engine and version."""
        ...


@dataclass(frozen=True)
class Method:
    """A method without weights, as a model."""

    name: str
    digest: str = ""
    build: str = f"castalia {__version__}"


class Drawer(Model, Protocol):
    """Draws from words."""

    def draw(self, words: str, style: str, seed: int, size: int) -> Pixels:
        """A picture of `size` pixels a side; with alpha it may have four channels.

        Args:
            words: What is to be seen.
            style: A look that the model was taught; empty leaves it to the model.
            seed: Same words, style, seed and size, same picture.
            size: Pixels, 64 to 512.

        Raises:
            UsageError: the model was not taught that style, or knows none of the words.
        """
        ...

    def redraw(self, step: RedrawStep, seed: int) -> Pixels:
        """A picture drawn again; raises `UsageError` as `draw` does."""
        ...

    def mix(self, step: MixStep) -> Pixels:
        """A picture between two others; raises `UsageError` as `draw` does."""
        ...

    def direct(self, step: DirectStep) -> Pixels:
        """A picture moved along a direction; raises `UsageError` as `draw` does, and where it has no such direction."""
        ...

    def filled_from(self, step: DrawnStep, seed: int) -> str:
        """The learned picture whose name fills in what the words leave open; empty where there is none."""
        ...

    def explain(self, step: DrawnStep, seed: int, work: Picture) -> PictureExplanation:
        """Why the picture that it made of a step is as it is; raises `UsageError` as `draw` does."""
        ...

    def known(self) -> Mapping[str, Sequence[str]]:
        """What it was taught: `words`, `styles` and `directions`."""
        ...

    def unknown(self, words: str) -> Sequence[str]:
        """The words that say nothing to the model."""
        ...

    def nearest(self, pixels: Pixels) -> tuple[str, float]:
        """The picture that was learned and is most like this one: its name, and how far it is, levels of 255."""
        ...


class Painter(Model, Protocol):
    """Paints a picture anew in a style."""

    def paint(
        self,
        content: Pixels,
        style: str | Pixels,
        *,
        strength: float,
        keep_colours: bool,
    ) -> Pixels:
        """The content in the style, in its own size; see `PaintStep`.

        Raises:
            UsageError: there is no style of that name.
        """
        ...


class Enlarger(Model, Protocol):
    """Enlarges pictures."""

    def enlarge(
        self,
        pixels: Pixels,
        factor: Literal[2, 4],
        kind: Literal["photo", "drawing", "fast"],
        progress: Progress | None = None,
    ) -> Pixels:
        """The same picture, `factor` times wider and higher; see `EnlargeStep`. With alpha it has four channels."""
        ...


class Painters:
    """See the module.

    Args:
        named: Folder of a trained model that draws from words; None takes the one that is installed.
        drawer: A model that is loaded already, in place of that.
        painter: Likewise.
        enlarger: Likewise.
    """

    def __init__(
        self,
        named: Path | None = None,
        *,
        drawer: Drawer | None = None,
        painter: Painter | None = None,
        enlarger: Enlarger | None = None,
    ) -> None:
        self._named = named
        self._given = (drawer, painter, enlarger)

    @cached_property
    def drawer(self) -> Drawer:
        """Draws from words.

        Raises:
            MissingError: no such model is installed.
        """
        if self._given[0] is not None:
            return self._given[0]
        return DrawingModel(self._named) if self._named else DrawingModel.default()

    @cached_property
    def painter(self) -> Painter:
        """Paints in a style."""
        return self._given[1] or StylePainter()

    @cached_property
    def enlarger(self) -> Enlarger:
        """Enlarges."""
        return self._given[2] or RealEsrgan()
