"""The chorale network at work, in numpy: what `training/music/network.py` trains, several members side by side.

It is small enough that a matrix library alone runs it: four members of 1.4 million weights are 6 million
multiplications a frame and piece.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.voices.experts import EXPERTS, MOVES, OTHER, REACH
from castalia.modalities.music.voices.grid import LOWEST, PITCHES, REST, SYMBOLS, VOICES
from castalia.modalities.music.voices.state import Numbers

UNKNOWN = SYMBOLS
"""Symbol of a note that is not given."""
_TABLES = tuple(f".{name}.weight" for name in ("pitch", "held", "name", "place", "since", "interval"))
"""Weights that are looked up; all others of two axes are multiplied with, and kept turned for that."""
NEAR = 20
"""Semitones up to which intervals have scores of their own."""

Floats = NDArray[np.float32]


class ChoraleNetwork:
    """Members whose chances are averaged; every array has the member as its first axis.

    Args:
        members: Weights of each, by the names of the torch modules.
    """

    def __init__(self, members: Sequence[Mapping[str, NDArray[np.generic]]]) -> None:
        self.members = len(members)
        self._weights: dict[str, Floats] = {}
        for name in members[0]:
            each = np.stack([np.asarray(member[name], np.float32) for member in members])
            table = each.ndim < 3 or name.endswith(_TABLES)
            self._weights[name] = each if table else np.ascontiguousarray(each.transpose(0, 2, 1))
        self.width = self._weights["trunk.first.weight_hh_l0"].shape[1]

    def encode(self, given: Numbers) -> Floats:
        """What frames should know of given symbols (pieces, frames, voices): (members, pieces, frames, 2 · ahead)."""
        pieces, frames, _ = given.shape
        entered = _gelu(self._linear("encoder.join.0", self._look("encoder.pitch", given)))
        size = self._weights["encoder.both.weight_hh_l0"].shape[1]
        found = np.zeros((self.members, pieces, frames, 2 * size), np.float32)
        known = (given != UNKNOWN).any((1, 2))
        if not known.any():
            return found
        for side, suffix in enumerate(("", "_reverse")):
            state = np.zeros((self.members, pieces, size), np.float32)
            for time in range(frames) if side == 0 else reversed(range(frames)):
                state = self._gru("encoder.both", entered[:, :, time], state, suffix)
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
            self._embed("trunk.pitch", previous),
            self._embed("trunk.held", inputs["held"]),
            self._embed("trunk.name", name),
            self._embed("trunk.interval", spread),
        ]
        voices = np.concatenate(each, -1).reshape(self.members, len(previous), -1)
        parts = [
            voices,
            self._embed("trunk.place", inputs["place"]),
            self._embed("trunk.since", inputs["since"]),
            known,
        ]
        entered = _gelu(self._linear("trunk.join.0", np.concatenate(parts, -1)))
        first = self._gru("trunk.first", entered, state[:, 0])
        second = self._gru("trunk.second", first, state[:, 1])
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
            self._embed(f"{head}.pitch", previous[:, voice]),
            self._embed(f"{head}.held", inputs["held"][:, voice]),
            self._each(seen / np.float32(5)),
            self._each(chances[:, :, REACH] / np.float32(3)),
            known,
        ]
        for other in range(voice):
            above = chosen[:, other]
            parts += [
                self._embed(f"{head}.pitch", above),
                self._embed(f"{head}.interval", (above - home + 31).clip(0, 63)),
                self._embed(f"{head}.interval", (above - previous[:, other] + 31).clip(0, 63)),
            ]
        thought = _gelu(self._linear(f"{head}.join.0", np.concatenate(parts, -1)))
        step = np.arange(SYMBOLS) - home[:, None]  # (rows, SYMBOLS)
        sounds = np.arange(SYMBOLS) < PITCHES
        by_step = self._linear(f"{head}.by_step", thought)
        near = np.broadcast_to(step.clip(-NEAR, NEAR) + NEAR, (self.members, rows, SYMBOLS))
        scores = self._linear(f"{head}.by_pitch", thought)
        scores = scores + np.take_along_axis(by_step, near, -1) * ((np.abs(step) <= NEAR) & sounds)
        trust = self._linear(f"{head}.trust", thought)
        mixed = np.matmul(trust[:, :, None], chances[None])[:, :, 0]  # (members, rows, MOVES)
        move = np.where((np.abs(step) <= REACH) & sounds, step.clip(-REACH, REACH) + REACH, OTHER)
        scores = scores + np.take_along_axis(mixed, np.broadcast_to(move, scores.shape), -1)
        said = scores - _logsumexp(scores, -1)
        return (_logsumexp(said, 0)[0] - np.log(self.members)).astype(np.float32)

    # ------------------------------------------------------------ within

    def _embed(self, name: str, index: Numbers) -> Floats:
        """(members, *index, numbers)."""
        return self._weights[f"{name}.weight"][:, index]

    def _look(self, name: str, given: Numbers) -> Floats:
        found = self._embed(name, given)
        return found.reshape(*found.shape[:3], -1)

    def _each(self, values: Floats) -> Floats:
        return np.broadcast_to(values, (self.members, *values.shape))

    def _linear(self, name: str, values: Floats) -> Floats:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        flat = values.reshape(self.members, -1, values.shape[-1])
        return (flat @ weight + bias[:, None]).reshape(*values.shape[:-1], -1)

    def _gru(self, name: str, values: Floats, state: Floats, suffix: str = "") -> Floats:
        """Cho et al. 2014, in torch's form: reset, update and new gate, the bias of the last inside its product."""
        weights = [
            self._weights[f"{name}.{each}_l0{suffix}"] for each in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        entered = values @ weights[0] + weights[2][:, None]
        held = state @ weights[1] + weights[3][:, None]
        size = state.shape[-1]
        gates = _sigmoid((entered[..., : 2 * size] + held[..., : 2 * size]).astype(np.float32))
        new = np.tanh(entered[..., 2 * size :] + gates[..., :size] * held[..., 2 * size :])
        return new + gates[..., size:] * (state - new)


def _sigmoid(values: Floats) -> Floats:
    return (0.5 * (1 + np.tanh(0.5 * values))).astype(np.float32)


def _gelu(values: Floats) -> Floats:
    """Exact but for 2e-7: the error function by Abramowitz and Stegun, 7.1.26."""
    x = np.abs(values) * np.float32(0.70710678)
    t = 1 / (1 + np.float32(0.3275911) * x)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    error = 1 - series * np.exp(-x * x)
    return (values * 0.5 * (1 + np.sign(values) * error)).astype(np.float32)


def _logsumexp(values: Floats, axis: int) -> Floats:
    most = values.max(axis, keepdims=True)
    return most + np.log(np.exp(values - most).sum(axis, keepdims=True))


assert (EXPERTS, MOVES, VOICES) == (5, OTHER + 1, 4)
