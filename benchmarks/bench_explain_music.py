"""Whether the explanations tell the truth: `python benchmarks/bench_explain_music.py --file jsb16.json.gz`.

Protocol of `explain_music_<split>`: the pieces of the canonical split of JSB that the model was not trained on, each
explained as if the model had written all of it (nothing given). `sixteenths`: every sixteenth of every voice, entropy
and cost of all that the model could sing there. `notes`: every note where it begins, as the explanation tells it: of
where the voice goes, given that it moves. `notes_moves_too`: the same notes, entropy and cost of all at once; a move
that comes unexpected counts as certain there, which is why the explanation does not colour by it. Of each: the
correlation of entropy with actual cost (Pearson, and Spearman's of ranks); the share of first choices by bin of
entropy beside the mean chance of the first choice, which it should equal; and of the 10 % that cost most, how many are
among the 10 % of which the model was least certain: chance alone finds .10. `soprano_given`: notes, the soprano given.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from _report import emit
from bench_jsb import known, read
from castalia.modalities.music import Composers
from castalia.modalities.music.voices.explain import Walk
from castalia.modalities.music.voices.grid import symbols_of
from castalia.modalities.music.voices.model import OPEN

EDGES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0, 4.0)
"""Nats."""
SHARE = 0.1
Rows = NDArray[np.float64]


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--split", default="valid")
    args = parser.parse_args()
    model = Composers().voices
    pieces = read(args.file, args.split)
    also = known(model, pieces)
    fresh = [piece for number, piece in enumerate(pieces) if number not in also]
    rows: dict[str, list[Rows]] = {"sixteenths": [], "notes": [], "notes_moves_too": [], "soprano_given": []}
    for piece in fresh:
        nothing = np.full_like(piece, OPEN)
        given = nothing.copy()
        given[:, 0] = piece[:, 0]
        walked = Walk(model, nothing, piece, np.zeros((*piece.shape, 12), np.float32))
        rows["sixteenths"].append(whole(walked, np.ones(piece.shape, bool)))
        rows["notes"].append(moved(walked))
        rows["notes_moves_too"].append(whole(walked, begins(walked)))
        rows["soprano_given"].append(moved(Walk(model, given, piece, np.zeros((*piece.shape, 12), np.float32))))
    line: dict[str, Any] = {
        "model": model.name,
        "digest": model.digest[:12],
        "pieces": len(fresh),
        "pieces_left_out_as_known": len(also),
    } | {name: figures(np.concatenate(each)) for name, each in rows.items()}
    emit(
        "explain_music",
        f"explain_music_{args.split}: JSB, nothing given; of each sixteenth, and of each note where it begins",
        line,
    )


def begins(walked: Walk) -> NDArray[np.bool_]:
    """Where a written voice comes to a new pitch (frames, voices)."""
    frames = walked.frames
    new = np.concatenate([np.ones((1, frames.shape[1]), bool), frames[1:] != frames[:-1]])
    return new & walked.drawn & (frames > 0)


def whole(walked: Walk, where: NDArray[np.bool_]) -> Rows:
    """Entropy, cost, whether it is the first choice, chance of that; of all that could be sung (places, 4)."""
    return told(walked.chances[where], symbols_of(walked.frames[where]))


def moved(walked: Walk) -> Rows:
    """The same of where voices go."""
    places = np.argwhere(begins(walked)).tolist()
    chances = np.array([walked.moved(time, voice)[0] for time, voice in places])
    return told(chances, symbols_of(np.array([walked.frames[time, voice] for time, voice in places])))


def told(chances: Rows, taken: NDArray[np.int64]) -> Rows:
    """The four figures of each row of chances."""
    safe = np.maximum(chances, 1e-12)
    cost = -np.log(safe[np.arange(len(taken)), taken])
    return np.stack([-(chances * np.log(safe)).sum(1), cost, chances.argmax(1) == taken, chances.max(1)], 1)


def figures(rows: Rows) -> dict[str, Any]:
    """Forecast and calibration."""
    entropy, cost, first, best = rows.T
    count = len(rows)
    most = max(1, round(SHARE * count))
    unsure = set(np.argsort(-entropy, kind="stable")[:most].tolist())
    surprising = set(np.argsort(-cost, kind="stable")[:most].tolist())
    bins = np.digitize(entropy, EDGES[1:-1])
    table = [
        {
            "nats": f"{EDGES[at]}-{EDGES[at + 1]}",
            "count": int((bins == at).sum()),
            "first_choice": round(float(first[bins == at].mean()), 3),
            "said": round(float(best[bins == at].mean()), 3),
            "mean_cost": round(float(cost[bins == at].mean()), 3),
            "mean_entropy": round(float(entropy[bins == at].mean()), 3),
        }
        for at in range(len(EDGES) - 1)
        if (bins == at).any()
    ]
    gap = sum(row["count"] * abs(row["first_choice"] - row["said"]) for row in table) / count
    return {
        "count": count,
        "mean_entropy": round(float(entropy.mean()), 3),
        "mean_cost": round(float(cost.mean()), 3),
        "pearson_entropy_cost": round(float(np.corrcoef(entropy, cost)[0, 1]), 3),
        "spearman_entropy_cost": round(float(np.corrcoef(ranks(entropy), ranks(cost))[0, 1]), 3),
        "surprising_notes_found": round(len(unsure & surprising) / most, 3),
        "by_chance": SHARE,
        "times_chance": round(len(unsure & surprising) / most / SHARE, 2),
        "calibration_gap": round(gap, 4),
        "by_entropy": table,
    }


def ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each value."""
    found = np.empty(len(values))
    found[np.argsort(values, kind="stable")] = np.arange(len(values))
    return found


if __name__ == "__main__":
    main()
