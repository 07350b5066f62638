"""Patterns: tiles that repeat without a seam."""

from castalia.modalities.image.pattern.motif import half_drop
from castalia.modalities.image.pattern.seamless import LEAST, LONGEST, closed_cut, seam, seamless

__all__ = ["LEAST", "LONGEST", "closed_cut", "half_drop", "seam", "seamless"]
