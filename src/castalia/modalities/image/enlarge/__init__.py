"""Enlarging: more pixels, with detail that was not there."""

from castalia.modalities.image.enlarge.enlarge import AROUND, TILE, enlarge
from castalia.modalities.image.enlarge.enlarger import RealEsrgan
from castalia.modalities.image.enlarge.network import NETWORK, Kind, four_times

__all__ = ["AROUND", "NETWORK", "TILE", "Kind", "RealEsrgan", "enlarge", "four_times"]
