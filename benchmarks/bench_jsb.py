"""Bach's chorales: what the shipped music model is worth: `python benchmarks/bench_jsb.py --file jsb16.json.gz --split valid`.

Protocol of `jsb16_nll_<split>`: canonical split of the 382 chorales on the sixteenth grid, a piece a list of frames
[soprano, alto, tenor, bass] as MIDI pitches, 0 for a rest. Nothing is given: each voice has one softmax over pitches and
rest, soprano → alto → tenor → bass within a frame; nats a note, mean over all notes of the split. `harmonise_nll` is
the same of the three lower voices when the whole soprano is given. `counts_nll`: the mean of the experts that count,
without the network. Teacher forcing through the files that the studio itself runs, of the piece's own past alone.

With `--write N`: N chorales of 16 bars composed and N sopranos of the split harmonised; faults in 64 sixteenths beside
those of the split's own pieces under the same judge, pitch entropy, longest run shared with the training pieces, and
milliseconds a bar.

The benchmark refuses a model whose card lists a piece of the split among those that it was trained on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
from _report import emit

from castalia.modalities.music.fingerprint import same_piece
from castalia.modalities.music.experts import Memory, moves_of
from castalia.modalities.music.generate import OPEN, Task, write
from castalia.modalities.music.grid import VOICES, Frames
from castalia.modalities.music.model import ChoraleModel, nats
from castalia.modalities.music.state import walk


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--file", type=Path, required=True, help="gzipped or plain JSON: {split: [piece, …]}, or a list"
    )
    parser.add_argument("--split", default="test")
    parser.add_argument("--model", type=Path, help="folder of another model")
    parser.add_argument("--write", type=int, default=0, help="pieces to compose and to harmonise")
    args = parser.parse_args()
    model = ChoraleModel(args.model) if args.model else ChoraleModel.default()
    pieces = read(args.file, args.split)
    refuse_known(model, pieces)
    began = time.perf_counter()
    costs = [cost for batch in batches(pieces) for cost in nats(model, batch)]
    seconds = time.perf_counter() - began
    every = np.concatenate(costs)
    given = np.concatenate([cost for batch in batches(pieces) for cost in nats(model, batch, soprano=True)])
    line: dict[str, Any] = {
        "model": model.name,
        "digest": model.digest[:12],
        "pieces": len(pieces),
        "frames": len(every),
        f"jsb16_nll_{args.split}": round(float(every.mean()), 4),
        "by_voice": dict(zip("SATB", every.mean(0).round(4).tolist(), strict=True)),
        f"harmonise_nll_{args.split}": round(float(given[:, 1:].mean()), 4),
        f"counts_nll_{args.split}": round(counted(model, pieces), 4),
        "microseconds_a_note_teacher_forced": round(seconds / every.size * 1e6, 1),
    }
    if args.write:
        line |= written(model, pieces, args.write)
    protocol = f"jsb16_nll_{args.split}: canonical split, unconditional, nats per note, mean over notes"
    emit(f"jsb_{args.split}", protocol, line)


def read(path: Path, split: str) -> list[Frames]:
    """The pieces of a split."""
    raw = path.read_bytes()
    found = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    pieces = found[split] if isinstance(found, dict) else found
    return [np.array(piece, np.int64).reshape(-1, VOICES) for piece in pieces]


def refuse_known(model: ChoraleModel, pieces: list[Frames]) -> None:
    """Stop where a piece was trained on, in whatever key or edition."""
    for number, piece in enumerate(pieces):
        if (found := same_piece(piece, model.card["trained_on"])) is not None:
            raise SystemExit(f"Piece {number} of this split is piece {found} of the training set: no figure.")


def batches(pieces: list[Frames], size: int = 26) -> list[list[Frames]]:
    """Pieces of like length together."""
    order = sorted(pieces, key=len)
    return [order[first : first + size] for first in range(0, len(order), size)]


def counted(model: ChoraleModel, pieces: list[Frames]) -> float:
    """Nats a note of the experts' plain mean."""
    total, notes = 0.0, 0
    for batch in batches(pieces):
        memory = Memory(len(batch))
        for state, frame, going in walk(batch):
            for voice in range(VOICES):
                chances, _ = model.experts.read(state, voice, frame, memory)
                moves = moves_of(frame[:, voice], state.reference[:, voice])
                said = chances.mean(1)[np.arange(len(batch)), moves]
                total -= float(np.log(said[going]).sum())
                notes += int(going.sum())
            memory.note(state, frame, going)
    return total / notes
