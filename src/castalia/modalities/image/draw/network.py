"""The networks of a picture model in numpy; their training is `castalia.training.images`, where they are described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.modalities.image.draw.layers import Floats, Layers, act, enlarged, shuffled, unshuffled

Pixels = NDArray[np.uint8]


class Network:
    """Words and code → latents → pixels, and pixels → latents → code.

    Args:
        weights: See `Layers`.
        size: Fields of `castalia.training.images.network.Size`.
    """

    def __init__(self, weights: Mapping[str, Floats], size: Mapping[str, int]) -> None:
        self._layers, self._size = Layers(weights), size
        self.side = size["side"]

    # ---------------------------------------------------------------- from words to pixels

    def meant(self, words: Sequence[int]) -> Floats:
        """The code that words give (words,).

        Args:
            words: Numbers of words, from 1; at least one.
        """
        return self.meant_by(np.array([words]))[0]

    def meant_by(self, sets: NDArray[np.integer]) -> Floats:
        """The codes that sets of words give (sets, words).

        Args:
            sets: Numbers of words (sets, most), 0 for none; each set has one at least.
        """
        share = np.where(sets > 0, np.exp(self._layers["generator.weight.weight"][sets, 0]), 0)[..., None]
        return (share * self._layers["generator.table.weight"][sets]).sum(1) / share.sum(1)

    @property
    def vocabulary(self) -> int:
        """How many words it knows."""
        return len(self._layers["generator.table.weight"]) - 1

    def latents(self, words: Sequence[int], code: Floats) -> Floats:
        """Latents of mean 0 and deviation 1 by channel (S/8, S/8, latent).

        Args:
            words: See `meant`.
            code: Theirs, or another that is to be drawn as they say (words,).
        """
        layers, heads, side = self._layers, self._size["heads"], self.side // 32
        said = layers["generator.table.weight"][list(words)]
        rough = (code @ layers["generator.components"]).reshape(-1, 4 * side, 4 * side).transpose(1, 2, 0)
        looked = layers.convolve("generator.look", rough, side=4, stride=4, edge=0)
        x = looked.reshape(side * side, -1) + layers["generator.places"]
        for number in range(self._size["blocks"]):
            name = f"generator.blocks.{number}"
            seen = layers.normal(f"{name}.normal.0", x)
            x = x + layers.attend(f"{name}.own", seen, seen, heads)
            x = x + layers.attend(f"{name}.said", layers.normal(f"{name}.normal.1", x), said, heads)
            thought = act(layers.linear(f"{name}.enter", layers.normal(f"{name}.normal.2", x)))
            x = x + layers.linear(f"{name}.leave", thought)
        x = layers.normal("generator.last", x).reshape(side, side, -1)
        x = layers.convolve("generator.rise", enlarged(x))
        x = layers.convolve("generator.rise_again", enlarged(layers.residual("generator.middle", x)))
        for number in range(2):
            x = layers.residual(f"generator.fine.{number}", x)
        return rough + layers.convolve("generator.leave", act(x))

    def pixels(self, latents: Floats) -> Pixels:
        """(S, S, 3).

        Raises:
            UsageError: numbers grow beyond all bounds, as they do with weights that nobody trained.
        """
        layers = self._layers
        x = layers.convolve("decoder.enter", latents * layers["deviation"] + layers["mean"])
        for number in range(2):
            x = layers.residual(f"decoder.deep.{number}", x)
        x = layers.convolve("decoder.rise", enlarged(x))
        for number in range(2):
            x = layers.residual(f"decoder.shallow.{number}", x)
        x = act(layers.convolve("decoder.fine", enlarged(layers.convolve("decoder.narrow", x, side=1))))
        made = shuffled(layers.convolve("decoder.leave", x), 2)
        if not np.isfinite(made).all():
            raise UsageError(
                say("The picture model's weights give no picture.", "图片模型的权重画不出图片。"),
                hint=say("Fetch it again, or choose another image_model.", "请重新获取，或换用其他 image_model。"),
            )
        return np.clip(np.round((made + 1) * 127.5), 0, 255).astype(np.uint8)

    # ---------------------------------------------------------------- and back

    def encoded(self, pixels: Pixels) -> Floats:
        """Latents of mean 0 and deviation 1 of a picture (S, S, 3)."""
        layers = self._layers
        x = unshuffled(pixels.astype(np.float32) / 127.5 - 1, 4)
        x = layers.residual("encoder.shallow", layers.convolve("encoder.enter", x))
        x = act(layers.residual("encoder.deep", layers.convolve("encoder.down", x, side=4, stride=2)))
        mean = layers.convolve("encoder.leave", x, side=1)[..., : self._size["latent"]]
        return (mean - layers["mean"]) / layers["deviation"]

    def code(self, latents: Floats) -> Floats:
        """The code of latents (words,): how much of each component is in them."""
        components = self._layers["generator.components"]
        return components @ latents.transpose(2, 0, 1).ravel() / np.maximum((components**2).sum(1), np.float32(1e-8))

    def first_layer(self) -> Floats:
        """What a code adds to each token, as a matrix (tokens · width, words)."""
        layers, side = self._layers, self.side // 8
        components = layers["generator.components"].reshape(-1, self._size["latent"], side, side)
        looked = [
            layers.convolve("generator.look", each.transpose(1, 2, 0), side=4, stride=4, edge=0).ravel()
            for each in components
        ]
        bias = layers.convolve(
            "generator.look", np.zeros_like(components[0]).transpose(1, 2, 0), side=4, stride=4, edge=0
        )
        return (np.stack(looked) - bias.ravel()).T

    @property
    def spread(self) -> Floats:
        """Deviation of each number of a code, over the pictures that were learned (words,)."""
        return self._layers["generator.spread"]
