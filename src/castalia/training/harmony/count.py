"""Count the chords of four-voice pieces: `python -m castalia.training.harmony.count --file jsb16.json.gz --out FILE`.

Only the split `train` of the file is read. Written are, for major and for minor, relative to the tonic: how often each
chord follows each other one, how often it goes on for a quarter, how often the top voice sings each pitch class over it
on and off the beat, and which notes of the top voice it stands among.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.files import write_atomic
from castalia.modalities.music.harmony.chords import STATES
from castalia.modalities.music.harmony.model import NO_NOTE
from castalia.training.harmony.label import BEAT, states_of, tonic_of

SPLIT = "train"


def main() -> None:
    """Read, count, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True, help="gzipped JSON: {split: [piece, …]}")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    pieces = [np.array(piece, np.int64) for piece in json.loads(gzip.decompress(args.file.read_bytes()))[SPLIT]]
    packed = io.BytesIO()
    tables: dict[str, Any] = dict(count(pieces))
    np.savez_compressed(packed, **tables)
    write_atomic(args.out, packed.getvalue())


def count(pieces: list[NDArray[np.int64]]) -> dict[str, NDArray[np.uint16]]:
    """The tables, by name.

    Args:
        pieces: Each (frames, voices) of MIDI pitches, 0 for a rest, high to low.

    Returns:
        `follows` (2, chords, chords), `held` (2, chords) quarters in which a chord goes on, `sung` (2, chords, 2, 12)
        sixteenths of the top voice on and off the beat, `near` (2, 13, 13, 13, chords) quarters by the top voice's
        pitch class on the beat before, on it and on the beat after, 12 for none.
    """
    follows = np.zeros((2, STATES, STATES), np.uint16)
    held = np.zeros((2, STATES), np.uint16)
    sung = np.zeros((2, STATES, 2, 12), np.uint16)
    near = np.zeros((2, 13, 13, 13, STATES), np.uint16)
    for piece in pieces:
        tonic, mode = tonic_of(piece)
        states = states_of(piece, tonic)
        for beat, state in enumerate(states):
            if state < 0:
                continue
            for frame in range(BEAT):
                if top := int(piece[beat * BEAT + frame, 0]):
                    sung[mode, state, int(frame >= BEAT // 2), (top - tonic) % 12] += 1
        tops = [NO_NOTE, *((top - tonic) % 12 if top else NO_NOTE for top in piece[::BEAT, 0].tolist()), NO_NOTE]
        for beat, state in enumerate(states):
            if state >= 0:
                near[mode, tops[beat], tops[beat + 1], tops[beat + 2], state] += 1
        clear = [state for state in states if state >= 0]
        for before, after in pairwise(clear):
            if before == after:
                held[mode, before] += 1
            else:
                follows[mode, before, after] += 1
    return {"follows": follows, "held": held, "sung": sung, "near": near}


if __name__ == "__main__":
    main()
