"""What a file format does with marks: write them beside a content, and read them back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from castalia.core.values import Content, Record
from castalia.provenance.record import machine_record
from castalia.provenance.tc260 import make_aigc


@dataclass(frozen=True)
class Stamp:
    """What is written into a file."""

    record: Record
    label: str
    """The visible label; empty when it is left out."""
    shown_sha256: str = ""
    """Fingerprint of the text as the file will show it."""

    @cached_property
    def aigc(self) -> dict[str, str]:
        """The TC260 object."""
        return make_aigc(self.record)

    @cached_property
    def machine(self) -> dict[str, Any]:
        """The record as the field `castalia` carries it."""
        return machine_record(self.record, self.label, self.shown_sha256)


@dataclass(frozen=True)
class Marks:
    """What was read from a file, unjudged: the raw strings as they stand there, None where there are none."""

    texts: tuple[str, ...]
    """The work's text, as far as it can be told from its marks; the likeliest reading first."""
    label: str = ""
    aigc: str | None = None
    source: str | None = None
    record: str | None = None


@dataclass(frozen=True)
class Face:
    """One file format."""

    extension: str
    """Without the dot."""
    media_type: str
    render: Callable[[Content, Stamp], str]
    read: Callable[[str], Marks]
    """Takes any text whatever, foreign or hostile, and raises nothing."""
    shown: Callable[[Content], str]
    """The text as it is read back from the file, white space aside; markup may make it another than `text`."""
    places: Mapping[str, str]
    """Where each layer is written (docs/marking.md): label, implicit, source, record."""


def one_line(value: object) -> str:
    """JSON on one line that YAML and line-wise readers take too: no raw line separators of any kind."""
    line = json.dumps(value, ensure_ascii=False)
    for character in ("\u0085", "\u2028", "\u2029"):
        line = line.replace(character, f"\\u{ord(character):04x}")
    return line


def headline(content: Content) -> str:
    """A title for the page: the work's own, else its first line without markup."""
    return (
        content.title or content.text.strip().partition("\n")[0].strip("#>*_ ").rstrip(",，、;；")[:120] or "Castalia"
    )
