"""The chorale network at work, in numpy: what `training/chorales/network.py` trains, several members side by side.

It is small enough that a matrix library alone runs it: four members of 1.4 million weights are 6 million
multiplications a frame and piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.layers import Floats, Layers, gelu, logsumexp
from castalia.modalities.music.voices.experts import EXPERTS, MOVES, OTHER, REACH
from castalia.modalities.music.voices.grid import LOWEST, PITCHES, REST, SYMBOLS, VOICES
from castalia.modalities.music.voices.state import Numbers

UNKNOWN = SYMBOLS
"""Symbol of a note that is not given."""
_TABLES = tuple(f".{name}.weight" for name in ("pitch", "held", "name", "place", "since", "interval"))
"""Weights that are looked up; all others of two axes are multiplied with, and kept turned for that."""
NEAR = 20
"""Semitones up to which intervals have scores of their own."""


class ChoraleNetwork:
    """Members whose chances are averaged; every array has the member as its first axis.

    Args:
        members: Weights of each, by the names of the torch modules.
    """

    def __init__(self, members: Sequence[Mapping[str, NDArray[np.generic]]]) -> None:
        self.members = len(members)
        self._layers = Layers(members, _TABLES)
        self.width = self._layers.weights["trunk.first.weight_hh_l0"].shape[1]

    def encode(self, given: Numbers) -> Floats:
        """What frames should know of given symbols (pieces, frames, voices): (members, pieces, frames, 2 · ahead)."""
        pieces, frames, _ = given.shape
        entered = gelu(self._layers.linear("encoder.join.0", self._look("encoder.pitch", given)))
        size = self._layers.weights["encoder.both.weight_hh_l0"].shape[1]
        found = np.zeros((self.members, pieces, frames, 2 * size), np.float32)
        known = (given != UNKNOWN).any((1, 2))
        if not known.any():
            return found
        for side, suffix in enumerate(("", "_reverse")):
            state = np.zeros((self.members, pieces, size), np.float32)
            for time in range(frames) if side == 0 else reversed(range(frames)):
                state = self._layers.gru("encoder.both", entered[:, :, time], state, suffix)
                found[:, :, time, side * size : (side + 1) * size] = state
        return found * known[None, :, None, None]

    def start(self, rows: int) -> Floats:
        """The state before the first frame (members, layers, rows, width)."""
        return np.zeros((self.members, 2, rows, self.width), np.float32)

    def step(self, inputs: Mapping[str, Numbers], known: Floats, state: Floats) -> tuple[Floats, Floats]:
        """One frame on.

        Args:
            inputs: See `State.inputs`.
            known: What the encoder says of this frame (members, rows, 2 · ahead).
            state: The last step's.

        Returns:
            (what the heads read (members, rows, width), new state).
        """
        previous, reference = inputs["previous"], inputs["reference"]
        name = np.where(previous == REST, 12, (previous + LOWEST) % 12)
        spread = np.concatenate(
            [reference[:, :-1] - reference[:, 1:] + 20, reference[:, :1] - reference[:, -1:] + 12], 1
        ).clip(0, 63)
        each = [
            self._layers.embed("trunk.pitch", previous),
            self._layers.embed("trunk.held", inputs["held"]),
            self._layers.embed("trunk.name", name),
            self._layers.embed("trunk.interval", spread),
        ]
        voices = np.concatenate(each, -1).reshape(self.members, len(previous), -1)
        parts = [
            voices,
            self._layers.embed("trunk.place", inputs["place"]),
            self._layers.embed("trunk.since", inputs["since"]),
            known,
        ]
        entered = gelu(self._layers.linear("trunk.join.0", np.concatenate(parts, -1)))
        first = self._layers.gru("trunk.first", entered, state[:, 0])
        second = self._layers.gru("trunk.second", first, state[:, 1])
        return first + second, np.stack([first, second], 1)

    def scores(
        self,
        voice: int,
        hidden: Floats,
        chosen: Numbers,
        inputs: Mapping[str, Numbers],
        chances: Floats,
        seen: Floats,
        known: Floats,
    ) -> Floats:
        """Log of the members' mean chances of a voice's next symbol (rows, SYMBOLS).

        Args:
            voice: 0 soprano … 3 bass.
            hidden: From `step`.
            chosen: Symbols of the voices above in this frame (rows, voices).
            inputs: As for `step`.
            chances: Logarithms of the experts' chances (rows, EXPERTS, MOVES).
            seen: How often their contexts were seen (rows, EXPERTS).
            known: As for `step`.
        """
        head, rows = f"heads.{voice}", len(chosen)
        previous, home = inputs["previous"], inputs["reference"][:, voice]
        parts = [
            hidden,
            self._layers.embed(f"{head}.pitch", previous[:, voice]),
            self._layers.embed(f"{head}.held", inputs["held"][:, voice]),
            self._layers.each(seen / np.float32(5)),
            self._layers.each(chances[:, :, REACH] / np.float32(3)),
            known,
        ]
        for other in range(voice):
            above = chosen[:, other]
            parts += [
                self._layers.embed(f"{head}.pitch", above),
                self._layers.embed(f"{head}.interval", (above - home + 31).clip(0, 63)),
                self._layers.embed(f"{head}.interval", (above - previous[:, other] + 31).clip(0, 63)),
            ]
        thought = gelu(self._layers.linear(f"{head}.join.0", np.concatenate(parts, -1)))
        step = np.arange(SYMBOLS) - home[:, None]  # (rows, SYMBOLS)
        sounds = np.arange(SYMBOLS) < PITCHES
        by_step = self._layers.linear(f"{head}.by_step", thought)
        near = np.broadcast_to(step.clip(-NEAR, NEAR) + NEAR, (self.members, rows, SYMBOLS))
        scores = self._layers.linear(f"{head}.by_pitch", thought)
        scores = scores + np.take_along_axis(by_step, near, -1) * ((np.abs(step) <= NEAR) & sounds)
        trust = self._layers.linear(f"{head}.trust", thought)
        mixed = np.matmul(trust[:, :, None], chances[None])[:, :, 0]  # (members, rows, MOVES)
        move = np.where((np.abs(step) <= REACH) & sounds, step.clip(-REACH, REACH) + REACH, OTHER)
        scores = scores + np.take_along_axis(mixed, np.broadcast_to(move, scores.shape), -1)
        said = scores - logsumexp(scores, -1)
        return (logsumexp(said, 0)[0] - np.log(self.members)).astype(np.float32)

    # ------------------------------------------------------------ within

    def _look(self, name: str, given: Numbers) -> Floats:
        found = self._layers.embed(name, given)
        return found.reshape(*found.shape[:3], -1)


assert (EXPERTS, MOVES, VOICES) == (5, OTHER + 1, 4)
