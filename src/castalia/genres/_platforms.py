"""Where adverts run and what fits there: the shipped table, and the user's own over it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from castalia.core.errors import UsageError
from castalia.core.files import folders
from castalia.core.language import say

PARTS = ("headlines", "texts", "descriptions")
"""The kinds of text that a platform may ask for, in the order in which they are written."""


class Part(BaseModel):
    """One kind of text: its limit in the platform's characters, and how many there may be."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    limit: int = Field(ge=8, le=2000)
    least: int = Field(ge=1)
    most: int = Field(ge=1, le=20)
    usual: int = Field(ge=1)


class Platform(BaseModel):
    """One place where adverts run; see `data/platforms.toml` for the meaning of each name."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: tuple[str, str]
    source: str
    checked: str
    wide: int = Field(1, ge=1, le=3)
    exclaim: bool = True
    buttons: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    headlines: Part | None = None
    texts: Part | None = None
    descriptions: Part | None = None

    @property
    def parts(self) -> dict[str, Part]:
        """The kinds of text that it takes, by name."""
        return {name: part for name in PARTS if (part := getattr(self, name)) is not None}


def platform(name: str) -> Platform:
    """The platform by name.

    Raises:
        UsageError: there is none, or the user's own table is malformed.
    """
    known = platforms()
    if name not in known:
        raise UsageError(
            say("There is no platform {name!r}.", "没有平台 {name!r}。", name=name),
            hint=say("Known: {names}.", "已知：{names}。", names=", ".join(known)),
        )
    return known[name]


@cache
def platforms() -> Mapping[str, Platform]:
    """All platforms."""
    shipped = (files("castalia") / "data" / "platforms.toml").read_text(encoding="utf-8")
    own = folders().config / "platforms.toml"
    try:
        rows = tomllib.loads(shipped) | (tomllib.loads(own.read_text(encoding="utf-8")) if own.is_file() else {})
        return {name: Platform.model_validate(row) for name, row in rows.items()}
    except (ValidationError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            say("Your table of platforms {path} is malformed: {why}", "平台表 {path} 有误：{why}", path=own, why=error),
            hint=say("Mend it or move it away.", "请修正或移走该文件。"),
        ) from error
