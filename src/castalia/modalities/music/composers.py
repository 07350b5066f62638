"""The models that write music, each loaded when it is first needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from castalia.modalities.music.harmony.model import ChordModel
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
        return ChoraleModel(self._named) if self._named else ChoraleModel.default()

    @cached_property
    def chords(self) -> ChordModel:
        """Finds and draws chords."""
        return ChordModel.default()
