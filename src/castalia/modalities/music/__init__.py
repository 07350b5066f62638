"""Music: scores as values, and the files they are read from and written to."""

from __future__ import annotations

from castalia.modalities.music.modality import compose
from castalia.modalities.music.model import ChoraleModel

__all__ = ["ChoraleModel", "compose"]
