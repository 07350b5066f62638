"""Batches for the chorale network: windows of pieces, transposed, with some notes given; a function of (seed, step)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from castalia.modalities.music.voices.experts import Experts, learn
from castalia.modalities.music.voices.grid import HIGHEST, LOWEST, PITCHES, REST, VOICES, Frames, symbols_of
from castalia.modalities.music.voices.state import walk
from castalia.training.chorales.network import UNKNOWN

_FILL = {"target": -1, "given": UNKNOWN, "previous": REST, "reference": 20}
_FLOOR = 1e-6
"""Chance below which an expert's word is not taken."""

Item = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Pieces:
    """Pieces with all that the network reads of them; `train` of them, then those for validation."""

    frames: Sequence[Frames]
    train: int
    inputs: Sequence[Mapping[str, NDArray[np.int64]]]
    chances: Sequence[NDArray[np.float16]]
    """Logarithms (frames, voices, EXPERTS, MOVES)."""
    seen: Sequence[NDArray[np.float16]]
    experts: Experts

    @staticmethod
    def of(train: Sequence[Frames], valid: Sequence[Frames]) -> Pieces:
        """Count the training pieces, and read all."""
        every = [*train, *valid]
        learned = learn(train, valid)
        names = ("previous", "reference", "held")
        inputs = [{name: np.zeros((len(each), VOICES), np.int64) for name in names} for each in every]
        for state, _, going in walk(every):
            found = state.inputs()
            for row in np.flatnonzero(going):
                for name in names:
                    inputs[row][name][state.time] = found[name][row]
        logs = [np.log(np.maximum(each.astype(np.float32), _FLOOR)).astype(np.float16) for each in learned.chances]
        return Pieces(every, len(train), inputs, logs, learned.seen, learned.experts)

    def item(self, piece: int, begin: int, end: int, given: NDArray[np.bool_], *, up: int = 0) -> Item:
        """A window of a piece, `up` semitones higher, of which the notes under `given` (frames, voices) are known."""
        window = slice(begin, end)
        target = _shifted(symbols_of(self.frames[piece][window]), up)
        inputs, time = self.inputs[piece], np.arange(begin, end)
        return {
            "target": target,
            "given": np.where(given, target, UNKNOWN),
            "previous": _shifted(inputs["previous"][window], up),
            "reference": inputs["reference"][window] + up,
            "held": inputs["held"][window],
            "place": time % 16,
            "since": np.minimum(time, 15),
            "chances": self.chances[piece][window],
            "seen": self.seen[piece][window],
        }

    def batch(self, rng: np.random.Generator, size: int, length: int, *, free: float) -> dict[str, Tensor]:
        """Random windows in random keys.

        Args:
            rng: Draws.
            size: Windows.
            length: Frames of each.
            free: Share of windows of which nothing is given.
        """
        items: list[Item] = []
        for _ in range(size):
            piece = int(rng.integers(self.train))
            frames = self.frames[piece]
            begin = min(
                max(0, int(rng.integers(-length // 2, max(1, len(frames) - length // 2)))), max(0, len(frames) - length)
            )
            end = min(len(frames), begin + length)
            sung = frames[frames > 0]
            up = int(rng.integers(max(-6, LOWEST + 1 - sung.min()), min(6, HIGHEST - 1 - sung.max()) + 1))
            given = masked(rng, end - begin) if rng.random() >= free else np.zeros((end - begin, VOICES), bool)
            items.append(self.item(piece, begin, end, given, up=up))
        return collate(items, length)


def masked(rng: np.random.Generator, frames: int) -> NDArray[np.bool_]:
    """Which notes are given (frames, voices): a melody, some voices, all but a stretch, or pillars to be joined."""
    given = np.zeros((frames, VOICES), bool)
    match int(rng.choice(5, p=(0.4, 0.15, 0.15, 0.15, 0.15))):
        case 0:
            given[:, 0] = True
        case 1:
            given[:, rng.permutation(VOICES)[: rng.integers(1, VOICES)]] = True
        case 2:
            first, last = sorted(rng.integers(0, frames + 1, 2))
            given[:] = True
            given[first:last] = False
        case 3:
            given[:, 0] = True
            first, last = sorted(rng.integers(0, frames + 1, 2))
            given[first:last] = True
        case _:
            for _ in range(int(rng.integers(1, 5))):
                first, voices = int(rng.integers(0, frames)), rng.permutation(VOICES)[: rng.integers(1, VOICES + 1)]
                given[first : first + int(rng.choice((4, 8, 12))), voices] = True
            given[-8:, [0, 3]] |= bool(rng.random() < 0.5)
    return given & ~given.all()


def collate(items: Sequence[Item], length: int = 0) -> dict[str, Tensor]:
    """Windows as one batch, filled up to one length."""
    length = length or max(len(item["target"]) for item in items)
    batch: dict[str, Tensor] = {}
    for name in items[0]:
        filled = np.stack([_filled(item[name], length, _FILL.get(name, 0)) for item in items])
        tensor = torch.from_numpy(filled)
        batch[name] = tensor.float() if name in ("chances", "seen") else tensor.long()
    return batch


def _filled(values: NDArray[np.generic], length: int, fill: int) -> NDArray[np.generic]:
    rest = np.full((length - len(values), *values.shape[1:]), fill, values.dtype)
    return np.concatenate([values, rest])


def _shifted(symbols: NDArray[np.int64], up: int) -> NDArray[np.int64]:
    return np.where(symbols == REST, REST, np.clip(symbols + up, 0, PITCHES - 1))
