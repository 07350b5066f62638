"""Cutting a subject out of a plain ground."""

from castalia.modalities.image.cut_out.cut_out import LEAST_CONFIDENCE, CutOut, cut_out, reached
from castalia.modalities.image.cut_out.ground import Ground, ground_of

__all__ = ["LEAST_CONFIDENCE", "CutOut", "Ground", "cut_out", "ground_of", "reached"]
