"""Music: scores as values, the files they come from and go to, the rhythm of words, and the models that write."""

from __future__ import annotations

from castalia.modalities.music.composers import Composers
from castalia.modalities.music.files.bars import bars
from castalia.modalities.music.files.faces import FACES, file_of
from castalia.modalities.music.files.read import melody_of, read_score, read_score_and_rest
from castalia.modalities.music.files.recognise import recognise
from castalia.modalities.music.files.soundfont import find_soundfont
from castalia.modalities.music.files.write_abc import write_abc
from castalia.modalities.music.harmony.chords import chord_of
from castalia.modalities.music.harmony.sheet import place_chords, read_sheet, write_sheet
from castalia.modalities.music.hear.melody import Heard, hear
from castalia.modalities.music.hear.recording import EXTENSIONS as RECORDED
from castalia.modalities.music.modality import compose
from castalia.modalities.music.setting import Pace, SetStanza, grid_of, set_stanza, sung_to
from castalia.modalities.music.tell import EXPLAINED, explanation_file, tell
from castalia.modalities.music.tunes.explain import explain as explain_tune
from castalia.modalities.music.tunes.model import TuneModel
from castalia.modalities.music.voices.explain import explain as explain_voices
from castalia.modalities.music.voices.model import ChoraleModel

__all__ = [
    "EXPLAINED",
    "FACES",
    "RECORDED",
    "ChoraleModel",
    "Composers",
    "Heard",
    "Pace",
    "SetStanza",
    "TuneModel",
    "bars",
    "chord_of",
    "compose",
    "explain_tune",
    "explain_voices",
    "explanation_file",
    "file_of",
    "find_soundfont",
    "grid_of",
    "hear",
    "melody_of",
    "place_chords",
    "read_score",
    "read_score_and_rest",
    "read_sheet",
    "recognise",
    "set_stanza",
    "sung_to",
    "tell",
    "write_abc",
    "write_sheet",
]
