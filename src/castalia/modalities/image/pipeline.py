"""A pipeline that others trained, in a folder of the user's or behind an endpoint, as a drawer.

It takes any words and any style, and draws large; what it learned from is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia.core.errors import EngineError, UsageError
from castalia.core.explained_picture import PictureExplanation
from castalia.core.language import say
from castalia.core.picture import DirectStep, DrawnStep, MixStep, Picture, RedrawStep
from castalia.modalities.image.matte import laid_on
from castalia.modalities.image.read import read_picture

Pixels = NDArray[np.uint8]
_SIDES = (64, 2048)
"""Pixels a side, least and most."""
_ALIKE = 0.1
"""By how much width to height may differ, where an engine rounds sides, and be stretched back."""


class PictureEngine(Protocol):
    """Weights that draw, in a process of their own or behind an endpoint; what they answer is read with care."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str:
        """SHA-256 of the weights, or `<url>#<model>` for an endpoint."""
        ...

    @property
    def build(self) -> str:
        """Engine and version, and what else a picture depends on."""
        ...

    @property
    def side(self) -> int:
        """Pixels a side that it draws unless another size is asked for."""
        ...

    def draw(self, words: str, *, seed: int, side: int) -> bytes:
        """A picture file of about `side` pixels a side."""
        ...

    def redraw(self, words: str, png: bytes, *, strength: float, seed: int) -> bytes:
        """Likewise, from a picture, of about its shape: strength 0 keeps it, 1 forgets it."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class Pipeline:
    """Draws with an engine; see `Drawer`."""

    def __init__(self, engine: PictureEngine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        """The engine's model."""
        return self._engine.name

    @property
    def digest(self) -> str:
        """See `PictureEngine`."""
        return self._engine.digest

    @property
    def build(self) -> str:
        """See `PictureEngine`."""
        return self._engine.build

    def draw(self, words: str, style: str, seed: int, size: int) -> Pixels:
        """See `Drawer.draw`: in the engine's own size at least, made smaller where less was asked for."""
        side = max(size, self._engine.side)
        return self._read(self._engine.draw(_prompt(words, style), seed=seed, side=side), size)

    def redraw(self, step: RedrawStep, seed: int) -> Pixels:
        """See `Drawer.redraw`: as wide and high as the given picture."""
        size = min(max(step.picture.width, step.picture.height, _SIDES[0]), _SIDES[1])
        given = Picture.of(_scaled(laid_on(step.picture.pixels), self._engine.side)).png
        words = _prompt(step.words, step.style)
        made = self._read(self._engine.redraw(words, given, strength=step.strength, seed=seed), size)
        height, width = _scaled(step.picture.pixels, size).shape[:2]
        if abs(made.shape[1] / made.shape[0] / (width / height) - 1) < _ALIKE:
            return _resized(made, width, height)
        return made

    def mix(self, step: MixStep) -> Pixels:
        """See `Drawer.mix`; not to be had here."""
        del step
        self._cannot(say("mix pictures", "混合图片"))

    def direct(self, step: DirectStep) -> Pixels:
        """See `Drawer.direct`; not to be had here."""
        del step
        self._cannot(say("move a picture along a direction", "沿方向改变图片"))

    def filled_from(self, step: DrawnStep, seed: int) -> str:
        """See `Drawer.filled_from`: nothing that is known here."""
        del step, seed
        return ""

    def missed(self, step: DrawnStep, seed: int) -> Sequence[str]:
        """See `Drawer.missed`: nothing that is known here."""
        del step, seed
        return ()

    def explain(self, step: DrawnStep, seed: int, work: Picture) -> PictureExplanation:
        """See `Drawer.explain`; not to be had here."""
        del step, seed, work
        self._cannot(say("explain pictures", "解释图片"))

    def known(self) -> Mapping[str, Sequence[str]]:
        """See `Drawer.known`: no list of words, since it takes any."""
        return {"words": (), "styles": (), "directions": ()}

    def unknown(self, words: str) -> None:
        """See `Drawer.unknown`: nobody here can tell."""
        del words

    def agreement(self, words: str, style: str, pixels: Pixels) -> None:
        """See `Drawer.agreement`: nobody here can tell."""
        del words, style, pixels

    def nearest(self, pixels: Pixels) -> None:
        """See `Drawer.nearest`: what it learned is not known here."""
        del pixels

    def close(self) -> None:
        """Free the engine."""
        self._engine.close()

    def _read(self, content: bytes, size: int) -> Pixels:
        """The engine's answer, read as a stranger's file; `size` pixels on its longer side, 0 as it is."""
        try:
            pixels = read_picture(content, say("that {name} drew", "{name} 所画", name=self.name)).pixels
        except UsageError as error:
            raise EngineError(error.message, hint=say("Draw it again.", "请重画。"), retryable=True) from error
        return _scaled(pixels, size) if size else pixels

    def _cannot(self, what: str) -> NoReturn:
        raise UsageError(
            say("{name} cannot {what}.", "{name} 不能{what}。", name=self.name, what=what),
            hint=say(
                "Models of `castalia train image` can, and the one that comes along: leave image_model empty.",
                "用 `castalia train image` 训练的模型和自带模型可以：请将 image_model 留空。",
            ),
        )


def _prompt(words: str, style: str) -> str:
    return f"{words}, {style}" if style else words


def _scaled(pixels: Pixels, longer: int) -> Pixels:
    """A picture with another longer side, pixels."""
    height, width = pixels.shape[:2]
    scale = longer / max(height, width)
    return _resized(pixels, max(round(width * scale), 1), max(round(height * scale), 1))


def _resized(pixels: Pixels, width: int, height: int) -> Pixels:
    if pixels.shape[:2] == (height, width):
        return pixels
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS))
