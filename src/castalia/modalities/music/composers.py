"""The models that write music, each loaded when it is first needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from castalia.modalities.music.folder import ModelFolder
from castalia.modalities.music.harmony.model import ChordModel
from castalia.modalities.music.tunes.model import TuneModel
from castalia.modalities.music.voices.model import ChoraleModel


class Composers:
    """See the module.

    Args:
        named: Folder of a trained model, which takes the place of the shipped one of its kind; None keeps those.
    """

    def __init__(self, named: Path | None = None) -> None:
        self._named = named

    @cached_property
    def voices(self) -> ChoraleModel:
        """Writes four voices."""
        return ChoraleModel(self._named) if self._named and self._kind == "chorale" else ChoraleModel.default()

    @cached_property
    def chords(self) -> ChordModel:
        """Finds and draws chords."""
        return ChordModel.default()

    @cached_property
    def tunes(self) -> TuneModel:
        """Writes melodies."""
        return TuneModel(self._named) if self._named and self._kind == "tune" else TuneModel.default()

    @cached_property
    def _kind(self) -> str:
        return ModelFolder(self._named).kind if self._named else ""
