"""The networks of a picture model in numpy; their training is `castalia.training.images`, where they are described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.image.draw.layers import Floats, Layers, act, enlarged, shuffled, unshuffled

Pixels = NDArray[np.uint8]


class Network:
    """Words and noise → tokens → latents → pixels, and pixels → latents → noise.

    Args:
        weights: See `Layers`.
        size: Fields of `castalia.training.images.network.Size`.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.generic]], size: Mapping[str, int]) -> None:
        self._layers, self._size = Layers(weights), size
        self.noise = size["noise"]
        self.side = size["side"]

    # ---------------------------------------------------------------- from words to pixels

    def begun(self, words: Sequence[int], noise: Floats) -> Floats:
        """Tokens that have read the words (tokens, width).

        Args:
            words: Numbers of words, from 1; at least one.
            noise: (noise,), standard normal where it comes from chance.
        """
        layers = self._layers
        said = layers["generator.table.weight"][list(words)]
        tokens = (self.side // 32) ** 2
        x = layers.linear("generator.begin", noise).reshape(-1, tokens).T + layers.linear("generator.mean", said.mean(0))
        for number in range(self._size["blocks"]):
            name = f"generator.blocks.{number}"
            seen = layers.normal(f"{name}.normal.0", x)
            x = x + layers.attend(f"{name}.own", seen, seen, self._size["heads"])
            x = x + layers.attend(f"{name}.said", layers.normal(f"{name}.normal.1", x), said, self._size["heads"])
            thought = act(layers.linear(f"{name}.enter", layers.normal(f"{name}.normal.2", x)))
            x = x + layers.linear(f"{name}.leave", thought)
        return x

    def latents(self, tokens: Floats) -> Floats:
        """Latents of mean 0 and deviation 1 by channel (S/8, S/8, latent)."""
        layers, side = self._layers, self.side // 32
        x = layers.convolve("generator.rise", enlarged(tokens.reshape(side, side, -1)))
        x = layers.convolve("generator.rise_again", enlarged(layers.residual("generator.middle", x)))
        for number in range(2):
            x = layers.residual(f"generator.fine.{number}", x)
        return layers.convolve("generator.leave", act(x))

    def pixels(self, latents: Floats) -> Pixels:
        """(S, S, 3)."""
        layers = self._layers
        x = layers.convolve("decoder.enter", latents * layers["deviation"] + layers["mean"])
        for number in range(2):
            x = layers.residual(f"decoder.deep.{number}", x)
        x = layers.convolve("decoder.rise", enlarged(x))
        for number in range(2):
            x = layers.residual(f"decoder.shallow.{number}", x)
        x = act(layers.convolve("decoder.fine", enlarged(layers.convolve("decoder.narrow", x, side=1))))
        made = shuffled(layers.convolve("decoder.leave", x), 2)
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

    def meant(self, latents: Floats) -> Floats:
        """The noise that would have made such latents, most likely (noise,)."""
        layers = self._layers
        x = act(layers.convolve("posterior.enter", latents, side=4, stride=2))
        x = act(layers.convolve("posterior.down", x, side=4, stride=2))
        return layers.linear("posterior.leave", x.transpose(2, 0, 1).ravel())[: self.noise]
