"""The network of tunes at work, in numpy: what `training/tunes/network.py` trains, several members side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.layers import Floats, Layers, gelu, logsumexp
from castalia.modalities.music.tunes.given import UNKNOWN, Given
from castalia.modalities.music.tunes.state import NO_LENGTH, NO_PITCH, RUN
from castalia.modalities.music.tunes.tune import Numbers

NOTES = 3
"""Last notes that are read one by one; those before them through the state."""
_ABOUT = ("place", "strain", "section", "left", "metre", "mode", "kind", "far")
_TABLES = tuple(f".{name}.weight" for name in (*_ABOUT, "pitch", "length", "run"))
"""Weights that are looked up."""


class TuneNetwork:
    """Members whose chances are averaged; every array has the member as its first axis.

    Args:
        members: Weights of each, by the names of the torch modules.
    """

    def __init__(self, members: Sequence[Mapping[str, NDArray[np.generic]]]) -> None:
        self.members = len(members)
        self._layers = Layers(members, _TABLES)
        self.width = self._layers.weights["trunk.first.weight_hh_l0"].shape[1]

    def encode(self, givens: Sequence[Given]) -> Floats:
        """What is given, from the last note to the first: (members, rows, most given + 1, ahead); zero at the end."""
        most = max(len(each.starts) for each in givens)
        size = self._layers.weights["encoder.back.weight_hh_l0"].shape[1]
        found = np.zeros((self.members, len(givens), most + 1, size), np.float32)
        filled = [
            np.stack([np.pad(values[::-1], (0, most - len(values)), constant_values=fill) for values in column])
            for column, fill in (
                ([each.pitches for each in givens], UNKNOWN),
                ([each.lengths for each in givens], NO_LENGTH),
                ([each.places for each in givens], 0),
            )
        ]
        names = ("encoder.pitch", "encoder.length", "encoder.place")
        entered = np.concatenate([self._layers.embed(name, each) for name, each in zip(names, filled, strict=True)], -1)
        state = found[:, :, -1]
        for number in range(most):
            state = self._layers.gru("encoder.back", entered[:, :, number], state)
            found[:, :, number] = state
        return found

    def start(self, rows: int) -> Floats:
        """The state before the first note (members, rows, width)."""
        return np.zeros((self.members, rows, self.width), np.float32)

    def step(self, inputs: Mapping[str, Numbers], known: Floats, state: Floats) -> tuple[Floats, Floats]:
        """One note on.

        Args:
            inputs: See `State.inputs`, with `far`.
            known: What the encoder says of what comes (members, rows, ahead).
            state: The last step's.

        Returns:
            (what the heads read (members, rows, width), new state).
        """
        look = self._layers.embed
        parts = [look("trunk.pitch", inputs["pitches"][:, :NOTES]), look("trunk.length", inputs["lengths"][:, :NOTES])]
        parts += [look(f"trunk.{name}", inputs[name]) for name in _ABOUT]
        parts += [
            look("trunk.run", inputs["run"]),
            look("trunk.pitch", inputs["echo_pitch"]),
            look("trunk.length", inputs["echo_length"]),
            known,
        ]
        flat = np.concatenate([each.reshape(*each.shape[:2], -1) for each in parts], -1)
        entered = gelu(self._layers.linear("trunk.join.0", flat))
        state = self._layers.gru("trunk.first", entered, state)
        return state + entered, state

    def scores(
        self,
        hidden: Floats,
        inputs: Mapping[str, Numbers],
        length: Numbers | None,
        chances: Floats,
        seen: Floats,
        known: Floats,
    ) -> Floats:
        """Log of the members' mean chances of the next length, or of its pitch when that is known (rows, symbols).

        Args:
            hidden: From `step`.
            inputs: As for `step`.
            length: Its length as a symbol (rows,); None asks for it.
            chances: Logarithms of the experts' chances (rows, EXPERTS, symbols).
            seen: How often their contexts were seen (rows, EXPERTS).
            known: As for `step`.
        """
        layers, head = self._layers, f"heads.{int(length is not None)}"
        none, echo = (NO_LENGTH, inputs["echo_length"]) if length is None else (NO_PITCH, inputs["echo_pitch"])
        agrees = np.zeros(echo.shape) if length is None else inputs["echo_length"] == length[:, None]
        parts = [
            hidden,
            known,
            layers.each(seen / np.float32(5)),
            layers.each(chances.max(-1)),
            layers.each(((echo != none) * inputs["run"] / RUN).astype(np.float32)),
            layers.each(agrees.astype(np.float32)),
        ]
        if length is not None:
            parts.append(layers.embed(f"{head}.length", length))
        thought = gelu(layers.linear(f"{head}.join.0", np.concatenate(parts, -1)))
        trust = layers.linear(f"{head}.trust", thought)
        scores = layers.linear(f"{head}.own", thought) + np.matmul(trust[:, :, None], chances[None])[:, :, 0]
        bonus = np.pad(scores, ((0, 0), (0, 0), (0, 1)))
        strength = layers.linear(f"{head}.echo", thought)
        rows = np.arange(len(echo))
        for number in range(echo.shape[1]):
            bonus[:, rows, echo[:, number]] += strength[:, :, number]
        said = bonus[..., :-1] - logsumexp(bonus[..., :-1], -1)
        return (logsumexp(said, 0)[0] - np.log(self.members)).astype(np.float32)
