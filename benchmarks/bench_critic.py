"""Does the critic earn its place? Quality and variety of chorales over temperatures, with its ranking and without.

Chorales of 16 bars are planned as the genre does it, eight drafts of each are written, and one is taken: the first that
kept the rules, or the one that the critic likes best of those. A second critic, the judge, is trained in this run on
other chorales (the split's, on which neither the model nor the critic was trained) and on other pieces of the model. It
says how often a piece sounds more like the collection than one of Bach's training chorales, which the judge does not
know: .50 would be as often as Bach. Variety is the share of runs of four sonorities, in any key, that occur once only
among the pieces, and the entropy of soprano steps.

    python benchmarks/bench_critic.py --file jsb16.json.gz --split valid --pieces 12
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from _report import emit
from bench_jsb import read
from castalia import genres
from castalia.core.music import VoicesStep
from castalia.core.values import Brief
from castalia.modalities.music.voices.critic import Critic
from castalia.modalities.music.voices.encode import given_of, leading_note, leaning_of, still_of
from castalia.modalities.music.voices.generate import Task, Written, write
from castalia.modalities.music.voices.grid import Frames
from castalia.modalities.music.voices.model import ChoraleModel
from castalia.training.chorales.critic import CriticRecipe, numpy_critic, train_critic

TEMPERATURES = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
WINDOW = 64
"""Frames."""


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, required=True, help="gzipped or plain JSON: {split: [piece, …]}")
    parser.add_argument("--split", default="valid", help="what the judge learns; the rest of `train` is its yardstick")
    parser.add_argument("--pieces", type=int, default=12)
    args = parser.parse_args()
    model = ChoraleModel.default()
    bach, other = read(args.file, "train"), read(args.file, args.split)
    recipe = CriticRecipe(seed=77, made=160, steps=300, dropout=0.4, rounds=1)
    trained, figures = train_critic(model, other, bach[:60], recipe, log=lambda line: print(line, flush=True))
    judge = numpy_critic(trained)
    yardstick = [judged(judge, piece) for piece in bach]
    table: list[dict[str, Any]] = []
    for temperature in TEMPERATURES:
        drafts = [written(model, seed, temperature) for seed in range(args.pieces)]
        for name, choose in (("first", first), ("critic", best)):
            pieces = [each.frames[choose(each)] for each in drafts]
            table.append({"temperature": temperature, "choice": name, **described(pieces, judge, yardstick)})
            print(table[-1], flush=True)
    bachs = described([piece[:256] for piece in bach[: args.pieces]], judge, yardstick)
    emit(
        "critic",
        "16 bars, 8 drafts, judge trained on other chorales and other made pieces; a choice by neither, then by critic",
        {"judge_ranks_unseen_pairs_right": round(figures["valid_right"], 3), "bach": bachs, "table": table},
    )


def written(model: ChoraleModel, seed: int, temperature: float) -> Written:
    """Drafts of a chorale as the genre plans it."""
    room = genres.find("chorale")
    brief = Brief(genre="chorale", words="", fields=genres.fields_of(room, {"bars": 16}), seed=seed)
    step = replace(cast("VoicesStep", room.plan(brief).music[0]), temperature=temperature)
    task = Task(given_of(step), leaning_of(step), still_of(step), temperature=temperature, sensitive=leading_note(step))
    return write(model, task, drafts=8, seed=seed)


def first(drafts: Written) -> int:
    """The first that kept the most rules."""
    return int(drafts.given_up.argmin())


def best(drafts: Written) -> int:
    """As the studio chooses."""
    return drafts.order()[0]


def described(pieces: list[Frames], judge: Critic, yardstick: list[float]) -> dict[str, float]:
    """Quality and variety of a set."""
    scores = np.array([judged(judge, piece) for piece in pieces])
    runs = Counter(run for piece in pieces for run in set(_runs(piece)))
    steps = np.concatenate([np.diff(piece[:, 0])[np.diff(piece[:, 0]) != 0] for piece in pieces])
    shares = np.array(list(Counter(steps.tolist()).values())) / len(steps)
    return {
        "over_bach": round(float((scores[:, None] > np.array(yardstick)[None]).mean()), 3),
        "runs_that_occur_once": round(sum(count == 1 for count in runs.values()) / len(runs), 3),
        "step_entropy_bits": round(float(-(shares * np.log2(shares)).sum()), 3),
        "moving_sixteenths": round(float(np.mean([(each[1:] != each[:-1]).any(1).mean() for each in pieces])), 3),
    }


def judged(judge: Critic, piece: Frames) -> float:
    """The judge's mean over windows, so that length does not count."""
    return float(
        np.mean([judge.score(piece[at : at + WINDOW]) for at in range(0, len(piece) - WINDOW + 1, WINDOW)] or 0)
    )


def _runs(piece: Frames) -> list[tuple[int, ...]]:
    changes = piece[np.append(True, (piece[1:] != piece[:-1]).any(1))]
    return [tuple((changes[at : at + 4] - changes[at, 3]).ravel().tolist()) for at in range(max(len(changes) - 3, 0))]


if __name__ == "__main__":
    main()
