# pyright: basic
"""The chorale network as ONNX graphs, for other programs: what is given, one frame on, the scores of four voices."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from castalia.modalities.music.voices.experts import EXPERTS, MOVES
from castalia.modalities.music.voices.grid import LOWEST, REST, VOICES
from castalia.training.chorales.network import UNKNOWN, Network
from castalia.training.onnx_file import write

MEANING = {
    "given": f"symbols of fixed notes: MIDI pitch - {LOWEST}, {REST} for a rest, {UNKNOWN} where none is given",
    "ahead": "what the encoder says, by member; to `step` and `scores` goes the frame that is written",
    "previous": f"symbols of the frame before; {REST} before the first",
    "reference": "symbols of the pitches last sung",
    "held": "sixteenths that each note has sounded, at most 17",
    "place": "sixteenth of the bar",
    "since": "sixteenths since the beginning, at most 15",
    "state": "of the recurrent layers; zero at first, then `next`",
    "next": "the new state",
    "hidden": "what `scores` reads",
    "chosen": "symbols of this frame's voices that are written already; others are not looked at",
    "chances": "logarithms of the experts' chances, by voice, from counts.npz",
    "seen": "how often the experts' contexts were seen",
    "scores": "logarithm of the members' mean chance of each symbol, soprano to bass",
}
"""What goes in and out."""


class Ahead(nn.Module):
    """All members' encoders: given notes (batch, frames, voices) → (members, batch, frames, 2 · ahead)."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.each = nn.ModuleList(member.encoder for member in members)

    def forward(self, given: Tensor) -> Tensor:
        return torch.stack([encoder(given) for encoder in self.each])


class Step(nn.Module):
    """All members' trunks, one frame on."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.each = nn.ModuleList(member.trunk for member in members)

    def forward(
        self,
        previous: Tensor,
        reference: Tensor,
        held: Tensor,
        place: Tensor,
        since: Tensor,
        ahead: Tensor,
        state: Tensor,
    ) -> tuple[Tensor, Tensor]:
        hidden: list[Tensor] = []
        states: list[Tensor] = []
        for number, trunk in enumerate(self.each):
            past = [each[:, None] for each in (previous, reference, held, place, since, ahead[number])]
            one, new = trunk(*past, state[number])
            hidden.append(one[:, 0])
            states.append(new)
        return torch.stack(hidden), torch.stack(states)


class Scores(nn.Module):
    """Logarithm of the members' mean chance of each symbol (batch, voices, symbols)."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.each = nn.ModuleList(member.heads for member in members)

    def forward(
        self,
        hidden: Tensor,
        chosen: Tensor,
        previous: Tensor,
        reference: Tensor,
        held: Tensor,
        chances: Tensor,
        seen: Tensor,
        ahead: Tensor,
    ) -> Tensor:
        past = [each[:, None] for each in (chosen, previous, reference, held)]
        said: list[Tensor] = []
        for number, heads in enumerate(self.each):
            state, known = hidden[number][:, None], ahead[number][:, None]
            voices = [
                head(state, *past, chances[:, None, voice], seen[:, None, voice], known)[:, 0]
                for voice, head in enumerate(list(heads.children()))
            ]
            said.append(torch.stack(voices, 1).log_softmax(-1))
        return torch.stack(said).logsumexp(0) - float(np.log(len(self.each)))


def write_graphs(members: Sequence[Network], folder: Path) -> None:
    """Write `encoder.onnx`, `step.onnx` and `scores.onnx` into a folder, large weights in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    size, many = members[0].size, len(members)
    for member in members:
        member.eval()
    pair, triple = 2, 3  # sizes of the examples; both axes are free in the graphs
    past = [torch.zeros((pair, VOICES), dtype=torch.long) for _ in range(triple)]
    ahead = torch.zeros((many, pair, 2 * size.ahead))
    one = torch.zeros(pair, dtype=torch.long)
    write(
        Ahead(members),
        (torch.zeros((pair, triple, VOICES), dtype=torch.long),),
        ("given",),
        ("ahead",),
        folder / "encoder.onnx",
        {"given": {0: "batch", 1: "frames"}, "ahead": {1: "batch", 2: "frames"}},
    )
    write(
        Step(members),
        (*past, one, one, ahead, torch.zeros((many, 2, pair, size.width))),
        ("previous", "reference", "held", "place", "since", "ahead", "state"),
        ("hidden", "next"),
        folder / "step.onnx",
        {
            **{name: {0: "batch"} for name in ("previous", "reference", "held", "place", "since")},
            "ahead": {1: "batch"},
            "state": {2: "batch"},
            "hidden": {1: "batch"},
            "next": {2: "batch"},
        },
    )
    write(
        Scores(members),
        (
            torch.zeros((many, pair, size.width)),
            past[0],
            *past,
            torch.zeros((pair, VOICES, EXPERTS, MOVES)),
            torch.zeros((pair, VOICES, EXPERTS)),
            ahead,
        ),
        ("hidden", "chosen", "previous", "reference", "held", "chances", "seen", "ahead"),
        ("scores",),
        folder / "scores.onnx",
        {
            **{name: {0: "batch"} for name in ("chosen", "previous", "reference", "held", "chances", "seen", "scores")},
            "hidden": {1: "batch"},
            "ahead": {1: "batch"},
        },
    )
