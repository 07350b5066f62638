"""A trained picture model: a folder with its weights, its words and its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
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
from castalia.modalities.image.draw.layers import Floats
from castalia.modalities.image.draw.network import Network
from castalia.modalities.image.draw.words import Reading, Vocabulary

Pixels = NDArray[np.uint8]
PARTS = ("weights.safetensors", "words.json", "card.json")


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

    @cached_property
    def digest(self) -> str:
        """SHA-256 over its files, in the order of `PARTS`."""
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
        named = set(reading.known) & set(self.styles)
        style = style or ("" if named or not self.styles else self.styles[0])
        added = self.vocabulary.read(style) if style else Reading((), (), ())
        return Reading((*reading.numbers, *added.numbers), (*reading.known, *added.known), reading.unknown)

    def draw(self, words: str, style: str, seed: int, size: int) -> Pixels:
        """See `Drawer.draw`."""
        reading = self.read(words, style)
        network = self.network
        return resized(network.pixels(network.latents(network.begun(reading.numbers, self.noise(seed)))), size)

    def noise(self, seed: int) -> Floats:
        """The noise of a seed (noise,)."""
        return np.random.default_rng(seed).standard_normal(self.network.noise, np.float32)


def resized(pixels: Pixels, size: int) -> Pixels:
    """A square picture with another side, by Lanczos' filter."""
    if len(pixels) == size:
        return pixels
    return np.array(Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS))
