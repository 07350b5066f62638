"""Music: scores as values, the files they are read from and written to, and the model that writes four voices."""

from __future__ import annotations

from castalia.modalities.music.faces import FACES, file_of
from castalia.modalities.music.modality import compose
from castalia.modalities.music.model import ChoraleModel
from castalia.modalities.music.read import melody_of, read_score
from castalia.modalities.music.soundfont import find_soundfont
from castalia.modalities.music.write_abc import write_abc

__all__ = [
    "FACES",
    "ChoraleModel",
    "compose",
    "file_of",
    "find_soundfont",
    "melody_of",
    "read_score",
    "write_abc",
]
