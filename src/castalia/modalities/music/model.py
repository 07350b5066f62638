"""The chorale model at work: ONNX graphs and counts, many pieces in step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import MissingError
from castalia.core.language import say
from castalia.modalities.music.experts import EXPERTS, MOVES, Experts, Memory
from castalia.modalities.music.grid import SYMBOLS, VOICES, Frames, pitches_of, symbols_of
from castalia.modalities.music.state import Numbers, State

OPEN = -1
"""Stands in a grid of pitches where a note is to be written."""
UNKNOWN = SYMBOLS
"""Symbol of a note that is not given."""
PARTS = ("encoder.onnx", "step.onnx", "scores.onnx", "counts.npz", "card.json")
_FLOOR = 1e-6

Scores = NDArray[np.float32]


class ChoraleModel:
    """A trained model in a folder.

    Args:
        folder: Holds the files of `PARTS`.
        threads: For the graphs.

    Raises:
        MissingError: a file is not there.
    """

    def __init__(self, folder: Path, *, threads: int = 1) -> None:
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
        self.folder, self.threads = folder, threads
        self.card: Mapping[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        self._graphs: dict[str, Any] = {}

    @staticmethod
    def default(*, threads: int = 1) -> ChoraleModel:
        """The one that comes with the program."""
        return ChoraleModel(Path(str(files("castalia") / "data" / "music" / "chorale")), threads=threads)

    @property
    def name(self) -> str:
        """As its card says."""
        return str(self.card["name"])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over its files, in the order of `PARTS`."""
        whole = hashlib.sha256()
        for name in PARTS:
            whole.update((self.folder / name).read_bytes())
        return whole.hexdigest()

    @property
    def build(self) -> str:
        """Engine and version."""
        return f"onnxruntime {version('onnxruntime')}"

    @cached_property
    def experts(self) -> Experts:
        """Its counts."""
        with np.load(self.folder / "counts.npz", allow_pickle=False) as arrays:
            return Experts.from_arrays(dict(arrays))

    def open(self, given: NDArray[np.int64]) -> Writing:
        """Begin pieces in which some notes are given.

        Args:
            given: Pitches (pieces, frames, voices), 0 for a rest, `OPEN` where the note is to be written.
        """
        symbols = np.where(given == OPEN, UNKNOWN, symbols_of(given))
        (ahead,) = self.run("encoder.onnx", {"given": symbols})
        return Writing(self, ahead, len(given))

    def run(self, graph: str, inputs: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[Any]]:
        """One pass of a graph."""
        if graph not in self._graphs:
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = self.threads
            options.log_severity_level = 3
            self._graphs[graph] = onnxruntime.InferenceSession(
                str(self.folder / graph), options, providers=["CPUExecutionProvider"]
            )
        return self._graphs[graph].run(None, dict(inputs))


class Writing:
    """Pieces that grow in step.

    Args:
        model: The model.
        ahead: What its encoder says of each frame (members, rows, frames, numbers).
        rows: How many pieces.
    """

    def __init__(self, model: ChoraleModel, ahead: NDArray[np.float32], rows: int) -> None:
        self._model, self._ahead = model, ahead
        size = model.card["network"]
        self._state = np.zeros((size["members"], 2, rows, size["width"]), np.float32)
        self._hidden = self._known = np.zeros(0, np.float32)
        self._inputs: dict[str, Numbers] = {}
        self.state, self.memory = State(rows), Memory(rows)

    def begin(self) -> None:
        """Turn to the next frame."""
        self._inputs = self.state.inputs()
        self._known = np.ascontiguousarray(self._ahead[:, :, self.state.time])
        self._hidden, self._state = self._model.run(
            "step.onnx", {**self._inputs, "ahead": self._known, "state": self._state}
        )

    def scores(self, voice: int, chosen: Numbers) -> Scores:
        """Log chances of a voice's next symbol (rows, SYMBOLS).

        Args:
            voice: 0 soprano … 3 bass.
            chosen: Pitches of the voices above in this frame (rows, voices); others are not looked at.
        """
        rows = self.state.rows
        chances, seen = (
            np.zeros((rows, VOICES, EXPERTS, MOVES), np.float32),
            np.zeros((rows, VOICES, EXPERTS), np.float32),
        )
        found, depth = self._model.experts.read(self.state, voice, chosen, self.memory)
        chances[:, voice] = np.log(np.maximum(found, _FLOOR))
        seen[:, voice] = depth
        past = {name: self._inputs[name] for name in ("previous", "reference", "held")}
        inputs = {"hidden": self._hidden, "chosen": symbols_of(chosen), **past, "chances": chances, "seen": seen}
        return self._model.run("scores.onnx", {**inputs, "ahead": self._known})[0][:, voice]

    def end(self, frame: Numbers) -> None:
        """Take a frame (rows, voices) of pitches."""
        self.memory.note(self.state, frame)
        self.state.advance(frame)

    def take(self, rows: Sequence[int]) -> None:
        """Keep these pieces alone, some perhaps several times."""
        chosen = list(rows)
        self._ahead, self._state = self._ahead[:, chosen], self._state[:, :, chosen]
        self.state.take(chosen)
        self.memory.take(chosen)


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
