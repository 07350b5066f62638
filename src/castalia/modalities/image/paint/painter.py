"""The networks that paint, as one model of a studio."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from castalia import models
from castalia.modalities.image.oklab import Pixels
from castalia.modalities.image.paint.networks import NETWORK
from castalia.modalities.image.paint.paint import paint


class StylePainter:
    """See the module. It is made without weights, so that a plan can be looked at; `paint` wants them."""

    name = NETWORK

    @property
    def digest(self) -> str:
        """SHA-256 of the digests of its files."""
        return models.networks()[NETWORK].digest

    @property
    def build(self) -> str:
        """Runtime and version."""
        try:
            return f"onnxruntime {version('onnxruntime')}"
        except PackageNotFoundError:
            return "onnxruntime"

    def paint(self, content: Pixels, style: str | Pixels, *, strength: float, keep_colours: bool) -> Pixels:
        """See `paint.paint`."""
        if isinstance(style, str):
            return paint(content, style=style, strength=strength, keep_colours=keep_colours)
        return paint(content, style_picture=style, strength=strength, keep_colours=keep_colours)
