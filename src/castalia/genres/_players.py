"""Who accompanies: ensembles and instruments out of data, each with a texture that suits the piece."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.music import Player
from castalia.core.score import Metre
from castalia.core.script import simplified
from castalia.core.values import Language

_CALM = 84
"""Quarters a minute below which a piece is calm."""
_SHIFT = {"low": -5, "middle": 0, "high": 5}
"""Semitones by which a register moves the range of chords."""
_SUSTAINED = ("hold", "pad")
"""Textures of which one piece needs one: another player moves, or plays `_APART` semitones higher."""
_APART = 7
_LOUD = {"chords": 62, "bass": 72, "drums": 66}
_QUIETER = (-8, -2, 4)
"""Velocity added by density."""


def ensemble(name: str, tempo: float, language: Language, seed: int) -> tuple[Player, ...]:
    """The players of an ensemble of `data/textures.toml`.

    Args:
        name: Of the ensemble.
        tempo: Quarters a minute; slow pieces get calm textures.
        language: Of the players' printed names.
        seed: Chooses among textures.
    """
    chance = random.Random(f"{seed} {name}")
    rows = next(each["player"] for each in _data("textures.toml")["ensemble"] if each["name"] == name)
    kind = "calm" if tempo < _CALM else "lively"
    return tuple(
        Player(
            name=row["name"][language == "zh"],
            role=row["role"],
            texture=chance.choice(row[kind]),
            program=row.get("program", 0),
            lowest=row.get("lowest", 48),
            highest=row.get("highest", 71),
            loudness=_LOUD[row["role"]],
            voices=row.get("voices", 3),
            rooted=row.get("rooted", False),
        )
        for row in rows
    )


def band(
    names: Sequence[str], *, density: int, register: str, drums: str, language: Language, seed: int
) -> tuple[Player, ...]:
    """Players of instruments of `data/instruments.toml`; without a bass the lowest of them plays roots.

    Args:
        names: Their words, in order.
        density: 1 sparse to 3 dense.
        register: low, middle or high.
        drums: A texture of drums for those that play them; empty or `none` leaves it to the density.
        language: Of their printed names.
        seed: Chooses among textures.

    Raises:
        UsageError: a word names no instrument.
    """
    rows = [_row(name) for name in dict.fromkeys(names)]
    alone = not any(row["role"] == "bass" for row in rows)
    chance = random.Random(f"{seed} band")
    made: list[Player] = []
    for number, row in enumerate(rows):
        role, low, high = row["role"], *row["range"]
        moved = _SHIFT[register] if role == "chords" else 0
        textures = row["textures"][density - 1]
        holds = any(other is not row and _only_holds(other, density) for other in rows) or any(
            player.texture in _SUSTAINED for player in made
        )
        if role == "chords" and holds:
            if moving := [name for level in row["textures"][density - 1 :] for name in level if name not in _SUSTAINED]:
                textures = moving[:2] if not _only_holds(row, density) else textures
            elif made:
                moved += _APART
        texture = chance.choice(textures)
        if role == "drums" and drums not in ("", "none"):
            texture = drums
        rooted = alone and role == "chords" and number == 0
        made.append(
            Player(
                name=row["name"][language == "zh"],
                role=role,
                texture=texture,
                program=row["program"],
                lowest=low + moved - (7 if rooted else 0),
                highest=high + moved - (3 if rooted else 0),
                loudness=_LOUD[role] + _QUIETER[density - 1] - (6 if number and role == "chords" else 0),
                voices=row.get("voices", 3),
                rooted=rooted,
            )
        )
    return tuple(made)


def _only_holds(row: Mapping[str, Any], density: int) -> bool:
    """Whether an instrument of chords has nothing but long chords to play."""
    return row["role"] == "chords" and all(name in _SUSTAINED for name in row["textures"][density - 1])


def instrument_words(text: str) -> tuple[str, ...]:
    """The instruments that a text names, by their first word, in the order of the table."""
    text = simplified(text)
    plain = f" {re.sub(r'[^a-z一-鿿]+', ' ', text.lower())} "
    found = [
        (row["words"][0], word)
        for row in _data("instruments.toml")["instrument"]
        for word in row["words"]
        if (f" {word} " in plain if word.isascii() else word in plain)
    ]
    inner = {word for _, word in found if any(word != other and word in other for _, other in found)}
    return tuple(dict.fromkeys(name for name, word in found if word not in inner))


def suits(texture: str, metre: Metre) -> bool:
    """Whether an ensemble can play in a metre: a waltz wants three beats."""
    return texture != "waltz" or (metre.beats, metre.unit) in ((3, 4), (3, 8), (6, 8), (9, 8), (6, 4), (12, 8))


def _row(name: str) -> Mapping[str, Any]:
    wanted = " ".join(simplified(name).lower().split())
    rows = _data("instruments.toml")["instrument"]
    for row in rows:
        if wanted in row["words"]:
            return row
    raise UsageError(
        say("{name!r} is no instrument that is known here.", "{name!r} 不是已知的乐器。", name=name[:40]),
        hint=say(
            "Choose among {names}.",
            "可选：{names_zh}。",
            names=", ".join(row["name"][0].lower() for row in rows),
            names_zh="、".join(row["name"][1] for row in rows),
        ),
    )


@cache
def _data(name: str) -> Mapping[str, Any]:
    return tomllib.loads((files("castalia") / "data" / name).read_text(encoding="utf-8"))
