"""Painting: a picture in a style."""

from castalia.modalities.image.paint.networks import NETWORK
from castalia.modalities.image.paint.paint import LEAST, paint
from castalia.modalities.image.paint.painter import StylePainter
from castalia.modalities.image.paint.styles import Style, style_in, style_named, styles

__all__ = ["LEAST", "NETWORK", "Style", "StylePainter", "paint", "style_in", "style_named", "styles"]
