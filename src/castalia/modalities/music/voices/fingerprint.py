"""Fingerprints of chorales that hold in any key and edition, to keep a test set out of a training set."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from castalia.modalities.music.voices.grid import Frames

RUN = 10
"""Successive melodic intervals in one digest."""
SKETCH = 48
"""Digests of a piece that a model's card lists: the smallest."""
SAME = 0.3
"""Share of its digests in another piece from which a piece is that piece; pieces that only share phrases stay below."""
SAME_SKETCH = 0.5
"""The same of a sketch, which is a sample."""


def fingerprint(piece: Frames) -> frozenset[str]:
    """Digests of all runs of ten intervals in alto, tenor and bass.

    Of each of these voices: pitches without rests, immediate repeats dropped, intervals in semitones, each run as text
    `<voice>:<i1>,…,<i10>` with alto 1, tenor 2, bass 3; SHA-256, first 12 hexadecimal digits. The soprano is left out,
    since many chorales share a tune.
    """
    digests: set[str] = set()
    for voice in range(1, 4):
        line = piece[piece[:, voice] > 0, voice]
        steps = np.diff(line[np.diff(line, prepend=-1) != 0]).tolist()
        for first in range(len(steps) - RUN + 1):
            text = f"{voice}:{','.join(map(str, steps[first : first + RUN]))}"
            digests.add(hashlib.sha256(text.encode()).hexdigest()[:12])
    return frozenset(digests)


def sketch(piece: Frames) -> str:
    """The smallest digests, joined by spaces: a sample of the fingerprint that is the same wherever it is taken."""
    return " ".join(sorted(fingerprint(piece))[:SKETCH])


def same_piece(piece: Frames, sketches: Sequence[str]) -> int | None:
    """Number of the piece among the sketched ones of which this one holds `SAME_SKETCH` or more, or None."""
    own = fingerprint(piece)
    for number, each in enumerate(sketches):
        digests = each.split()
        if digests and sum(digest in own for digest in digests) >= SAME_SKETCH * len(digests):
            return number
    return None
