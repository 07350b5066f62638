"""Builds the shipped index of music in `src/castalia/data/music/`.

    python tools/build_music_index.py --file JSB16.json.gz    # no randomness

The file is gzipped JSON, `{"train": [...], ...}`: a piece is a list of sixteenth frames `[soprano, alto, tenor, bass]`,
MIDI numbers, 0 for a rest. Of the canonical split of Bach's chorales only the training pieces are indexed.

Writes
    chorales.npz  64-bit hashes of every run of four sonorities, with piece, sonority and frame
"""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path

import numpy as np

from castalia.quality.copying import MusicIndex

TARGET = Path(__file__).parent.parent / "src" / "castalia" / "data" / "music" / "chorales.npz"


def main() -> None:
    """Build it, and print what the limit of `CopyingRule` rests on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--split", default="train")
    parser.add_argument("--out", type=Path, default=TARGET)
    chosen = parser.parse_args()
    with gzip.open(chosen.file) as stream:
        pieces = [[tuple(frame) for frame in piece] for piece in json.load(stream)[chosen.split]]
    index = MusicIndex.build(pieces)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    index.write(chosen.out)
    print(f"{len(pieces)} pieces, {len(index)} runs, {chosen.out.stat().st_size} bytes")
    runs = [index.longest_of(enumerate(piece), without={number}).sonorities for number, piece in enumerate(pieces)]
    shares = (5, 50, 75, 90, 95, 99, 100)
    print("longest run shared with another piece, percentiles", shares, np.percentile(runs, shares))


if __name__ == "__main__":
    main()
