"""The chorale model at work: its network and its counts, many pieces in step."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.folder import ModelFolder
from castalia.modalities.music.layers import Floats, one_thread
from castalia.modalities.music.voices.critic import Critic
from castalia.modalities.music.voices.experts import Experts, Memory
from castalia.modalities.music.voices.grid import VOICES, Frames, pitches_of, symbols_of
from castalia.modalities.music.voices.network import UNKNOWN, ChoraleNetwork
from castalia.modalities.music.voices.sonority import Sonorities
from castalia.modalities.music.voices.state import Numbers, State

OPEN = -1
"""Stands in a grid of pitches where a note is to be written."""
CRITIC = "critic.safetensors"
"""Of a model whose drafts are ranked; one without it takes the first draft that keeps the rules."""
_FLOOR = 1e-6


class ChoraleModel:
    """A trained model in a folder.

    Args:
        path: Holds the files of `ModelFolder`.

    Raises:
        MissingError: a file is not there.
    """

    def __init__(self, path: Path) -> None:
        self.folder = path
        self._files = ModelFolder(path, also=(CRITIC,))
        self.card = self._files.card

    @staticmethod
    def default() -> ChoraleModel:
        """The one that comes with the program."""
        return ChoraleModel(Path(str(files("castalia") / "data" / "music" / "chorale")))

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
    def network(self) -> ChoraleNetwork:
        """Its weights."""
        return ChoraleNetwork(self._files.members())

    @cached_property
    def critic(self) -> Critic | None:
        """What ranks its drafts, where it was trained."""
        load: Any = import_module("safetensors.numpy").load_file
        path = self.folder / CRITIC
        return Critic(load(path)) if path.is_file() else None

    @cached_property
    def experts(self) -> Experts:
        """Its counts of moves."""
        return Experts.from_arrays({name: each for name, each in self._files.counts.items() if name != "chords"})

    @cached_property
    def sonorities(self) -> Sonorities:
        """Its counts of chords."""
        return Sonorities(np.asarray(self._files.counts["chords"], np.float32))

    def open(self, given: NDArray[np.int64]) -> Writing:
        """Begin pieces in which some notes are given.

        Args:
            given: Pitches (pieces, frames, voices), 0 for a rest, `OPEN` where the note is to be written.
        """
        symbols = np.where(given == OPEN, UNKNOWN, symbols_of(given))
        return Writing(self, self.network.encode(symbols))


class Writing:
    """Pieces that grow in step.

    Args:
        model: The model.
        ahead: What its encoder says of each frame (members, rows, frames, numbers).
    """

    def __init__(self, model: ChoraleModel, ahead: Floats) -> None:
        rows = ahead.shape[1]
        self._model, self._ahead = model, ahead
        self._network = model.network.start(rows)
        self._hidden = self._known = np.zeros(0, np.float32)
        self._inputs: dict[str, Numbers] = {}
        self.state, self.memory = State(rows), Memory(rows)

    def begin(self) -> None:
        """Turn to the next frame."""
        self._inputs = self.state.inputs()
        self._known = self._ahead[:, :, self.state.time]
        self._hidden, self._network = self._model.network.step(self._inputs, self._known, self._network)

    def scores(self, voice: int, chosen: Numbers) -> Floats:
        """Log chances of a voice's next symbol (rows, SYMBOLS).

        Args:
            voice: 0 soprano … 3 bass.
            chosen: Pitches of the voices above in this frame (rows, voices); others are not looked at.
        """
        found, seen = self._model.experts.read(self.state, voice, chosen, self.memory)
        chances = np.log(np.maximum(found, _FLOOR))
        network = self._model.network
        return network.scores(voice, self._hidden, symbols_of(chosen), self._inputs, chances, seen, self._known)

    def end(self, frame: Numbers) -> None:
        """Take a frame (rows, voices) of pitches."""
        self.memory.note(self.state, frame)
        self.state.advance(frame)


@one_thread
def nats(model: ChoraleModel, pieces: Sequence[Frames], *, soprano: bool = False) -> list[NDArray[np.float64]]:
    """Cost of each note of pieces by teacher forcing, nats: by piece (frames, voices).

    Args:
        model: The model.
        pieces: The pieces.
        soprano: Whether the soprano is given from beginning to end; else nothing is.
    """
    longest, rows = max(map(len, pieces)), len(pieces)
    padded = np.zeros((longest, rows, VOICES), np.int64)
    given = np.full((rows, longest, VOICES), OPEN)
    for row, piece in enumerate(pieces):
        padded[: len(piece), row] = pitches_of(symbols_of(piece))
        if soprano:
            given[row, : len(piece), 0] = padded[: len(piece), row, 0]
    costs = np.zeros((longest, rows, VOICES))
    writing = model.open(given)
    for time, frame in enumerate(padded):
        writing.begin()
        wanted = symbols_of(frame)
        for voice in range(VOICES):
            costs[time, :, voice] = -writing.scores(voice, frame)[np.arange(rows), wanted[:, voice]]
        writing.end(frame)
    return [costs[: len(piece), row] for row, piece in enumerate(pieces)]
