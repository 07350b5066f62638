"""Textures as data: what is struck in a bar, by metre."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import QUARTER, Metre
from castalia.modalities.music.files.bars import Bar

Role = Literal["chords", "bass", "drums"]
_HOLD = {"chords": "all", "bass": "root"}
_EIGHTH = QUARTER // 2


class Stroke(NamedTuple):
    """One thing that is struck."""

    start: int
    """Ticks from the bar's beginning."""
    length: int
    what: str | int
    """See `data/textures.toml`."""
    accent: int
    """Added to the velocity."""


@dataclass(frozen=True)
class Texture:
    """A way to accompany."""

    name: str
    role: Role
    bars: Mapping[str, tuple[Stroke, ...]]
    """Strokes by metre; none are needed for one that holds each chord."""
    cadences: Mapping[str, tuple[Stroke, ...]]
    """The same of the last bar of a phrase."""
    ties: bool
    """Whether a chord that goes on into the next bar is not struck again."""
    smooth: bool
    """Whether a bass may take the third for a smoother line."""


def texture_of(role: Role, name: str) -> Texture:
    """The texture of that name.

    Raises:
        UsageError: the role has none by that name.
    """
    known = _textures()
    if (role, name) not in known:
        raise UsageError(
            say("There is no texture {name!r} for {role}.", "{role} 没有织体 {name!r}。", name=name, role=role),
            hint=", ".join(sorted(other for kind, other in known if kind == role)),
        )
    return known[role, name]


def strokes(texture: Texture, bar: Bar, *, cadence: bool) -> list[Stroke]:
    """What a texture strikes in a bar; a metre it does not know is put together of those it knows.

    Args:
        texture: One with strokes.
        bar: A full bar, or one that a new metre or the end cuts short.
        cadence: Whether a phrase ends with the bar.
    """
    made: list[Stroke] = []
    start = 0
    parts = _parts(bar.metre)
    for number, (name, length) in enumerate(parts):
        last = cadence and number == len(parts) - 1
        found = (texture.cadences.get(name) if last else None) or texture.bars.get(name)
        if found and last and name not in texture.cadences and texture.role == "chords":
            found = _resting(found, length, metre=bar.metre)
        if found is None and texture.role in _HOLD:
            found = (Stroke(0, length, _HOLD[texture.role], 0),)
        made += [stroke._replace(start=stroke.start + start) for stroke in found or ()]
        start += length
    return [
        stroke._replace(length=min(stroke.length, bar.length - stroke.start))
        for stroke in made
        if stroke.start < bar.length
    ]


def _resting(found: Sequence[Stroke], length: int, *, metre: Metre) -> tuple[Stroke, ...]:
    """A bar that comes to rest: from a beat in its second half on the chord is held."""
    beat = 3 * _EIGHTH if metre.unit >= 8 else QUARTER
    beats = [stroke.start for stroke in found if stroke.start * 2 >= length and stroke.start % beat == 0]
    if not beats:
        return tuple(found)
    return (*(stroke for stroke in found if stroke.start < beats[0]), Stroke(beats[0], length - beats[0], "all", 0))


def _parts(metre: Metre) -> list[tuple[str, int]]:
    """(metre, ticks) of the bars that a bar is played as: 5/4 as 3/4 and 2/4, 9/8 as 6/8 and 3/8."""
    length, made = metre.bar, list[tuple[str, int]]()
    if metre.unit >= 8 and metre.beats % 3 == 0:
        sizes, unit, name = (6, 3), _EIGHTH, "{}/8"
    else:
        sizes, unit, name = (4, 3, 2), QUARTER, "{}/4"
    while length >= min(sizes) * unit and metre.unit <= 8:
        left = length // unit
        size = 3 if sizes[0] == 4 and left in (5, 6) else next(size for size in sizes if size <= left)
        made.append((name.format(size), size * unit))
        length -= size * unit
    return [*made, ("", length)] if length else made


@cache
def _textures() -> Mapping[tuple[str, str], Texture]:
    return {(each["role"], each["name"]): _read(each) for each in _data()["texture"]}


def _read(data: Mapping[str, Any]) -> Texture:
    return Texture(
        data["name"],
        data["role"],
        {metre: _strokes(rows) for metre, rows in data.items() if "/" in metre},
        {metre: _strokes(rows) for metre, rows in data.get("cadence", {}).items()},
        bool(data.get("ties")),
        bool(data.get("smooth")),
    )


def _strokes(rows: Sequence[Sequence[Any]]) -> tuple[Stroke, ...]:
    return tuple(
        Stroke(round(at * QUARTER), round(length * QUARTER), what, accent) for at, length, what, accent in rows
    )


@cache
def _data() -> Mapping[str, Any]:
    return tomllib.loads((files("castalia") / "data" / "textures.toml").read_text(encoding="utf-8"))
