"""Stacked-MNIST, the reference experiment of `castalia.training.adversary`.

    python tools/fetch_digits.py
    python benchmarks/bench_stacked_mnist.py --minutes 90     # again and again: each goes on where the last stopped
    python benchmarks/bench_stacked_mnist.py --ablations 3    # minutes each; goes into the same result

Protocol of `stacked_mnist_26000`: a picture is three digits as red, green and blue at 32×32 (28×28 with a border), of
1,000 modes; each colour's class is drawn evenly, then a digit of it. Digits: 10,000 of MNIST, of which 2,000 are kept
for the classifier's test; generator and classifier learn from the other 8,000. 26,000 pictures of the generator's
running mean are read by the classifier, colour by colour, no picture left out and none drawn twice. `modes`: those of
which there is one. `kl`: reverse divergence KL(found ‖ even) in nats, with plain counts. `floor` is that of 26,000 real
pictures, of digits that the classifier has not seen too, through the same classifier; `floor_expected` what perfectly
even draws would have. No label reaches a network but the classifier.

The benchmark fails (exit 1) where the aim is missed: 990 modes and 0.15 nats with at most 2,000,000 weights, a
classifier that is right for 99 of 100 test digits, and `settled`: a run that has not come to the end of its schedules
says nothing about the method.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from _report import HERE, STATE, emit
from castalia.training.adversary import Settling
from castalia.training.stacked_mnist.classifier import Classifier, accuracy, modes_of, train_classifier
from castalia.training.stacked_mnist.digits import Digits, Stacks, read_digits
from castalia.training.stacked_mnist.measure import Found, floor, found
from castalia.training.stacked_mnist.network import weights
from castalia.training.stacked_mnist.recipe import SETTLED, Recipe, Training, pictures_of, train
from castalia.training.started import telling

PICTURES, SEED = 26_000, 1
AIM = {"modes": 990, "kl": 0.15, "weights": 2_000_000, "classifier_accuracy": 0.99}
FOLDER = STATE / "stacked_mnist"
MEASURED = 10.0
"""Minutes of the processor between measurements."""
_PLAIN = Recipe(paired=False, both=False, penalty=Settling(0.0, 0.0, 0))
WAYS = {
    "plain": _PLAIN,
    "plain_r1": replace(_PLAIN, penalty=Recipe().penalty),
    "plain_r1_r2": replace(_PLAIN, penalty=Recipe().penalty, both=True),
    "paired_r1_r2": Recipe(),
    "paired_r1_r2_augmented": Recipe(augment=True),
}
"""The ablations."""


def main() -> None:
    """Train a piece, measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--digits", type=Path, default=STATE / "digits.npz")
    parser.add_argument("--minutes", type=float, default=0.0, help="wall clock of this piece; 0 measures only")
    parser.add_argument("--ablations", type=float, default=0.0, help="minutes each; 0 leaves them out")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    learned, tested = read_digits(chosen.digits).parts()
    classifier, figures = classifier_of(learned, tested)
    print(json.dumps(figures), flush=True)
    stacks = Stacks(learned)
    training = Training(stacks, Recipe(), FOLDER / "checkpoint")
    long_run(training, classifier, chosen.minutes)
    if chosen.ablations:
        ablations(stacks, classifier, chosen.ablations)
    report(training, learned.digest, figures)


def classifier_of(learned: Digits, tested: Digits) -> tuple[Classifier, dict[str, Any]]:
    """The classifier, trained the first time, with its accuracy and the floors that it gives real pictures."""
    weights_kept, figures_kept = FOLDER / "classifier.safetensors", FOLDER / "classifier.json"
    network = Classifier()
    if not weights_kept.exists():
        save_file(train_classifier(learned).state_dict(), weights_kept)
    network.load_state_dict(load_file(weights_kept))
    network.eval()
    if not figures_kept.exists():
        right = accuracy(network, tested)
        figures: dict[str, Any] = {"classifier_accuracy": round(right, 4), "classifier_tested_on": len(tested.labels)}
        for name, digits in (("learned", learned), ("test", tested)):
            seen = found(modes_of(network, Stacks(digits).draw(np.random.default_rng(SEED), PICTURES)))
            figures[f"floor_of_{name}_digits"] = {"modes": seen.modes, "kl": round(seen.kl, 4)}
        figures["floor_expected"] = round(floor(PICTURES), 4)
        figures_kept.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    return network, json.loads(figures_kept.read_text(encoding="utf-8"))


def long_run(training: Training, classifier: Classifier, minutes: float) -> None:
    """Train a piece of that length, measured now and then and at its end."""
    log = telling(FOLDER, lambda line: print(json.dumps(line), flush=True))
    ends = time.monotonic() + minutes * 60
    while (left := (ends - time.monotonic()) / 60) > 0:
        train(training, minutes=left, processor_minutes=MEASURED, log=log)
        note(training, classifier)
    if not minutes:
        note(training, classifier)


def note(training: Training, classifier: Classifier) -> None:
    """Measure, and add a line to the measurements."""
    seen = measured(training, classifier)
    spent = sum(line["processor_seconds"] for line in lines_of(FOLDER / "log.jsonl")) / 60
    line = {"step": training.step, "processor_minutes": round(spent, 1), "modes": seen.modes, "kl": round(seen.kl, 4)}
    with (FOLDER / "measured.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line), flush=True)


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a log; none where there is none."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def measured(training: Training, classifier: Classifier) -> Found:
    """What the classifier sees in 26,000 pictures of the running mean."""
    drawn = pictures_of(training.mean, training.recipe.size, PICTURES, seed=SEED)
    return found(modes_of(classifier, drawn))


def ablations(stacks: Stacks, classifier: Classifier, minutes: float) -> None:
    """The same small budget of processor time for each way of training, each from the beginning."""
    for name, recipe in WAYS.items():
        kept = FOLDER / f"{name}.json"
        if kept.exists():
            continue
        (checkpoint := FOLDER / f"{name}.checkpoint").unlink(missing_ok=True)  # one that was stopped begins again
        training = Training(stacks, recipe, checkpoint)
        train(training, processor_minutes=minutes, log=lambda _: None)
        seen = measured(training, classifier)
        line = {"steps": training.step, "processor_minutes": minutes, "modes": seen.modes, "kl": round(seen.kl, 4)}
        kept.write_text(json.dumps(line) + "\n", encoding="utf-8")
        print(json.dumps({name: line}), flush=True)


def report(training: Training, digest: str, figures: dict[str, Any]) -> None:
    """Print the line of the last measurement, with a sheet of pictures; fail where the aim is missed."""
    lines = lines_of(FOLDER / "measured.jsonl")
    last = lines[-1]
    counts = {"generator": weights(training.generator), "discriminator": weights(training.discriminator)}
    reached = {
        "modes": last["modes"] >= AIM["modes"],
        "kl": last["kl"] <= AIM["kl"],
        "settled": last["step"] >= SETTLED,
        "weights": sum(counts.values()) <= AIM["weights"],
        "classifier_accuracy": figures["classifier_accuracy"] >= AIM["classifier_accuracy"],
    }
    sheet(pictures_of(training.mean, training.recipe.size, 96, seed=SEED + 1), HERE / "stacked_mnist.png")
    kept = {name: FOLDER / f"{name}.json" for name in WAYS}
    found_of = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in kept.items() if path.exists()}
    emit(
        "stacked_mnist",
        "stacked_mnist_26000: modes of 1000 and reverse KL (nats) of 26,000 pictures, classifier of our own",
        {
            "modes": last["modes"],
            "kl": last["kl"],
            "aim": AIM,
            "reached": reached,
            **figures,
            "weights": {**counts, "together": sum(counts.values())},
            "steps": last["step"],
            "pictures_seen": last["step"] * training.recipe.batch,
            "processor_minutes": last["processor_minutes"],
            "recipe": asdict(training.recipe),
            "digits_digest": digest[:12],
            "curve": lines,
            "ablations": found_of,
        },
    )
    if not all(reached.values()):
        sys.exit(1)


def sheet(pictures: Tensor, path: Path, columns: int = 16) -> None:
    """Pictures side by side, each three times as large."""
    rows = (pictures.clamp(-1, 1).add(1).mul(127.5).round().byte()).reshape(-1, columns, *pictures.shape[1:])
    pixels = rows.permute(0, 3, 1, 4, 2).reshape(len(rows) * pictures.shape[2], columns * pictures.shape[3], 3)
    drawn = Image.fromarray(pixels.numpy())
    drawn.resize((drawn.width * 3, drawn.height * 3), Image.Resampling.NEAREST).save(path, optimize=True)


if __name__ == "__main__":
    main()
