"""The networks that paint: one that knows 26 styles, and one that takes its style from a picture.

Dumoulin, Shlens and Kudlur 2017, "A learned representation for artistic style" (conditional instance normalisation, 26
styles); Ghiasi et al. 2017, "Exploring the structure of a real-time, arbitrary neural artistic stylization network"
(a style is a vector of 100 numbers). Both are convolutions and normalisations over the whole picture, so they take any
size; a picture is never cut into tiles, for each tile would be normalised by itself and show.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia import models
from castalia.engines.onnx_runtime import session
from castalia.modalities.image.oklab import Pixels

NETWORK = "style"
"""Name in the catalogue."""
STYLES = 26
"""That the first network knows."""
_STEP = 4
"""Both networks halve a picture twice."""
_SIDE = 256
"""Pixels of the square in which a style picture is looked at."""
_FIXED, _FREE = bytes.fromhex("0a03088003"), (bytes.fromhex("0a03120168"), bytes.fromhex("0a03120177"))
"""A dimension of 384 in an ONNX file, and dimensions named `h` and `w`, as protocol buffers of one length."""

Vector = NDArray[np.float32]


def trained(pixels: Pixels, style: int) -> Pixels:
    """A picture in one of 26 trained styles.

    Args:
        pixels: (height, width, 3), at least 4 pixels a side.
        style: 0 … 25.

    Raises:
        MissingError: the runtime or the network is not installed.
    """
    weights = np.zeros(STYLES, np.float32)
    weights[style] = 1
    image = _padded(pixels).transpose(2, 0, 1)[None]  # (1, 3, height, width)
    (out,) = _session("styles.onnx").run(None, {"image": np.ascontiguousarray(image), "style_weights": weights})
    return _levels(out[0].transpose(1, 2, 0), pixels)


def style_vector(pixels: Pixels) -> Vector:
    """The style of a picture's middle square, (1, 1, 1, 100).

    Raises:
        MissingError: the runtime or the network is not installed.
    """
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(pixels[top : top + side, left : left + side])
    small = np.asarray(square.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float32) / 255
    network = _session("predict.onnx")
    (vector,) = network.run(None, {network.get_inputs()[0].name: small[None]})
    return vector


def transferred(pixels: Pixels, vector: Vector) -> Pixels:
    """A picture in the style that a vector stands for.

    Args:
        pixels: (height, width, 3), at least 4 pixels a side.
        vector: (1, 1, 1, 100), of `style_vector`, or a mean of several.

    Raises:
        MissingError: the runtime or the network is not installed.
    """
    network = _session("transform.onnx")
    image, style = (each.name for each in network.get_inputs())
    (out,) = network.run(None, {image: _padded(pixels)[None], style: vector})
    return _levels(out[0], pixels)


def _padded(pixels: Pixels) -> NDArray[np.float32]:
    """0 … 1, mirrored at the far sides to multiples of four pixels."""
    height, width = pixels.shape[:2]
    sides = ((0, -height % _STEP), (0, -width % _STEP), (0, 0))
    return np.pad((pixels / 255).astype(np.float32), sides, mode="reflect")


def _levels(out: NDArray[np.float32], like: Pixels) -> Pixels:
    height, width = like.shape[:2]
    return (np.clip(out[:height, :width], 0, 1) * 255 + 0.5).astype(np.uint8)


@cache
def _session(name: str) -> Any:  # noqa: ANN401 - onnxruntime has no types
    graph = models.network_files(NETWORK)[name].read_bytes()
    if name == "transform.onnx":
        graph = of_any_size(graph)
    return session(graph, extra="pictures")


def of_any_size(graph: bytes) -> bytes:
    """An ONNX file whose picture is said to be 384 × 384 pixels, saying instead that it may be of any size.

    Nothing in the graph itself asks for that size; only the declared shapes of its input and output do.
    """
    pieces = graph.split(_FIXED)
    free = [_FREE[number % 2] for number in range(len(pieces) - 1)]
    return b"".join(piece + put for piece, put in zip(pieces, [*free, b""], strict=True))
