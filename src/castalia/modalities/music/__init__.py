"""Music: scores as values, the files they are read from and written to, and the model that writes four voices."""

from __future__ import annotations

from castalia.modalities.music.composers import Composers
from castalia.modalities.music.files.bars import bars
from castalia.modalities.music.files.faces import FACES, file_of
from castalia.modalities.music.files.read import melody_of, read_score
from castalia.modalities.music.files.soundfont import find_soundfont
from castalia.modalities.music.files.write_abc import write_abc
from castalia.modalities.music.harmony.chords import chord_of
from castalia.modalities.music.harmony.sheet import place_chords, read_sheet, write_sheet
from castalia.modalities.music.modality import compose
from castalia.modalities.music.voices.model import ChoraleModel

__all__ = [
    "FACES",
    "ChoraleModel",
    "Composers",
    "bars",
    "chord_of",
    "compose",
    "file_of",
    "find_soundfont",
    "melody_of",
    "place_chords",
    "read_score",
    "read_sheet",
    "write_abc",
    "write_sheet",
]
