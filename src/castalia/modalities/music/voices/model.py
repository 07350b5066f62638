"""The chorale model at work: its network and its counts, many pieces in step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, wraps
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import MissingError
from castalia.core.language import say
from castalia.modalities.music.voices.critic import Critic
from castalia.modalities.music.voices.experts import Experts, Memory
from castalia.modalities.music.voices.grid import VOICES, Frames, pitches_of, symbols_of
from castalia.modalities.music.voices.network import UNKNOWN, ChoraleNetwork, Floats
from castalia.modalities.music.voices.sonority import Sonorities
from castalia.modalities.music.voices.state import Numbers, State

OPEN = -1
"""Stands in a grid of pitches where a note is to be written."""
PARTS = ("weights.safetensors", "counts.npz", "card.json")
CRITIC = "critic.safetensors"
"""Of a model whose drafts are ranked; one without it takes the first draft that keeps the rules."""
_FLOOR = 1e-6
P = ParamSpec("P")
T = TypeVar("T")


def one_thread(run: Callable[P, T]) -> Callable[P, T]:
    """The same function with one thread for products of matrices, which are too small here to be shared."""

    @wraps(run)
    def limited(*args: P.args, **kwargs: P.kwargs) -> T:
        limits: Any = import_module("threadpoolctl").threadpool_limits
        with limits(limits=1, user_api="blas"):
            return run(*args, **kwargs)

    return limited


class ChoraleModel:
    """A trained model in a folder.

    Args:
        folder: Holds the files of `PARTS`.

    Raises:
        MissingError: a file is not there.
    """

    def __init__(self, folder: Path) -> None:
        missing = [name for name in PARTS if not (folder / name).is_file()]
        if missing:
            raise MissingError(
                say(
                    "{folder} is no music model: {names} missing.",
                    "{folder} 不是音乐模型：缺少 {names}。",
                    folder=folder,
                    names=", ".join(missing),
                ),
                hint="castalia train music --collection NAME",
            )
        self.folder = folder
        self.card: Mapping[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))

    @staticmethod
    def default() -> ChoraleModel:
        """The one that comes with the program."""
        return ChoraleModel(Path(str(files("castalia") / "data" / "music" / "chorale")))

    @property
    def name(self) -> str:
        """As its card says."""
        return str(self.card["name"])

    @property
    def digest(self) -> str:
        """SHA-256 over its files, in the order of `PARTS`, the critic last."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        whole = hashlib.sha256()
        for name in (*PARTS, CRITIC):
            if (path := self.folder / name).is_file():
                whole.update(path.read_bytes())
        return whole.hexdigest()

    @property
    def build(self) -> str:
        """Engine and version."""
        return f"numpy {np.__version__}"

    @cached_property
    def network(self) -> ChoraleNetwork:
        """Its weights."""
        load: Any = import_module("safetensors.numpy").load_file
        flat: Mapping[str, NDArray[np.generic]] = load(self.folder / "weights.safetensors")
        members: list[dict[str, NDArray[np.generic]]] = [{} for _ in range(self.card["members"])]
        for name, values in flat.items():
            number, _, rest = name.partition(".")
            members[int(number)][rest] = values
        return ChoraleNetwork(members)

    @cached_property
    def critic(self) -> Critic | None:
        """What ranks its drafts, where it was trained."""
        load: Any = import_module("safetensors.numpy").load_file
        path = self.folder / CRITIC
        return Critic(load(path)) if path.is_file() else None

    @cached_property
    def experts(self) -> Experts:
        """Its counts of moves."""
        return Experts.from_arrays({name: each for name, each in self._counts.items() if name != "chords"})

    @cached_property
    def sonorities(self) -> Sonorities:
        """Its counts of chords."""
        return Sonorities(np.asarray(self._counts["chords"], np.float32))

    @cached_property
    def _counts(self) -> Mapping[str, NDArray[np.generic]]:
        with np.load(self.folder / "counts.npz", allow_pickle=False) as arrays:
            return dict(arrays)

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
