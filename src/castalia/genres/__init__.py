"""One file a genre: the fields of its brief, its plan, its rules, its faces.

Built-in genres and a stranger's register alike, under the entry point group `castalia.genres`; see docs/genres.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from castalia.core.errors import CastaliaError, UsageError
from castalia.core.language import say
from castalia.core.ports import Genre

GROUP = "castalia.genres"

__all__ = ["GROUP", "every", "find"]


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
    """All installed genres, by name."""
    return [_load(point) for _, point in sorted(_points().items())]


@cache
def _points() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


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
