"""Bach's chorales: what the music model is worth: `python benchmarks/bench_jsb.py --file jsb16.json.gz --split valid`.

Protocol of `jsb16_nll_<split>`: canonical split of the 382 chorales on the sixteenth grid, a piece a list of frames
[soprano, alto, tenor, bass] as MIDI pitches, 0 for a rest. Nothing is given: each voice has one softmax over pitches
and rest, soprano → alto → tenor → bass within a frame; nats a note, mean over all notes of the split. `harmonise_nll`
is the same of the three lower voices when the whole soprano is given. `counts_nll`: the mean of the experts that
count, without the network. Teacher forcing through the files that the studio itself runs, from each piece's own past.

With `--write N`: N chorales of 16 bars composed and N sopranos of the split harmonised as the genre asks for them,
first drafts alone; faults in 64 sixteenths beside those of the split's own pieces under the same judge, pitch entropy,
longest run shared with the training pieces, and milliseconds a bar (eight drafts side by side).

The benchmark refuses a model whose card lists more than a few pieces of the split among those it was trained on.
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
from castalia import genres, quality
from castalia.core.music import VoicesStep
from castalia.core.score import Part, Score
from castalia.core.values import Brief
from castalia.modalities.music import Composers, compose
from castalia.modalities.music.voices.decode import score_of
from castalia.modalities.music.voices.encode import FRAME, frames_of
from castalia.modalities.music.voices.experts import Memory, moves_of
from castalia.modalities.music.voices.fingerprint import same_piece
from castalia.modalities.music.voices.grid import VOICES, Frames
from castalia.modalities.music.voices.model import ChoraleModel, nats
from castalia.modalities.music.voices.state import walk
from castalia.quality import MusicIndex, fault_rates, shipped_music_index, voice_leading

MOST_KNOWN = 0.05
"""Share of a split's pieces that may be among those trained on."""


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
    composers = Composers(args.model)
    model = composers.voices
    pieces = read(args.file, args.split)
    also = known(model, pieces)
    began = time.perf_counter()
    costs = [cost for batch in batches(pieces) for cost in nats(model, batch)]
    seconds = time.perf_counter() - began
    every = np.concatenate(costs)
    fresh = [piece for number, piece in enumerate(pieces) if number not in also]
    unknown = np.concatenate([cost for batch in batches(fresh) for cost in nats(model, batch)]) if also else every
    given = np.concatenate([cost for batch in batches(pieces) for cost in nats(model, batch, soprano=True)])
    line: dict[str, Any] = {
        "model": model.name,
        "digest": model.digest[:12],
        "pieces": len(pieces),
        "frames": len(every),
        f"jsb16_nll_{args.split}": round(float(every.mean()), 4),
        "pieces_also_in_training": also,
        "nll_without_them": round(float(unknown.mean()), 4),
        "by_voice": dict(zip("SATB", every.mean(0).round(4).tolist(), strict=True)),
        f"harmonise_nll_{args.split}": round(float(given[:, 1:].mean()), 4),
        f"counts_nll_{args.split}": round(counted(model, pieces), 4),
        "microseconds_a_note_teacher_forced": round(seconds / every.size * 1e6, 1),
    }
    if args.write:
        line |= written(composers, pieces, args.write)
    protocol = f"jsb16_nll_{args.split}: canonical split, unconditional, nats per note, mean over notes"
    emit(f"jsb_{args.split}", protocol, line)


def read(path: Path, split: str) -> list[Frames]:
    """The pieces of a split."""
    raw = path.read_bytes()
    found = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    pieces = found[split] if isinstance(found, dict) else found
    return [np.array(piece, np.int64).reshape(-1, VOICES) for piece in pieces]


def known(model: ChoraleModel, pieces: list[Frames]) -> list[int]:
    """Pieces of the split that are training pieces, in whatever key or edition; stops when they are more than a few.

    The canonical split itself holds two settings of one chorale here and there; the figure without them stands beside.
    """
    found = [number for number, piece in enumerate(pieces) if same_piece(piece, model.card["trained_on"]) is not None]
    if len(found) > MOST_KNOWN * len(pieces):
        raise SystemExit(f"{len(found)} of {len(pieces)} pieces of this split were trained on: no figure.")
    return found


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


def written(composers: Composers, pieces: list[Frames], count: int) -> dict[str, Any]:
    """Faults, variety and copying of first drafts, as the genre asks for them, beside the split's own pieces."""
    room = genres.find("chorale")
    index = shipped_music_index()

    def made(seed: int, **fields: object) -> Score:
        brief = Brief(genre="chorale", words="", fields=genres.fields_of(room, fields), seed=seed)
        draft = compose(brief, room.plan(brief), composers, room.assemble)
        judged.append(quality.judge(draft, room.rules(brief)).passed)
        assert draft.content.score
        return draft.content.score

    judged: list[bool] = []
    began = time.perf_counter()
    composed = [made(seed, bars=16) for seed in range(count)]
    seconds = time.perf_counter() - began
    under = sorted(range(len(pieces)), key=lambda at: at * 7919 % len(pieces))[:count]
    tunes = [as_score(pieces[at]) for at in under]
    harmonised = [made(seed, melody=tune) for seed, tune in enumerate(tunes)]
    return {
        "milliseconds_a_bar": round(seconds / count / 16 * 1000, 1),
        "bach": figures([as_score(piece) for piece in pieces], index),
        "composed": figures(composed, index) | {"first_drafts_that_pass": round(sum(judged[:count]) / count, 3)},
        "harmonised": figures(harmonised, index) | {"first_drafts_that_pass": round(sum(judged[count:]) / count, 3)},
    }


def figures(scores: list[Score], index: MusicIndex) -> dict[str, Any]:
    """Faults in 64 sixteenths, pieces without parallels, entropy, longest runs shared with the training pieces."""
    clean = [not any(each.kind.startswith("parallel") for each in voice_leading(score)) for score in scores]
    bits: list[float] = []
    for score in scores:
        pitches = np.array([note.pitch for note in score.parts[0].notes])
        _, often = np.unique(pitches[np.diff(pitches, prepend=-1) != 0], return_counts=True)
        share = often / often.sum()
        bits.append(float(-(share * np.log2(share)).sum()))
    runs = [found.sonorities if (found := index.longest(score)) else 0 for score in scores]
    moves = [(grid[1:] != grid[:-1]).any(1).mean() for grid in map(frames_of, scores)]
    return {
        "faults_in_64": {kind: round(rate, 3) for kind, rate in fault_rates(scores).items()},
        "without_parallels": round(float(np.mean(clean)), 3),
        "soprano_bits_5_50_95": np.percentile(bits, (5, 50, 95)).round(2).tolist(),
        "frames_with_a_move": round(float(np.mean(moves)), 3),
        "longest_shared_run_50_95": np.percentile(runs, (50, 95)).round(1).tolist(),
    }


def as_score(piece: Frames) -> Score:
    """The grid as a score."""
    sketch = Score(parts=tuple(Part(name=name, kind="voice") for name in "SATB"))
    return score_of(piece, VoicesStep("piece", sketch, len(piece) * FRAME))


if __name__ == "__main__":
    main()
