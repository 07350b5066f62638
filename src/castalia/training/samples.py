"""What a network that is being trained writes: eight bars with a seed that stays the same, to hear how it comes on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from castalia.core.files import write_atomic
from castalia.core.values import Brief
from castalia.genres.chorale import GENRE as CHORALE
from castalia.genres.chorale import ChoraleFields
from castalia.genres.melody import GENRE as MELODY
from castalia.genres.melody import MelodyFields
from castalia.modalities.music import Composers, compose, file_of, find_soundfont

SEED, BARS = 7, 8


def write_sample(kind: str, export: Callable[[Path], None], path: Path) -> None:
    """Have a network write as the studio would, without its critic and its rules; no chance of the run is drawn.

    Args:
        kind: `chorale` or `tune`.
        export: Puts the network into a folder, as a model.
        path: Of the MIDI file.
    """
    genre: Any = MELODY if kind == "tune" else CHORALE
    fields = MelodyFields(bars=BARS, key="D major") if kind == "tune" else ChoraleFields(bars=BARS, key="G major")
    brief = Brief(genre=genre.name, words=f"Sample, {path.stem}", fields=fields, seed=SEED)
    folder = Path(tempfile.mkdtemp(prefix="castalia-sample-"))
    try:
        export(folder)
        draft = compose(brief, genre.plan(brief), Composers(folder), genre.assemble)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert draft.content.score is not None
    write_atomic(path, file_of(draft.content.score, "mid", soundfont=find_soundfont()))
