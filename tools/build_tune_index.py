"""Builds the shipped index of tunes, `src/castalia/data/music/tunes.npz`, of a collection's training tunes.

    castalia collections add tunes --as tune --from music21:ryansMammoth+oneills1850+airdsAirs
    python tools/build_tune_index.py --collection tunes    # no randomness

Writes
    tunes.npz  16-bit hashes of every run of eight intervals, tune after tune, and the titles
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from castalia.modalities.music.tunes.tune import SILENCE
from castalia.quality.melody import entropy
from castalia.quality.tune_copying import TuneIndex
from castalia.training import find

TARGET = Path(__file__).parent.parent / "src" / "castalia" / "data" / "music" / "tunes.npz"


def main() -> None:
    """Build it, and print what the limits of `TuneCopyingRule` and `DrummingRule` rest on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection", default="tunes")
    parser.add_argument("--out", type=Path, default=TARGET)
    chosen = parser.parse_args()
    found = find(chosen.collection)
    kept = {name: tune.notes[tune.notes[:, 1] != SILENCE] for name, tune in found.pieces.items()}
    tunes = {name: notes for name, notes in kept.items() if found.split[name] == "train"}
    index = TuneIndex.build((name, notes[:, 1].tolist()) for name, notes in tunes.items())
    index.write(chosen.out)
    print(f"{len(index)} tunes, {chosen.out.stat().st_size} bytes")
    shares = (1, 5, 50, 75, 90, 95, 99, 100)
    runs = [index.longest(list(enumerate(notes[:, 1].tolist())), without={name}).notes for name, notes in tunes.items()]
    print("longest run shared with another tune, percentiles", shares, np.percentile(runs, shares))
    for column, what in enumerate(("rhythm", "pitch")):
        bits = [entropy(notes[:, column].tolist()) for notes in tunes.values()]
        print(f"{what} entropy, percentiles", shares, np.percentile(bits, shares).round(3))


if __name__ == "__main__":
    main()
