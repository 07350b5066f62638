# pyright: basic
"""The network of tunes as ONNX graphs: what is given, one note on, the scores of its length and of its pitch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from castalia.modalities.music.tunes.experts import EXPERTS, SIZES
from castalia.modalities.music.tunes.given import FAR, UNKNOWN
from castalia.modalities.music.tunes.state import BACK, ECHOES, NO_LENGTH, NO_PITCH, RUN
from castalia.modalities.music.tunes.tune import LENGTHS, LOWEST, REST
from castalia.training.onnx_file import write
from castalia.training.tunes.network import Network

ABOUT = ("place", "strain", "section", "left", "metre", "mode", "kind", "far")
RECENT, ECHOED = ("pitches", "lengths"), ("echo_pitch", "echo_length", "run")
MEANING = {
    "given_pitch": f"given notes, last to first: semitones above the tonic + {-LOWEST}, {REST} a rest, {UNKNOWN} open",
    "given_length": f"their lengths: number among the ticks {', '.join(map(str, LENGTHS))}; 48 ticks are a quarter",
    "given_place": "where in the bar they begin, in 4 ticks",
    "ahead": "what the encoder says, by member, last note to first, and zero at the end",
    "known": "what `ahead` says of the given note that comes next; of its end where none comes",
    "place": "where in the bar the note begins, in 4 ticks",
    "strain": "number of its bar, modulo 8",
    "section": "number of its eight bars, at most 3",
    "left": "bars that are left, at most 9",
    "metre": "2/4, 3/4, 4/4, 6/8, 9/8, 12/8, from 0",
    "mode": "major, minor, dorian, mixolydian, from 0",
    "kind": "none, air, jig, slip jig, reel, hornpipe, strathspey, march, waltz, polka, from 0",
    "far": f"step of the distance to the given note that comes next, {FAR - 1} for none",
    "pitches": f"the last five pitches, newest first, {NO_PITCH} before the beginning",
    "lengths": f"their lengths, {NO_LENGTH} before the beginning",
    "echo_pitch": f"the pitch that began at the same place {', '.join(map(str, ECHOES))} bars ago, {NO_PITCH} for none",
    "echo_length": f"its length, {NO_LENGTH} for none",
    "run": f"notes in a row that agreed with each echo, at most {RUN}",
    "state": "of the recurrent layer; zero at first, then `next`",
    "next": "the new state",
    "hidden": "what `lengths` and `pitches` read",
    "length": "the length that was chosen",
    "chances": "logarithms of the experts' chances, from counts.npz",
    "seen": "how often the experts' contexts were seen",
    "scores": "logarithm of the members' mean chance of each symbol",
}
"""What goes in and out."""


class Ahead(nn.Module):
    """All members' encoders: given notes (batch, given) → (members, batch, given + 1, ahead)."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.each = nn.ModuleList(member.encoder for member in members)

    def forward(self, pitch: Tensor, length: Tensor, place: Tensor) -> Tensor:
        return torch.stack([encoder(pitch, length, place) for encoder in self.each])


class Step(nn.Module):
    """All members' trunks, one note on."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.each = nn.ModuleList(member.trunk for member in members)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Those of `ABOUT`, `RECENT` and `ECHOED`, then `known` and `state` (members, batch, …)."""
        *past, known, state = inputs
        named = {name: each[:, None] for name, each in zip((*ABOUT, *RECENT, *ECHOED), past, strict=True)}
        hidden: list[Tensor] = []
        states: list[Tensor] = []
        for number, trunk in enumerate(self.each):
            one, new = trunk(named, known[number][:, None], state[number][None])
            hidden.append(one[:, 0])
            states.append(new[0])
        return torch.stack(hidden), torch.stack(states)


class Scores(nn.Module):
    """Logarithm of the members' mean chance of each length, or of each pitch of a note of known length."""

    def __init__(self, members: Sequence[Network], what: int) -> None:
        super().__init__()
        self.what = what
        self.each = nn.ModuleList(list(member.heads.children())[what] for member in members)

    def forward(self, *inputs: Tensor) -> Tensor:
        """`hidden`, those of `ECHOED`, `chances`, `seen`, `known`; of pitches `length` too."""
        hidden, *echoed, chances, seen, known = inputs[: len(ECHOED) + 4]
        past = {name: each[:, None] for name, each in zip(ECHOED, echoed, strict=True)}
        length = inputs[-1] if self.what else torch.zeros_like(echoed[0][:, 0])
        said = [
            head(
                hidden[number][:, None], known[number][:, None], past, length[:, None], chances[:, None], seen[:, None]
            )
            for number, head in enumerate(self.each)
        ]
        return torch.stack(said)[:, :, 0].log_softmax(-1).logsumexp(0) - float(np.log(len(self.each)))


def write_graphs(members: Sequence[Network], folder: Path) -> None:
    """Write `encoder.onnx`, `step.onnx`, `lengths.onnx` and `pitches.onnx` into a folder, as `MEANING` says."""
    folder.mkdir(parents=True, exist_ok=True)
    size, many = members[0].size, len(members)
    for member in members:
        member.eval()
    pair = 2  # of the examples; the axis is free in the graphs
    one = torch.zeros(pair, dtype=torch.long)
    given = [torch.zeros((pair, 3), dtype=torch.long)] * 3
    recent = [torch.zeros((pair, BACK), dtype=torch.long)] * len(RECENT)
    echoed = [torch.zeros((pair, len(ECHOES)), dtype=torch.long)] * len(ECHOED)
    known = torch.zeros((many, pair, size.ahead))
    state = torch.zeros((many, pair, size.width))
    names = ("given_pitch", "given_length", "given_place")
    axes = {name: {0: "batch", 1: "given"} for name in names} | {"ahead": {1: "batch", 2: "given_and_end"}}
    write(Ahead(members), tuple(given), names, ("ahead",), folder / "encoder.onnx", axes)
    first, second = {0: "batch"}, {1: "batch"}
    past = (*ABOUT, *RECENT, *ECHOED)
    axes = dict.fromkeys(past, first) | dict.fromkeys(("known", "state", "hidden", "next"), second)
    write(
        Step(members),
        (*[one] * len(ABOUT), *recent, *echoed, known, state),
        (*past, "known", "state"),
        ("hidden", "next"),
        folder / "step.onnx",
        axes,
    )
    read = ("hidden", *ECHOED, "chances", "seen", "known")
    axes = dict.fromkeys((*ECHOED, "chances", "seen", "length", "scores"), first)
    axes |= dict.fromkeys(("hidden", "known"), second)
    for what, name in enumerate(("lengths", "pitches")):
        expert = (torch.zeros((pair, EXPERTS, SIZES[what])), torch.zeros((pair, EXPERTS)))
        asked = ("length",) * what
        write(
            Scores(members, what),
            (state, *echoed, *expert, known, *[one] * what),
            (*read, *asked),
            ("scores",),
            folder / f"{name}.onnx",
            {key: value for key, value in axes.items() if key in (*read, *asked, "scores")},
        )
