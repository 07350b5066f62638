# pyright: basic
"""Batches for the network of tunes: stretches of tunes with some notes given; a function of (seed, step)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from castalia.modalities.music.tunes.experts import Experts, learn
from castalia.modalities.music.tunes.given import FAR, UNKNOWN, Given
from castalia.modalities.music.tunes.state import NO_LENGTH, NO_PITCH, walk
from castalia.modalities.music.tunes.tune import Tune, length_symbols, pitch_symbols

_FLOOR = 1e-6
"""Chance below which an expert's word is not taken."""
_FILL = {"length": -1, "pitch": -1, "given_pitch": UNKNOWN, "given_length": NO_LENGTH, "far": FAR - 1, "next": -1}
_FREE = NDArray[np.bool_]

Item = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Tunes:
    """Tunes with all that the network reads of them; `train` of them, then those for validation."""

    tunes: Sequence[Tune]
    train: int
    inputs: Sequence[Mapping[str, NDArray[np.int64]]]
    """By tune, each (notes, …), as in `State.inputs`, with `start`, `length` and `pitch`."""
    chances: tuple[Sequence[NDArray[np.float16]], ...]
    """Logarithms: of lengths and of pitches, by tune (notes, EXPERTS, symbols)."""
    seen: tuple[Sequence[NDArray[np.float16]], ...]
    experts: Experts

    @staticmethod
    def of(train: Sequence[Tune], valid: Sequence[Tune]) -> Tunes:
        """Count the training tunes, and read all."""
        every = [*train, *valid]
        learned = learn(train, valid)
        found: list[dict[str, list[NDArray[np.int64]]]] = [{} for _ in every]
        for state, _, _, going in walk(every):
            inputs = {**state.inputs(), "start": state.tick}
            for row in np.flatnonzero(going):
                for name, values in inputs.items():
                    found[row].setdefault(name, []).append(np.array(values[row]))
        inputs = [
            {name: np.stack(values) for name, values in each.items()}
            | {"length": length_symbols(tune.notes[:, 0]), "pitch": pitch_symbols(tune.notes[:, 1])}
            for each, tune in zip(found, every, strict=True)
        ]
        logs = tuple(
            [np.log(np.maximum(each.astype(np.float32), _FLOOR)).astype(np.float16) for each in what]
            for what in learned.chances
        )
        return Tunes(every, len(train), inputs, logs, learned.seen, learned.experts)

    def item(self, tune: int, begin: int, end: int, given: NDArray[np.int64], *, kind: bool = True) -> Item:
        """A stretch of a tune.

        Args:
            tune: Its number.
            begin: Its first note.
            end: The note after its last.
            given: What is known of each of its notes: 0 nothing, 1 its length, 2 its pitch too (notes,).
            kind: Whether the kind of tune is told.
        """
        window, setting = slice(begin, end), self.tunes[tune].setting
        item: Item = {name: values[window] for name, values in self.inputs[tune].items() if name != "start"}
        for what in range(2):
            item[f"chances_{what}"] = self.chances[what][tune][window]
            item[f"seen_{what}"] = self.seen[what][tune][window]
        if not kind:
            item["kind"] = np.zeros_like(item["kind"])
        at, stood = np.flatnonzero(given), self.inputs[tune]
        known = Given.of(
            stood["start"][window][at].tolist(),
            np.where(given[at] == 2, stood["pitch"][window][at], UNKNOWN).tolist(),
            stood["length"][window][at].tolist(),
            pickup=setting.pickup,
            bar=setting.bar,
        )
        after, item["far"] = known.ahead(stood["start"][window])
        item["next"] = np.where(after == len(at), -1, after)
        item["given_pitch"], item["given_length"] = known.pitches[::-1], known.lengths[::-1]
        item["given_place"] = known.places[::-1]
        item["asked"] = np.stack([given < 1, given < 2], 1).astype(np.int64)
        return item

    def batch(self, rng: np.random.Generator, size: int, length: int, *, free: float) -> dict[str, Tensor]:
        """Random stretches.

        Args:
            rng: Draws.
            size: How many.
            length: Notes of each.
            free: Share of them of which nothing is given.
        """
        items: list[Item] = []
        for _ in range(size):
            tune = int(rng.integers(self.train))
            notes = len(self.tunes[tune].notes)
            begin = int(np.clip(rng.integers(-length // 3, max(1, notes - length // 2)), 0, max(0, notes - length)))
            end = min(notes, begin + length)
            bare = rng.random() < free
            given = np.zeros(end - begin, np.int64) if bare else masked(rng, self.inputs[tune]["place"][begin:end])
            items.append(self.item(tune, begin, end, given, kind=bool(rng.random() < 0.8)))
        return collate(items)


def masked(rng: np.random.Generator, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """What is known of each note of a stretch: the rhythm, all but a part, or pillars to be joined; see `item`."""
    notes = len(places)
    given = np.zeros(notes, np.int64)
    first, last = sorted(rng.integers(0, notes + 1, 2))
    match int(rng.choice(4, p=(0.3, 0.25, 0.25, 0.2))):
        case 0:
            given[:] = 1
            if rng.random() < 0.4:
                given[rng.random(notes) < 0.2] = 2
        case 1:
            given[:] = 2
            given[first:last] = int(rng.random() < 0.3)
        case 2:
            given[places == 0] = 2
            given[rng.random(notes) < 0.3] = 0
        case _:
            given[rng.random(notes) < rng.uniform(0.05, 0.6)] = 2
    return given


def collate(items: Sequence[Item]) -> dict[str, Tensor]:
    """Stretches as one batch, each filled up; `next` points behind the given notes where there is none."""
    notes = max(len(item["length"]) for item in items)
    given = max(1, *(len(item["given_pitch"]) for item in items))
    batch: dict[str, Tensor] = {}
    for name in items[0]:
        size = given if name.startswith("given_") else notes
        filled = np.stack([_filled(item[name], size, _FILL.get(name, 0)) for item in items])
        tensor = torch.from_numpy(filled)
        batch[name] = tensor.float() if filled.dtype == np.float16 else tensor.long()
    batch["next"] = torch.where(batch["next"] < 0, given, batch["next"])
    return batch


def _filled(values: NDArray[np.generic], length: int, fill: int) -> NDArray[np.generic]:
    rest = np.full((length - len(values), *values.shape[1:]), fill, values.dtype)
    return np.concatenate([values, rest])


assert NO_PITCH == UNKNOWN
