"""Whether explained pictures tell the truth: `python benchmarks/bench_explain_pictures.py [--model FOLDER]`.

Protocol of `explain_pictures_40`: 40 prompts of three or four known words, seed 1; what a learned picture filled in
stays said. Changes are mean differences of OKLab, 100 from black to white. Every interval is of 95 %, by resampling
prompts 2,000 times.

`word`: change where a word is left out, beside that where a random word of the vocabulary is said too (four words a
prompt), and their gap; `words_above_random`: share of the words that change more than that.
`deletion`: words are left out one after the other, the explained change in falling order; the picture's change, mean
over all steps but the last, beside the exact mean over all orders. The first step repeats what was measured; so
`deletion_later` is of the steps after it, whose combinations the explanation has not seen.
`place`: the quarter of all fields where leaving out a word changes most, found under seed 1, against another cause and
another seed: the word exchanged for each of two random words under seed 2. `own`: the share of that change which lies
in the quarter; `other`: in the quarter of another word of the prompt; any quarter of an even change has .25. The gap
between own and other is what the map knows of its word.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np

from _report import emit
from castalia.core.picture import DrawStep
from castalia.modalities.image.draw.drawing import Drawing
from castalia.modalities.image.draw.explain import by_fields, difference, random_words
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.oklab import Plane, oklab

PROMPTS = (
    "red umbrella rain", "blue cat face", "green car front", "yellow dog hat", "purple heart star", "pink fish water",
    "orange bird tree", "brown bear face smiling", "white rabbit flower", "black horse riding", "red house garden",
    "blue bus road", "green apple leaf", "yellow bicycle wheel", "purple grapes wine", "pink pig nose",
    "red hot pepper", "blue book open", "green snake plant", "yellow moon night", "white ghost mask",
    "brown monkey banana",
    "orange cat heart eyes", "red fire truck", "blue water ship", "green frog face", "yellow star glowing",
    "purple crystal ball", "pink flower ribbon", "gray mouse cheese", "red balloon party", "blue whale sea",
    "green tree christmas", "yellow duck water", "brown coffee cup hot", "white cloud sun rain", "black bomb fire",
    "orange fruit slice", "red rose heart", "blue butterfly wing",
)  # fmt: skip
SEED, OTHER_SEED = 1, 2
DRAWN = 2_000


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path)
    args = parser.parse_args()
    model = DrawingModel(args.model) if args.model else DrawingModel.default()
    rows = [measured(model, prompt) for prompt in PROMPTS]
    emit(
        "explain_pictures",
        "explain_pictures_40: words left out of 40 prompts, against random words, all orders, and other words' maps",
        {
            "model": model.name,
            "digest": model.digest[:12],
            "prompts": len(rows),
            "words": sum(int(row["words"]) for row in rows),
            "word": against(rows, "left_out", "random"),
            "words_above_random": mean_of([row["above"] for row in rows]),
            "deletion": against(rows, "order", "any_order"),
            "deletion_later": against(rows, "later", "any_later"),
            "place": against(rows, "own", "other"),
            "by_prompt": dict(zip(PROMPTS, rows, strict=True)),
        },
    )


def measured(model: DrawingModel, prompt: str) -> Mapping[str, float]:
    """The figures of one prompt."""
    drawing = model.drawing(DrawStep("picture", prompt), SEED)
    groups = [at for at, each in enumerate(drawing.groups) if each.by == "brief"]
    held = [at for at in range(len(drawing.groups)) if at not in groups]
    if len(groups) < 3:
        raise SystemExit(f"fewer than three known words: {prompt}")
    base = drawn(model, drawing, drawing.numbers)
    change: dict[frozenset[int], Plane] = {}
    for many in range(1, len(groups)):
        for out in combinations(groups, many):
            left = drawing.only([at for at in (*groups, *held) if at not in out]).numbers
            change[frozenset(out)] = difference(base, drawn(model, drawing, left))
    alone = {at: float(change[frozenset({at})].mean()) for at in groups}
    random = [
        float(difference(base, drawn(model, drawing, (*drawing.numbers, each))).mean())
        for each in random_words(model, drawing.numbers, SEED)
    ]
    curve = curve_of(sorted(groups, key=lambda at: -alone[at]), change)
    curves = np.array([curve_of(order, change) for order in permutations(groups)])
    own, other = places(model, prompt, {at: by_fields(change[frozenset({at})]) for at in groups})
    return {
        "words": len(groups),
        "left_out": round(float(np.mean(list(alone.values()))), 3),
        "random": round(float(np.mean(random)), 3),
        "above": round(float(np.mean([each > np.mean(random) for each in alone.values()])), 3),
        "order": round(float(np.mean(curve)), 3),
        "any_order": round(float(curves.mean()), 3),
        "later": round(float(np.mean(curve[1:])), 3),
        "any_later": round(float(curves[:, 1:].mean()), 3),
        "own": round(own, 4),
        "other": round(other, 4),
    }


def curve_of(order: Sequence[int], change: Mapping[frozenset[int], Plane]) -> list[float]:
    """The picture's change after each step but the last."""
    return [float(change[frozenset(order[:many])].mean()) for many in range(1, len(order))]


def places(model: DrawingModel, prompt: str, maps: Mapping[int, Plane]) -> tuple[float, float]:
    """Shares of an exchanged word's change in the quarter of its own map, and in those of the other words."""
    drawing = model.drawing(DrawStep("picture", prompt), OTHER_SEED)
    base = drawn(model, drawing, drawing.numbers)
    quarters = {at: each >= np.quantile(each, 0.75) for at, each in maps.items()}
    own: list[float] = []
    other: list[float] = []
    for at in maps:
        for word in random_words(model, drawing.numbers, OTHER_SEED)[:2]:
            moved = by_fields(difference(base, drawn(model, drawing, drawing.replaced(at, word))))
            share = {each: float(moved[quarter].sum() / max(moved.sum(), 1e-9)) for each, quarter in quarters.items()}
            own.append(share[at])
            other.append(float(np.mean([value for each, value in share.items() if each != at])))
    return float(np.mean(own)), float(np.mean(other))


def drawn(model: DrawingModel, drawing: Drawing, numbers: Sequence[int]) -> Plane:
    """The picture of these words, in OKLab."""
    return oklab(model.drawn(numbers, drawing.code(numbers)))


def against(rows: Sequence[Mapping[str, float]], one: str, other: str) -> dict[str, Any]:
    """Two means over prompts, and their gap with its interval."""
    return {
        one: mean_of([row[one] for row in rows])["mean"],
        other: mean_of([row[other] for row in rows])["mean"],
        "gap": mean_of([row[one] - row[other] for row in rows]),
    }


def mean_of(values: Sequence[float]) -> dict[str, Any]:
    """The mean with its interval."""
    held = np.array(values)
    picked = np.random.default_rng(0).integers(0, len(held), (DRAWN, len(held)))
    low, high = np.quantile(held[picked].mean(1), (0.025, 0.975))
    return {"mean": round(float(held.mean()), 3), "interval": [round(float(low), 3), round(float(high), 3)]}


if __name__ == "__main__":
    main()
