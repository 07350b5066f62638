"""What every run begins and ends with: its preset, the two parts of the collection, and its log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.training.collections import Collection

R = TypeVar("R")
P = TypeVar("P")
Log = Callable[[Mapping[str, Any]], None]
"""Told a line of figures now and then."""


def preset_of(presets: Mapping[str, R], name: str) -> R:
    """The recipe of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in presets:
        raise UsageError(
            say("There is no preset {name!r}.", "没有预设 {name!r}。", name=name),
            hint=say("Use one of: {names}.", "可用：{names}。", names=", ".join(presets)),
        )
    return presets[name]


def learned_and_valid(collection: Collection[P]) -> tuple[list[P], list[P]]:
    """The pieces to learn and those to validate on.

    Raises:
        UsageError: there is none of one or the other.
    """
    learned, valid = collection.of("train"), collection.of("valid")
    if not learned or not valid:
        raise UsageError(
            say(
                "{name} has {n} pieces to learn and {m} to validate; both are needed.",
                "{name} 有 {n} 件用于训练、{m} 件用于验证；两者都需要。",
                name=collection.name,
                n=len(learned),
                m=len(valid),
            ),
            hint=say("Add more pieces; some of them are kept for validation.", "请增加作品；其中一部分用于验证。"),
        )
    return learned, valid


def telling(folder: Path, log: Log) -> Log:
    """A log that also writes `log.jsonl` in the folder."""

    def told(line: Mapping[str, Any]) -> None:
        with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        log(line)

    return told


def minutes(log: Path) -> float:
    """Minutes of training so far, of all members, by the log's last line of figures."""
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []
    return float(max((line["minutes"] for line in lines), default=0.0))
