"""A trained picture model: a folder with its weights, its words and its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia.core.errors import MissingError, UsageError
from castalia.core.language import say
from castalia.core.picture import DirectStep, MixStep, Picture, RedrawStep
from castalia.modalities.image.draw.layers import Floats
from castalia.modalities.image.draw.network import Network
from castalia.modalities.image.draw.words import COLOURS, Reading, Vocabulary
from castalia.modalities.image.recolour import COLOURS as RECOLOURED
from castalia.modalities.image.recolour import coloured

Pixels = NDArray[np.uint8]
_SHAKEN = 0.05
"""Deviations by which chance moves a code: enough to tell seeds apart, little enough to be drawn cleanly."""
USUAL, LARGEST = 128, 512
"""Pixels a side where none are asked for, and at most: its networks draw smaller, and more would be seen to be soft."""
PARTS = ("weights.safetensors", "words.json", "learned.npz", "card.json")


@dataclass(frozen=True)
class Direction:
    """A direction of codes along which pictures change in one way.

    Attributes:
        name: What it does, in English.
        chinese: The same.
        vector: What is added to a code (words,), as far as a deviation goes.
    """

    name: str
    chinese: str
    vector: Floats


@dataclass(frozen=True)
class _Filled:
    """What is to be drawn.

    Attributes:
        numbers: Of words: those that were said, and what they left open.
        colours: That were said, of something which was not learned so.
    """

    numbers: Sequence[int]
    colours: Sequence[str]


class DrawingModel:
    """Draws from words; see `Drawer`.

    Args:
        path: Holds the files of `PARTS`.

    Raises:
        MissingError: a file is not there.
    """

    def __init__(self, path: Path) -> None:
        missing = [name for name in PARTS if not (path / name).is_file()]
        if missing:
            raise MissingError(
                say(
                    "{folder} is no picture model: {names} missing.",
                    "{folder} 不是图片模型：缺少 {names}。",
                    folder=path,
                    names=", ".join(missing),
                ),
                hint="castalia train image --collection NAME",
            )
        self.path = path
        self.card: Mapping[str, Any] = json.loads((path / "card.json").read_text(encoding="utf-8"))
        words: Mapping[str, Any] = json.loads((path / "words.json").read_text(encoding="utf-8"))
        self.vocabulary = Vocabulary(words["words"], words["aliases"])

    @staticmethod
    def default() -> DrawingModel:
        """The one that comes with the program."""
        return DrawingModel(Path(str(files("castalia") / "data" / "image" / "emoji")))

    @property
    def name(self) -> str:
        """As its card says."""
        return str(self.card["name"])

    @property
    def digest(self) -> str:
        """SHA-256 over its files, in the order of `PARTS`."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        whole = hashlib.sha256()
        for name in PARTS:
            whole.update((self.path / name).read_bytes())
        return whole.hexdigest()

    @property
    def build(self) -> str:
        """Engine and version."""
        return f"numpy {np.__version__}"

    @property
    def styles(self) -> Sequence[str]:
        """What its collection calls its manners, the first the one that is taken where none is said."""
        return self.card["styles"]

    @cached_property
    def network(self) -> Network:
        """Its networks."""
        load: Any = import_module("safetensors.numpy").load_file
        return Network(load(self.path / "weights.safetensors"), self.card["recipe"]["size"])

    def read(self, words: str, style: str = "") -> Reading:
        """The words as the model reads them, the style among the known.

        Raises:
            UsageError: it knows none of the words, or not that style.
        """
        if style and style not in self.styles:
            raise UsageError(
                say("The picture model knows no style {style!r}.", "图片模型没有风格 {style!r}。", style=style),
                hint=say("Use one of: {names}.", "可用：{names}。", names=", ".join(self.styles) or "–"),
            )
        reading = self.vocabulary.read(words)
        if not reading.numbers:
            raise UsageError(
                say(
                    "The picture model knows none of these words: {words}.",
                    "图片模型不认识这些词：{words}。",
                    words=words[:200],
                ),
                hint=say(
                    "It draws what it was taught: `castalia models words` lists it; "
                    "`castalia train image` teaches it your own pictures.",
                    "它只画学过的内容：`castalia models words` 会列出；可用 `castalia train image` 教它您自己的图片。",
                ),
            )
        named = any(set(self.vocabulary.read(each).numbers) <= set(reading.numbers) for each in self.styles)
        style = style or ("" if named or not self.styles else self.styles[0])
        added = self.vocabulary.read(style) if style else Reading((), (), ())
        return Reading((*reading.numbers, *added.numbers), (*reading.known, *added.known), reading.unknown)

    def known(self) -> Mapping[str, Sequence[str]]:
        """See `Drawer.known`."""
        directions = [f"{each.name} ({each.chinese})" for each in self.directions]
        return {"words": self.vocabulary.words, "styles": self.styles, "directions": directions}

    def unknown(self, words: str) -> Sequence[str]:
        """See `Drawer.unknown`."""
        return self.vocabulary.read(words).unknown

    def nearest(self, pixels: Pixels) -> tuple[str, float]:
        """See `Drawer.nearest`: the mean difference of fields, of which a picture has 8 × 8."""
        names, thumbnails, _ = self._learned
        side = thumbnails.shape[1]
        seen = np.array(Image.fromarray(pixels[..., :3]).resize((side, side), Image.Resampling.BOX), np.float32)
        far = np.abs(thumbnails - seen).mean((1, 2, 3))
        return names[int(far.argmin())], float(far.min())

    @cached_property
    def _learned(self) -> tuple[Sequence[str], Floats, NDArray[np.uint16]]:
        """Of each picture that was learned: its file's name, its thumbnail, the numbers of its name's words."""
        with np.load(self.path / "learned.npz", allow_pickle=False) as held:
            return [str(name) for name in held["names"]], held["thumbnails"].astype(np.float32), held["words"]

    @property
    def count(self) -> int:
        """Pictures that were learned."""
        return len(self._learned[0])

    def taught(self, at: int) -> Sequence[int]:
        """The numbers of the words that name a learned picture."""
        return [int(word) for word in self._learned[2][at] if word]

    # ---------------------------------------------------------------- drawing

    def draw(self, words: str, style: str, seed: int, size: int) -> Pixels:
        """See `Drawer.draw`: what the words leave open is taken from one of the pictures that have them all."""
        if size > LARGEST:
            raise UsageError(
                say(
                    "{name} draws at most {most} pixels a side, not {size}.",
                    "{name} 每边最多画 {most} 像素，而不是 {size}。",
                    name=self.name,
                    most=LARGEST,
                    size=size,
                ),
                hint=say(
                    "Draw it smaller, then `castalia create enlarge --picture`.",
                    "请先画小，再用 `castalia create enlarge --picture` 放大。",
                ),
            )
        rng = np.random.default_rng(seed)
        filled = self._filled(self.read(words, style).numbers, rng)
        code = self._shaken(self.network.meant(filled.numbers), _SHAKEN, rng)
        return resized(self._mended(self.drawn(filled.numbers, code), filled), size or USUAL)

    def redraw(self, step: RedrawStep, seed: int) -> Pixels:
        """See `Drawer.redraw`: the picture's code, moved towards what its words give under another seed."""
        rng = np.random.default_rng(seed)
        filled = self._filled(self.read(step.words, step.style).numbers, rng)
        own, there = self._seen(step.picture), self._shaken(self.network.meant(filled.numbers), 2 * _SHAKEN, rng)
        code = (own + step.strength * (there - own)).astype(np.float32)
        return resized(self._mended(self.drawn(filled.numbers, code), filled), _side(step.picture))

    def mix(self, step: MixStep) -> Pixels:
        """See `Drawer.mix`: between the codes of both, as the words of both say."""
        first, second = (self._seen(picture) for picture in step.pictures)
        numbers = [self.read(words, step.style).numbers for words in step.words]
        both = tuple(dict.fromkeys((*numbers[0], *numbers[1])))
        code = (first + step.share * (second - first)).astype(np.float32)
        return resized(self.drawn(both, code), max(map(_side, step.pictures)))

    def direct(self, step: DirectStep) -> Pixels:
        """See `Drawer.direct`: the picture's code, moved along the direction."""
        found = [each for each in self.directions if step.direction.strip().lower() in (each.name, each.chinese)]
        if not found:
            raise UsageError(
                say(
                    "The picture model knows no direction {name!r}.", "图片模型没有方向 {name!r}。", name=step.direction
                ),
                hint=", ".join(f"{each.name} ({each.chinese})" for each in self.directions) or "–",
            )
        code = (self._seen(step.picture) + step.amount * found[0].vector).astype(np.float32)
        return resized(self.drawn(self.read(step.words, step.style).numbers, code), _side(step.picture))

    @cached_property
    def directions(self) -> Sequence[Direction]:
        """What was found among its codes, each named by what it does."""
        return [
            Direction(each["name"], each["chinese"], np.array(each["vector"], np.float32))
            for each in self.card.get("directions", ())
        ]

    def drawn(self, words: Sequence[int], code: Floats) -> Pixels:
        """A picture (S, S, 3) from numbers of words and a code, in the network's own size."""
        return self.network.pixels(self.network.latents(words, code))

    def _filled(self, words: Sequence[int], rng: np.random.Generator) -> _Filled:
        """The words, and those of the name of a picture that was learned with all of them, which chance chooses.

        A colour may be another than that picture's; one that is called just so is taken every other time.
        """
        _, _, held = self._learned
        named = {number: each for each in COLOURS for number in self.vocabulary.read(each).numbers}
        colours = set(named).intersection(words)
        about = [word for word in words if word not in colours] or list(words)
        fits = np.flatnonzero(np.all([(held == word).any(1) for word in about], 0))
        if not len(fits):
            return _Filled(words, [named[each] for each in colours])
        plain = fits[(held[fits] > 0).sum(1) == len(about)]
        chosen = held[rng.choice(plain if len(plain) and rng.random() < 0.5 else fits)]
        added = [int(word) for word in chosen if word and not (colours and int(word) in named)]
        other = [named[each] for each in colours if each not in chosen]
        return _Filled(tuple(dict.fromkeys((*words, *added))), other)

    def _mended(self, pixels: Pixels, filled: _Filled) -> Pixels:
        """The picture in the colour that was asked for, where it was one, and the network drew it in another."""
        own = [each for each in filled.colours if each in RECOLOURED]
        return coloured(pixels, own[0]) if len(own) == 1 else pixels

    def _shaken(self, code: Floats, far: float, rng: np.random.Generator) -> Floats:
        steps: Floats = rng.standard_normal(len(code)).astype(np.float32)
        return (code + far * self.network.spread * steps).astype(np.float32)

    def _seen(self, picture: Picture) -> Floats:
        """The code of a picture."""
        square = resized(_squared(picture.pixels), self.network.side)
        return self.network.code(self.network.encoded(square))


def _side(picture: Picture) -> int:
    """Of what is made from a picture: its longer side, 64 to 512."""
    return min(max(picture.width, picture.height, 64), 512)


def _squared(pixels: Pixels) -> Pixels:
    """A picture on a white square."""
    height, width = pixels.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, np.uint8)
    y, x = (side - height) // 2, (side - width) // 2
    if pixels.shape[2] == 4:
        alpha = pixels[..., 3:] / 255
        pixels = np.round(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    square[y : y + height, x : x + width] = pixels
    return square


def resized(pixels: Pixels, size: int) -> Pixels:
    """A square picture with another side, by Lanczos' filter."""
    if len(pixels) == size:
        return pixels
    return np.array(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS))
