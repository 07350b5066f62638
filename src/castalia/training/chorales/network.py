# pyright: basic
"""The network of four voices: an encoder of what is given, and a decoder that writes frame after frame.

The encoder reads the notes that are fixed beforehand, in both directions, so that what is written now knows where a
given melody goes. The decoder reads the past through two recurrent layers; within a frame each voice knows the voices
above it (soprano → alto → tenor → bass), as chorales are harmonised. It says how far to trust each expert that counts
(`modalities/music/voices/experts.py`), and adds its own scores, by pitch and by interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from castalia.modalities.music.voices.experts import EXPERTS, MOVES, OTHER, REACH
from castalia.modalities.music.voices.grid import LOWEST, PITCHES, REST, SYMBOLS, VOICES

UNKNOWN = SYMBOLS
"""Symbol of a note that is not given."""
NEAR = 20
"""Semitones up to which intervals have scores of their own."""


@dataclass(frozen=True)
class Size:
    """How large a network is; the rest follows from it."""

    width: int = 224
    """Numbers in a frame's state."""
    ahead: int = 64
    """Numbers that the encoder passes on for a frame, from each direction."""
    dropout: float = 0.5


TINY, SMALL, LARGE = Size(32, 8), Size(), Size(448, 128)


class Encoder(nn.Module):
    """Given notes (batch, frames, voices), `UNKNOWN` where none is → what each frame should know (…, 2 · ahead).

    What is said of frames without any given note anywhere is zero: nothing is known, nothing is added.
    """

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.pitch = nn.Embedding(SYMBOLS + 1, 24)
        self.join = nn.Sequential(nn.Linear(VOICES * 24, size.width), nn.GELU(), nn.Dropout(size.dropout / 2))
        self.both = nn.GRU(size.width, size.ahead, batch_first=True, bidirectional=True)

    def forward(self, given: Tensor) -> Tensor:
        known = (given != UNKNOWN).flatten(1).any(1)[:, None, None]
        # (batch, frames, 2 · ahead)
        return self.both(self.join(self.pitch(given).flatten(2)))[0] * known


class Trunk(nn.Module):
    """The past → a state for the next frame (batch, frames, width)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.pitch, self.held = nn.Embedding(SYMBOLS, 24), nn.Embedding(18, 8)
        self.name = nn.Embedding(13, 12)  # pitch class, or rest
        self.place, self.since, self.interval = nn.Embedding(16, 16), nn.Embedding(16, 8), nn.Embedding(64, 16)
        entered = VOICES * (24 + 8 + 12 + 16) + 16 + 8 + 2 * size.ahead
        self.join = nn.Sequential(nn.Linear(entered, size.width), nn.GELU(), nn.Dropout(size.dropout / 2))
        self.first = nn.GRU(size.width, size.width, batch_first=True)
        self.second = nn.GRU(size.width, size.width, batch_first=True)
        self.dropout = nn.Dropout(size.dropout)

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
        """`state` (2, batch, width) holds both layers; see `State.inputs` for the others."""
        name = torch.where(previous == REST, 12, (previous + LOWEST) % 12)
        spread = torch.cat(
            [reference[..., :-1] - reference[..., 1:] + 20, reference[..., :1] - reference[..., -1:] + 12], -1
        )
        parts = [
            torch.cat(
                [self.pitch(previous), self.held(held), self.name(name), self.interval(spread.clamp(0, 63))], -1
            ).flatten(2),
            self.place(place),
            self.since(since),
            ahead,
        ]
        first, one = self.first(self.join(torch.cat(parts, -1)), state[:1].contiguous())
        second, two = self.second(self.dropout(first), state[1:].contiguous())
        return self.dropout(first + second), torch.cat([one, two])


class Head(nn.Module):
    """A voice's scores (batch, frames, SYMBOLS), given the voices above it."""

    def __init__(self, size: Size, voice: int) -> None:
        super().__init__()
        self.voice = voice
        self.pitch, self.held, self.interval = nn.Embedding(SYMBOLS, 24), nn.Embedding(18, 8), nn.Embedding(64, 16)
        entered = size.width + 24 + 8 + voice * (24 + 16 + 16) + 2 * EXPERTS + 2 * size.ahead
        self.join = nn.Sequential(nn.Linear(entered, 224), nn.GELU(), nn.Dropout(size.dropout))
        self.by_pitch, self.by_step = nn.Linear(224, SYMBOLS), nn.Linear(224, 2 * NEAR + 1)
        self.trust = nn.Linear(224, EXPERTS)
        for layer in (self.by_pitch, self.by_step, self.trust):
            nn.init.zeros_(layer.weight)
        nn.init.constant_(self.trust.bias, 1.2 / EXPERTS)

    def forward(
        self,
        state: Tensor,
        chosen: Tensor,
        previous: Tensor,
        reference: Tensor,
        held: Tensor,
        chances: Tensor,
        seen: Tensor,
        ahead: Tensor,
    ) -> Tensor:
        """`chances` are logarithms (batch, frames, EXPERTS, MOVES) of this voice, `seen` (batch, frames, EXPERTS)."""
        mine, home = previous[..., self.voice], reference[..., self.voice]
        parts = [state, self.pitch(mine), self.held(held[..., self.voice]), seen / 5, chances[..., REACH] / 3, ahead]
        for other in range(self.voice):
            above = chosen[..., other]
            parts += [
                self.pitch(above),
                self.interval((above - home + 31).clamp(0, 63)),
                self.interval((above - previous[..., other] + 31).clamp(0, 63)),
            ]
        thought = self.join(torch.cat(parts, -1))
        step = torch.arange(SYMBOLS, device=home.device) - home[..., None]  # (batch, frames, SYMBOLS)
        sounds = torch.arange(SYMBOLS, device=home.device) < PITCHES
        near = (step.abs() <= NEAR) & sounds
        scores = self.by_pitch(thought) + self.by_step(thought).gather(-1, step.clamp(-NEAR, NEAR) + NEAR) * near
        mixed = (self.trust(thought)[..., None] * chances).sum(-2)  # (batch, frames, MOVES)
        move = torch.where((step.abs() <= REACH) & sounds, step.clamp(-REACH, REACH) + REACH, OTHER)
        return scores + mixed.gather(-1, move)


class Network(nn.Module):
    """Encoder, trunk and heads."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        self.encoder, self.trunk = Encoder(size), Trunk(size)
        self.heads = nn.ModuleList(Head(size, voice) for voice in range(VOICES))

    def forward(self, batch: dict[str, Tensor]) -> Tensor:
        """Loss of each note, nats (batch, frames, voices); 0 where it is given or beyond the end."""
        target = batch["target"]
        ahead = self.encoder(batch["given"])
        past = [batch[name] for name in ("previous", "reference", "held")]
        state = target.new_zeros((2, len(target), self.size.width), dtype=torch.float32)
        state, _ = self.trunk(*past, batch["place"], batch["since"], ahead, state)
        chosen = target.clamp(min=0)
        losses: list[Tensor] = []
        for voice, head in enumerate(self.heads):
            chances, seen = batch["chances"][:, :, voice], batch["seen"][:, :, voice]
            scores = head(state, chosen, *past, chances, seen, ahead)
            wanted = torch.where(batch["given"][..., voice] == UNKNOWN, target[..., voice], -1)
            losses.append(
                functional.cross_entropy(
                    scores.flatten(0, 1), wanted.flatten(), ignore_index=-1, reduction="none"
                ).view_as(wanted)
            )
        return torch.stack(losses, -1)


assert MOVES == OTHER + 1
