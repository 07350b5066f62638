# pyright: basic
"""The network of tunes: an encoder of what is given, and a decoder that writes note after note.

The encoder reads the notes that are fixed beforehand, from the last to the first, so that what is written now knows
what comes. The decoder reads the past through a recurrent layer; it says a length, then, knowing that, a pitch. For
each it says how far to trust the experts that count (`modalities/music/tunes/experts.py`) and the echoes, which are the
notes that stood at the same place some bars ago, and adds its own scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from castalia.modalities.music.tunes.experts import EXPERTS, SIZES
from castalia.modalities.music.tunes.given import FAR, UNKNOWN
from castalia.modalities.music.tunes.state import (
    ECHOES,
    LEFT,
    NO_LENGTH,
    NO_PITCH,
    PLACES,
    RUN,
    SECTIONS,
    STRAIN,
)
from castalia.modalities.music.tunes.tune import KINDS, METRES, MODES

NOTES = 3
"""Last notes that are read one by one; those before them through the state."""


@dataclass(frozen=True)
class Size:
    """How large a network is; the rest follows from it."""

    width: int = 192
    """Numbers in a note's state."""
    ahead: int = 64
    """Numbers that the encoder passes on."""
    dropout: float = 0.3


TINY, SMALL, LARGE = Size(32, 8), Size(), Size(448, 128)


class Encoder(nn.Module):
    """Given notes, last to first (batch, given) → states (batch, given + 1, ahead), the last of which is zero."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.pitch, self.length = nn.Embedding(UNKNOWN + 1, 24), nn.Embedding(NO_LENGTH + 1, 12)
        self.place = nn.Embedding(PLACES, 12)
        self.back = nn.GRU(48, size.ahead, batch_first=True)

    def forward(self, pitch: Tensor, length: Tensor, place: Tensor) -> Tensor:
        states = self.back(torch.cat([self.pitch(pitch), self.length(length), self.place(place)], -1))[0]
        return functional.pad(states, (0, 0, 0, 1))


class Trunk(nn.Module):
    """The past → a state for the next note (batch, notes, width)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.pitch, self.length = nn.Embedding(NO_PITCH + 1, 32), nn.Embedding(NO_LENGTH + 1, 16)
        self.place, self.strain = nn.Embedding(PLACES, 24), nn.Embedding(STRAIN, 12)
        self.section, self.left, self.far = nn.Embedding(SECTIONS, 8), nn.Embedding(LEFT, 12), nn.Embedding(FAR, 8)
        self.metre, self.mode = nn.Embedding(len(METRES), 8), nn.Embedding(len(MODES), 8)
        self.kind = nn.Embedding(len(KINDS), 8)
        self.run = nn.Embedding(RUN + 1, 4)
        entered = NOTES * (32 + 16) + 24 + 12 + 8 + 12 + 8 + 3 * 8 + len(ECHOES) * (4 + 32 + 16) + size.ahead
        self.join = nn.Sequential(nn.Linear(entered, size.width), nn.GELU(), nn.Dropout(size.dropout / 2))
        self.first = nn.GRU(size.width, size.width, batch_first=True)
        self.dropout = nn.Dropout(size.dropout)

    def forward(self, past: dict[str, Tensor], known: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """`past` as in `State.inputs`, with `far`; `known` is the encoder's word (batch, notes, ahead)."""
        parts = [
            self.pitch(past["pitches"][..., :NOTES]).flatten(-2),
            self.length(past["lengths"][..., :NOTES]).flatten(-2),
        ]
        parts += [
            getattr(self, name)(past[name])
            for name in ("place", "strain", "section", "left", "metre", "mode", "kind", "far")
        ]
        parts += [
            self.run(past["run"]).flatten(-2),
            self.pitch(past["echo_pitch"]).flatten(-2),
            self.length(past["echo_length"]).flatten(-2),
            known,
        ]
        entered = self.join(torch.cat(parts, -1))
        first, state = self.first(entered, state)
        return self.dropout(first + entered), state


class Head(nn.Module):
    """Scores of the next length, or of its pitch (batch, notes, symbols)."""

    def __init__(self, size: Size, what: int) -> None:
        super().__init__()
        self.what = what
        self.length = nn.Embedding(NO_LENGTH + 1, 16)
        entered = size.width + size.ahead + 2 * EXPERTS + 2 * len(ECHOES) + what * 16
        self.join = nn.Sequential(nn.Linear(entered, size.width), nn.GELU(), nn.Dropout(size.dropout))
        self.own, self.trust = nn.Linear(size.width, SIZES[what]), nn.Linear(size.width, EXPERTS)
        self.echo = nn.Linear(size.width, len(ECHOES))
        for layer in (self.own, self.trust, self.echo):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.trust.bias, 1.1 / EXPERTS)

    def forward(
        self, state: Tensor, known: Tensor, past: dict[str, Tensor], length: Tensor, chances: Tensor, seen: Tensor
    ) -> Tensor:
        """`chances` are logarithms (batch, notes, EXPERTS, symbols), `seen` (batch, notes, EXPERTS).

        `length` is the note's, read by the head of pitches alone.
        """
        none = (NO_LENGTH, NO_PITCH)[self.what]
        echo = past[("echo_length", "echo_pitch")[self.what]]
        there, agrees = (echo != none).float(), (past["echo_length"] == length[..., None]).float() * self.what
        best = chances.max(-1).values  # how sure each expert is
        parts = [state, known, seen / 5, best, there * past["run"] / RUN, agrees]
        if self.what:
            parts.append(self.length(length))
        thought = self.join(torch.cat(parts, -1))
        mixed = (self.trust(thought)[..., None] * chances).sum(-2)  # (batch, notes, symbols)
        bonus = functional.one_hot(echo.clamp(max=none), none + 1)[..., :-1] * self.echo(thought)[..., None]
        return self.own(thought) + mixed + bonus.sum(-2)


class Network(nn.Module):
    """Encoder, trunk and both heads."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.encoder, self.trunk = Encoder(size), Trunk(size)
        self.heads = nn.ModuleList(Head(size, what) for what in range(len(SIZES)))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Loss of each note's length and pitch, nats (batch, notes, 2); 0 where it is given or beyond the end."""
        ahead = self.encoder(batch["given_pitch"], batch["given_length"], batch["given_place"])
        known = ahead.gather(1, batch["next"][..., None].expand(-1, -1, ahead.shape[-1]))
        state = ahead.new_zeros((1, len(known), self.size.width))
        hidden, _ = self.trunk(batch, known, state)
        length = batch["length"].clamp(min=0)
        losses: list[Tensor] = []
        for what, head in enumerate(self.heads):
            scores = head(hidden, known, batch, length, batch[f"chances_{what}"], batch[f"seen_{what}"])
            wanted = batch[("length", "pitch")[what]].masked_fill(batch["asked"][..., what] == 0, -1)
            losses.append(
                functional.cross_entropy(
                    scores.flatten(0, 1), wanted.flatten(), ignore_index=-1, reduction="none"
                ).view_as(wanted)
            )
        return torch.stack(losses, -1)
