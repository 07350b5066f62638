"""Layers of picture networks in numpy: channels last, weights by the names of the torch modules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SLOPE = np.float32(0.2)
"""Of the leaky ReLU."""
TABLES = ("table.weight", "weight.weight")
"""How the names of weights end that are looked up."""


class Layers:
    """Weights, and what is done with them.

    Args:
        weights: By name; matrices (out, in), kernels (out, in, side, side).
    """

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._held: dict[str, Floats] = {}
        for name, values in weights.items():
            self._held[name] = _turned(values) if name.endswith(".weight") and not name.endswith(TABLES) else values

    def __getitem__(self, name: str) -> Floats:
        """An array as it is used: matrices (in, out), kernels (side · side · in, out)."""
        return self._held[name]

    def linear(self, name: str, x: Floats) -> Floats:
        """An affine map of the last axis."""
        return x @ self._held[f"{name}.weight"] + self._held[f"{name}.bias"]

    def normal(self, name: str, x: Floats) -> Floats:
        """Ba et al. (2016), "Layer normalization", equation 4."""
        centred = x - x.mean(-1, keepdims=True)
        scale = 1 / np.sqrt((centred * centred).mean(-1, keepdims=True) + np.float32(1e-5))
        return centred * scale * self._held[f"{name}.weight"] + self._held[f"{name}.bias"]

    def convolve(self, name: str, x: Floats, *, side: int = 3, stride: int = 1, edge: int | None = None) -> Floats:
        """A convolution of (height, width, in) with `edge` zeros about it: as one product of matrices."""
        edge = (side - 1) // 2 if edge is None else edge
        padded = np.pad(x, ((edge, edge), (edge, edge), (0, 0))) if edge else x
        fields = np.lib.stride_tricks.sliding_window_view(padded, (side, side), (0, 1))[::stride, ::stride]
        height, width = fields.shape[:2]
        columns = fields.transpose(0, 1, 3, 4, 2).reshape(height * width, -1)  # (places, side · side · in)
        return self.linear(name, columns).reshape(height, width, -1)

    def residual(self, name: str, x: Floats) -> Floats:
        """X + conv(act(conv(act(x))))."""
        return x + self.convolve(f"{name}.second", act(self.convolve(f"{name}.first", act(x))))

    def attend(self, name: str, x: Floats, context: Floats, heads: int) -> Floats:
        """Attention of tokens (tokens, width) to a context (given, …): Vaswani et al. (2017), section 3.2.2."""
        tokens, width = x.shape
        asked = self.linear(f"{name}.ask", x).reshape(tokens, heads, -1).transpose(1, 0, 2)
        keys, values = np.split(self.linear(f"{name}.read", context), 2, -1)
        keys = keys.reshape(len(context), heads, -1).transpose(1, 2, 0)
        values = values.reshape(len(context), heads, -1).transpose(1, 0, 2)
        scores = asked @ keys / np.float32(np.sqrt(width // heads))
        chance = np.exp(scores - scores.max(-1, keepdims=True))
        found = (chance / chance.sum(-1, keepdims=True)) @ values
        return self.linear(f"{name}.leave", found.transpose(1, 0, 2).reshape(tokens, width))


def act(x: Floats) -> Floats:
    """Leaky ReLU."""
    return np.maximum(x, SLOPE * x)


def enlarged(x: Floats) -> Floats:
    """Twice the side, each value four times (height, width, channels)."""
    return x.repeat(2, 0).repeat(2, 1)


def shuffled(x: Floats, factor: int) -> Floats:
    """Shi et al. (2016), "Real-time single image and video super-resolution …", equation 4, as torch orders it."""
    height, width, channels = x.shape
    parts = x.reshape(height, width, channels // factor**2, factor, factor)
    return parts.transpose(0, 3, 1, 4, 2).reshape(height * factor, width * factor, -1)


def unshuffled(x: Floats, factor: int) -> Floats:
    """The reverse of `shuffled`."""
    height, width, channels = x.shape
    parts = x.reshape(height // factor, factor, width // factor, factor, channels)
    return parts.transpose(0, 2, 4, 1, 3).reshape(height // factor, width // factor, -1)


def _turned(weight: Floats) -> Floats:
    if weight.ndim == 4:
        return np.ascontiguousarray(weight.transpose(2, 3, 1, 0).reshape(-1, weight.shape[0]))
    return np.ascontiguousarray(weight.T) if weight.ndim == 2 else weight
