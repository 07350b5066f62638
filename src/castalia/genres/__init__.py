"""One file a genre: the fields of its brief, its plan, its rules, its faces.

Built-in genres and a stranger's register alike, under the entry point group `castalia.genres`; see docs/own-genre.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from pydantic import ValidationError

from castalia.core.errors import CastaliaError, UsageError
from castalia.core.language import say
from castalia.core.ports import Genre
from castalia.core.values import BriefFields
from castalia.genres._refusals import refusal, shortened

GROUP = "castalia.genres"

__all__ = ["GROUP", "every", "fields_of", "find"]


def find(name: str) -> Genre:
    """The genre by its name or one of its aliases, in any case.

    Raises:
        UsageError: there is none; names the nearest.
    """
    wanted = name.strip().casefold()
    if wanted in (points := _points()):
        return _load(points[wanted])
    for genre in every():
        if wanted in (alias.casefold() for alias in genre.aliases):
            return genre
    import difflib

    near = difflib.get_close_matches(wanted, [*points, *(a for g in every() for a in g.aliases)], n=3)
    raise UsageError(
        say("There is no genre {name!r}.", "没有体裁 {name!r}。", name=name),
        hint=say("Did you mean {near}? ", "您是指 {near} 吗？", near=", ".join(near)) * bool(near)
        + say("`castalia genres list` names them all.", "`castalia genres list` 会列出全部。"),
    )


def every() -> list[Genre]:
    """All installed genres, by name; one that does not load is named on standard error and left out."""
    found = (_loaded(point) for _, point in sorted(_points().items()))
    return [genre for genre in found if genre is not None]


def fields_of(genre: Genre, given: Mapping[str, object]) -> BriefFields:
    """The genre's typed fields from names and values; strings are read as the field's kind asks.

    Raises:
        UsageError: an unknown field, or a value that does not fit; names the field, the value and what would fit.
    """
    known = genre.fields.model_fields
    for name in given:
        if name not in known:
            raise UsageError(
                say("{genre} has no field {name!r}.", "{genre} 没有字段 {name!r}。", genre=genre.name, name=name),
                hint=say("Its fields: {names}.", "它的字段：{names}。", names=", ".join(known)),
            )
    if given.get("language", genre.languages[0]) not in genre.languages:
        raise UsageError(
            say(
                "{genre} is not written in {value!r}.",
                "{genre} 不支持语言 {value!r}。",
                genre=genre.name,
                value=given["language"],
            ),
            hint=say("Its languages: {names}.", "它支持的语言：{names}。", names=", ".join(genre.languages)),
        )
    several = {name for name, field in known.items() if "tuple" in str(field.annotation)}
    split = {
        name: listed(value) if name in several and isinstance(value, str) else value for name, value in given.items()
    }
    try:
        return genre.fields.model_validate(split)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            say(
                "Field {name} of {genre} is wrong: {value} ({why}).",
                "{genre} 的字段 {name} 有误：{value}（{why}）。",
                name=".".join(str(place) for place in first["loc"]),
                genre=genre.name,
                value=shortened(first.get("input")),
                why=refusal(first),
            ),
            hint=say(
                "`castalia genres show {genre}` lists its fields.",
                "`castalia genres show {genre}` 会列出它的字段。",
                genre=genre.name,
            ),
        ) from error


def listed(value: str) -> tuple[str, ...]:
    """`a, b; c` as ("a", "b", "c"), for what holds several; commas inside numbers stay."""
    parts = (
        re.split(r"[;\n；、]|,(?!\d{3})|，", value) if not re.search(r"[;\n；]", value) else re.split(r"[;\n；]", value)
    )
    return tuple(part.strip() for part in parts if part.strip())


@cache
def _points() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def _loaded(point: EntryPoint) -> Genre | None:
    try:
        return _load(point)
    except CastaliaError as error:
        sys.stderr.write(f"castalia: {error}\n")
        return None


@cache
def _load(point: EntryPoint) -> Genre:
    try:
        return point.load()
    except Exception as error:
        raise CastaliaError(
            say(
                "The genre {name} ({place}) does not load: {why}.",
                "体裁 {name}（{place}）无法加载：{why}。",
                name=point.name,
                place=point.value,
                why=error,
            ),
            hint=say("Update or uninstall the package that brings it.", "请更新或卸载提供它的软件包。"),
        ) from error
