"""What the tune model is worth: `python benchmarks/bench_tunes.py --collection tunes`.

Protocol of `tunes_bits_test`: the test tenth of a collection of tunes (split by content, near-duplicates dropped before
the split); each note is a length (22 symbols) and then a pitch above the tonic (38 semitones and rest), one softmax
each over all symbols, no masks, nothing given; metre, mode, kind of tune, pickup and length are known. Bits a note,
mean over all notes of the split, and bits a bar, by teacher forcing through the files that the studio itself runs.

Beside it: `order_n`, counts of the last n lengths, or pitches, at the same place of the bar, each level smoothed into
the one before (Witten and Bell's method C), n chosen on the validation tenth for each; and `counts`, the mean of the
model's own experts without the network.

`written`: 40 tunes as the genre asks for them, ten kinds and keys in turn, first drafts alone: how many pass all rules,
CPU milliseconds a bar, the longest run shared with a training tune in any key beside what training tunes share among
themselves, and how many lie between the 5th and the 95th percentile of the training tunes in entropy.

The benchmark refuses a model whose card lists more than a few tunes of the split among those it was trained on.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from _report import emit
from castalia import genres, quality
from castalia.core.values import Brief
from castalia.modalities.music import Composers, compose
from castalia.modalities.music.counts import Table, hashes, smoothed
from castalia.modalities.music.tunes.experts import SIZES, Memory
from castalia.modalities.music.tunes.fingerprint import sketch
from castalia.modalities.music.tunes.model import TuneModel, nats
from castalia.modalities.music.tunes.state import walk
from castalia.modalities.music.tunes.tune import SILENCE, Tune
from castalia.quality.melody import entropy
from castalia.training import find

MOST_KNOWN = 0.05
"""Share of a split's tunes that may be among those trained on."""
ORDERS = range(1, 5)
ASKED = (
    "a merry jig in D", "a reel in G", "a slow air in E minor", "a hornpipe in F", "a march in Bb", "a waltz in C",
    "a slip jig in A", "a strathspey in A minor", "a polka in D", "a quiet song in G",
)  # fmt: skip
BITS = float(np.log2(np.e))


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection", default="tunes")
    parser.add_argument("--model", type=Path, help="folder of another model")
    parser.add_argument("--write", type=int, default=40, help="tunes to compose")
    args = parser.parse_args()
    composers = Composers(args.model)
    model, found = composers.tunes, find(args.collection)
    train, valid, test = found.of("train"), found.of("valid"), found.of("test")
    known = sum(sketch(tune) in set(model.card["trained_on"]) for tune in test)
    if known > MOST_KNOWN * len(test):
        raise SystemExit(f"{known} of {len(test)} tunes of this split were trained on: no figure.")
    notes = sum(len(tune.notes) for tune in test)
    a_bar = notes / sum(tune.setting.length / tune.setting.bar for tune in test)
    began = time.process_time()
    bits = np.concatenate([cost for batch in batches(test) for cost in nats(model, batch)]).mean(0) * BITS
    seconds = time.process_time() - began
    rhythm = np.concatenate([cost for batch in batches(test) for cost in nats(model, batch, rhythm=True)])
    orders = [min(ORDERS, key=lambda n: ordered(train, valid, what, n)) for what in range(2)]
    plain = np.array([ordered(train, test, what, order) for what, order in enumerate(orders)])
    line: dict[str, Any] = {
        "model": model.name,
        "digest": model.digest[:12],
        "tunes": {"train": len(train), "valid": len(valid), "test": len(test)},
        "notes": notes,
        "tunes_also_in_training": known,
        "tunes_bits_test": figures(bits, a_bar),
        "pitch_bits_given_rhythm": round(float(rhythm[:, 1].mean() * BITS), 4),
        "order_n": {"n_length": orders[0], "n_pitch": orders[1], **figures(plain, a_bar)},
        "counts": figures(counted(model, test), a_bar),
        "cpu_microseconds_a_note_teacher_forced": round(seconds / notes * 1e6, 1),
        "written": written(
            composers, {name: tune for name, tune in found.pieces.items() if found.split[name] == "train"}, args.write
        ),
    }
    protocol = "tunes_bits_test: split by content, nothing given, bits a note (length + pitch), mean over notes"
    emit("tunes_test", protocol, line)


def figures(bits: np.ndarray, a_bar: float) -> dict[str, float]:
    """Bits a note in all, of length, of pitch, and bits a bar."""
    whole = float(bits.sum())
    return {
        "a_note": round(whole, 4),
        "length": round(float(bits[0]), 4),
        "pitch": round(float(bits[1]), 4),
        "a_bar": round(whole * a_bar, 2),
    }


def batches(tunes: Sequence[Tune], size: int = 64) -> list[list[Tune]]:
    """Tunes of like length together."""
    order = sorted(tunes, key=lambda tune: len(tune.notes))
    return [order[first : first + size] for first in range(0, len(order), size)]


def contexts(tunes: Sequence[Tune], what: int, order: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Of lengths (0) or of pitches (1): hashes of each level, and the symbols that came."""
    levels: list[list[np.ndarray]] = []
    came: list[np.ndarray] = []
    for state, length, pitch, going in walk(tunes):
        now = state.inputs()
        past = [[now["pitches" if what else "lengths"][:, at]] for at in range(order)]
        here = [now["place"], now["metre"], *([length] if what else [])]
        # of all orders of these columns that were tried, the best on the validation tunes
        chain = [[now["mode"]], *past[:1], here, *past[1:]] if what else [here, *past]
        for level, hashed in enumerate(hashes([chain], what)[0]):
            if len(levels) <= level:
                levels.append([])
            levels[level].append(hashed[going])
        came.append((pitch if what else length)[going])
    return [np.concatenate(each) for each in levels], np.concatenate(came)


def ordered(train: Sequence[Tune], tunes: Sequence[Tune], what: int, order: int) -> float:
    """Bits of a length (0) or of a pitch (1) under the model of order n."""
    (learned, came), (asked, wanted) = contexts(train, what, order), contexts(tunes, what, order)
    prior = np.bincount(came, minlength=SIZES[what]) + 0.1
    chances = np.tile((prior / prior.sum()).astype(np.float32), (len(wanted), 1))
    for level, hashed in zip(learned, asked, strict=True):
        chances = smoothed(Table.of(level, came, SIZES[what]).look(hashed, SIZES[what]), chances)
    return float(-np.log2(chances[np.arange(len(wanted)), wanted]).mean())


def counted(model: TuneModel, tunes: Sequence[Tune]) -> np.ndarray:
    """Bits of length and pitch of the experts' plain mean (2,)."""
    total, notes = np.zeros(2), 0
    for batch in batches(tunes):
        memory, rows = Memory(len(batch)), np.arange(len(batch))
        for state, length, pitch, going in walk(batch):
            for what, symbols in enumerate((length, pitch)):
                chances, _ = model.experts.read(state, length if what else None, memory)
                total[what] -= np.log2(chances.mean(1)[rows, symbols][going]).sum()
            notes += int(going.sum())
            memory.note(state, length, pitch, going)
    return total / notes


def written(composers: Composers, train: Mapping[str, Tune], count: int) -> dict[str, Any]:
    """First drafts as the genre asks for them, beside the training tunes."""
    room, index = genres.find("melody"), quality.shipped_tune_index()
    passed: list[bool] = []
    broken: list[str] = []
    lines: list[list[tuple[int, int]]] = []
    entropies: list[tuple[float, float]] = []
    seconds, bars = 0.0, 0
    for seed in range(count):
        fields = genres.fields_of(room, {"bars": 16})
        brief = Brief(genre="melody", words=ASKED[seed % len(ASKED)], fields=fields, seed=seed)
        began = time.process_time()
        draft = compose(brief, room.plan(brief), composers, room.assemble)
        seconds, bars = seconds + time.process_time() - began, bars + 16
        judged = quality.judge(draft, room.rules(brief))
        passed.append(judged.passed)
        broken += sorted({each.rule for each in judged.broken})
        notes = draft.content.score.parts[0].notes if draft.content.score else ()
        lines.append([(note.start, note.pitch) for note in notes])
        entropies.append((entropy(note.pitch for note in notes), entropy(note.length for note in notes)))
    sounding = {name: tune.notes[tune.notes[:, 1] != SILENCE] for name, tune in train.items()}
    shared = [
        index.longest(list(enumerate(notes[:, 1].tolist())), without={name}).notes for name, notes in sounding.items()
    ]
    runs = [index.longest(line).notes for line in lines]
    inside: dict[str, Any] = {}
    for number, (name, column) in enumerate((("pitch", 1), ("rhythm", 0))):
        low, high = np.percentile([entropy(each[:, column].tolist()) for each in sounding.values()], (5, 95))
        own = [each[number] for each in entropies]
        inside[f"{name}_entropy"] = {
            "training_5_95": [round(float(low), 3), round(float(high), 3)],
            "written_5_50_95": np.percentile(own, (5, 50, 95)).round(3).tolist(),
            "share_inside": round(float(np.mean([low <= each <= high for each in own])), 3),
        }
    return {
        "tunes": count,
        "first_drafts_that_pass": round(sum(passed) / count, 3),
        "broken": {rule: broken.count(rule) for rule in sorted(set(broken))},
        "cpu_milliseconds_a_bar": round(seconds / bars * 1000, 1),
        "longest_shared_run_50_95_100": np.percentile(runs, (50, 95, 100)).round(1).tolist(),
        "limit": quality.TUNE_TO_TUNE,
        "training_tunes_share_50_90_95": np.percentile(shared, (50, 90, 95)).round(1).tolist(),
        **inside,
    }


if __name__ == "__main__":
    main()
