"""The tune model at work: its network and its counts, several tunes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.folder import ModelFolder
from castalia.modalities.music.layers import Floats, one_thread
from castalia.modalities.music.tunes.experts import Experts, Memory
from castalia.modalities.music.tunes.given import UNKNOWN, Given
from castalia.modalities.music.tunes.network import TuneNetwork
from castalia.modalities.music.tunes.state import State
from castalia.modalities.music.tunes.tune import Numbers, Setting, Tune, length_symbols, pitch_symbols

TAUGHT = 20
"""Tunes of a kind from which the model is taken to know it."""
_FLOOR = 1e-6


class TuneModel:
    """A trained model in a folder.

    Args:
        path: Holds the files of `ModelFolder`.

    Raises:
        MissingError: a file is not there.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path
        self._files = ModelFolder(path)
        self.card = self._files.card

    @staticmethod
    def default() -> TuneModel:
        """The one that comes with the program."""
        return TuneModel(Path(str(files("castalia") / "data" / "music" / "tunes")))

    @property
    def name(self) -> str:
        """As its card says."""
        return self._files.name

    @property
    def digest(self) -> str:
        """See `ModelFolder`."""
        return self._files.digest

    @property
    def build(self) -> str:
        """Engine and version."""
        return self._files.build

    @cached_property
    def network(self) -> TuneNetwork:
        """Its weights."""
        return TuneNetwork(self._files.members())

    @cached_property
    def experts(self) -> Experts:
        """Its counts."""
        return Experts.from_arrays(self._files.counts)

    def knows(self, kind: str) -> bool:
        """Whether it was taught that kind of tune."""
        return bool(self.card["kinds"].get(kind, 0) >= TAUGHT)

    def open(self, settings: Sequence[Setting], givens: Sequence[Given]) -> Writing:
        """Begin tunes of which some notes, or lengths of notes, are given."""
        return Writing(self, settings, givens)


class Writing:
    """Tunes that grow note by note; see `TuneModel.open`."""

    def __init__(self, model: TuneModel, settings: Sequence[Setting], givens: Sequence[Given]) -> None:
        self._model, self._givens = model, givens
        self._ahead = model.network.encode(givens)
        self._network = model.network.start(len(settings))
        self._hidden = self._known = np.zeros(0, np.float32)
        self._inputs: dict[str, Numbers] = {}
        self.state, self.memory = State(settings), Memory(len(settings))

    def begin(self) -> None:
        """Turn to the next note of every tune."""
        rows, last = np.arange(self.state.rows), self._ahead.shape[2] - 1
        found = [each.ahead(np.asarray(tick)) for each, tick in zip(self._givens, self.state.tick, strict=True)]
        sizes = [len(each.starts) for each in self._givens]
        number = np.array([last if at == size else at for (at, _), size in zip(found, sizes, strict=True)], np.int64)
        self._inputs = {**self.state.inputs(), "far": np.array([far for _, far in found], np.int64)}
        self._known = self._ahead[:, rows, number]
        self._hidden, self._network = self._model.network.step(self._inputs, self._known, self._network)

    def scores(self, length: Numbers | None) -> Floats:
        """Log chances of the next length, or of its pitch when `length` (rows,) is said (rows, symbols)."""
        found, seen = self._model.experts.read(self.state, length, self.memory)
        chances = np.log(np.maximum(found, _FLOOR))
        return self._model.network.scores(self._hidden, self._inputs, length, chances, seen, self._known)

    def end(self, ticks: Numbers, length: Numbers, pitch: Numbers, going: NDArray[np.bool_]) -> None:
        """Take a note, as `State.advance` does."""
        self.memory.note(self.state, length, pitch, going)
        self.state.advance(ticks, length, pitch, going)


@one_thread
def nats(model: TuneModel, tunes: Sequence[Tune], *, rhythm: bool = False) -> list[NDArray[np.float64]]:
    """Cost of each note's length and pitch by teacher forcing, nats: by tune (notes, 2).

    Args:
        model: The model.
        tunes: The tunes.
        rhythm: Whether all lengths are given, whose own cost is then 0; else nothing is.
    """
    most, rows = max(len(tune.notes) for tune in tunes), len(tunes)
    notes, many = np.zeros((most, rows, 2), np.int64), np.array([len(tune.notes) for tune in tunes])
    for row, tune in enumerate(tunes):
        notes[: many[row], row] = tune.notes
    lengths, pitches = length_symbols(notes[..., 0]), pitch_symbols(notes[..., 1])
    givens: list[Given] = []
    for row, tune in enumerate(tunes):
        size = int(many[row]) if rhythm else 0
        starts = (np.cumsum(tune.notes[:, 0]) - tune.notes[:, 0])[:size].tolist()
        setting = tune.setting
        lasting = lengths[:size, row].tolist()
        givens.append(Given.of(starts, [UNKNOWN] * size, lasting, pickup=setting.pickup, bar=setting.bar))
    writing = model.open([tune.setting for tune in tunes], givens)
    costs, every = np.zeros((most, rows, 2)), np.arange(rows)
    for number in range(most):
        writing.begin()
        if not rhythm:
            costs[number, :, 0] = -writing.scores(None)[every, lengths[number]]
        costs[number, :, 1] = -writing.scores(lengths[number])[every, pitches[number]]
        writing.end(notes[number, :, 0], lengths[number], pitches[number], many > number)
    return [costs[: many[row], row] for row in range(rows)]
