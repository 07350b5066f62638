"""What a brief's words ask of a background piece: mode, tempo, density, register, instruments, drums."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from castalia.core.script import simplified
from castalia.genres._music import Mode, mood_of, moods_in

_SPARSE = re.compile(r"\b(sparse|minimal|simple|few notes)\b|稀疏|极简|简单", re.IGNORECASE)
_DENSE = re.compile(r"\b(dense|full|busy|rich|big)\b|丰富|饱满|密集|宏大", re.IGNORECASE)
_REGISTERS = {"low": re.compile(r"\b(low|deep)\b|低沉|低音区", re.IGNORECASE),
              "high": re.compile(r"\b(high|airy|light)\b|高音|轻盈", re.IGNORECASE)}  # fmt: skip


@dataclass(frozen=True)
class Mood:
    """See the module."""

    mode: Mode | None
    tempo: int
    """Quarters a minute."""
    density: int
    """1 sparse to 3 dense."""
    register: str
    """low, middle or high."""
    drums: str
    """A texture of drums, or `none`."""
    instruments: tuple[str, ...]
    sevenths: bool
    """Whether chords have sevenths."""


def mood(words: str) -> Mood:
    """The mood of a text: each word's own, the first to speak of a thing deciding it, tempo the mean."""
    words = simplified(words)
    hits = moods_in(words)
    mode, tempo = mood_of(words)
    density = 1 if _SPARSE.search(words) else 3 if _DENSE.search(words) else _first(hits, "density", 2)
    named = next((name for name, found in _REGISTERS.items() if found.search(words)), "")
    instruments = tuple(_first(hits, "instruments", ("piano", "strings", "bass")))
    return Mood(
        mode=mode,
        tempo=tempo,
        density=density,
        register=named or _first(hits, "register", "middle"),
        drums=_first(hits, "drums", "none"),
        instruments=instruments,
        sevenths=any(hit.get("sevenths") for hit in hits),
    )


def _first(hits: list[dict[str, Any]], name: str, otherwise: Any) -> Any:  # noqa: ANN401 (as in the table)
    return next((hit[name] for hit in hits if name in hit), otherwise)
