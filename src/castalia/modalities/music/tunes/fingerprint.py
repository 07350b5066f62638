"""Fingerprints of tunes that hold in any key, to find the same tune in two books."""

from __future__ import annotations

import hashlib

import numpy as np

from castalia.modalities.music.tunes.tune import SILENCE, Tune

RUN = 8
"""Successive melodic intervals in one digest."""
SAME = 0.4
"""Share of the digests of the shorter tune in another one from which the two are one; tunes that share a strain of two
are."""
SKETCH = 4
"""Digests of a tune that a model's card lists: the smallest."""


def fingerprint(tune: Tune) -> frozenset[str]:
    """Digests of all runs of eight intervals, repeated notes taken as one: SHA-256, first 12 hexadecimal digits."""
    line = tune.notes[tune.notes[:, 1] != SILENCE, 1]
    steps = np.diff(line[np.diff(line, prepend=-99) != 0]).tolist()
    runs = (",".join(map(str, steps[first : first + RUN])) for first in range(len(steps) - RUN + 1))
    return frozenset(hashlib.sha256(run.encode()).hexdigest()[:12] for run in runs)


def sketch(tune: Tune) -> str:
    """The smallest digests, joined by spaces: a sample that is the same wherever it is taken."""
    return " ".join(sorted(fingerprint(tune))[:SKETCH])
