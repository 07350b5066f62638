"""What a file format does with marks: write them beside a content or into a finished file, and read them back."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, Literal

from castalia.core.values import Content, Record
from castalia.provenance.record import machine_record
from castalia.provenance.tc260 import make_aigc

Kind = Literal["text", "picture", "sound", "film", "score", "document"]
"""What a reader meets: it decides how a visible label is shown, and where a watermark can be."""


class MalformedError(ValueError):
    """Bytes that are not what their format says; told to the user as it stands."""


@dataclass(frozen=True)
class Stamp:
    """What is written into a file."""

    record: Record
    label: str
    """The visible label; empty when it is left out."""
    shown_sha256: str = ""
    """Fingerprint of the text as the file will show it."""
    incoming: Sequence[Mapping[str, object]] = ()
    """Labels that the file came with, newest first: a file carries one of each, so they move into the record."""

    @cached_property
    def aigc(self) -> dict[str, str]:
        """The TC260 object."""
        return make_aigc(self.record)

    @cached_property
    def machine(self) -> dict[str, Any]:
        """The record as the field `castalia` carries it."""
        side = {"incoming": [dict(each) for each in self.incoming]} if self.incoming else {}
        return machine_record(self.record, self.label, self.shown_sha256) | side

    @property
    def lines(self) -> dict[str, str]:
        """The labels for machines as strings on one line each: `aigc`, `source` and `record`."""
        return {
            "aigc": one_line(self.aigc),
            "source": self.record.digital_source_type,
            "record": one_line(self.machine),
        }


@dataclass(frozen=True)
class Marks:
    """What was read from a file, unjudged: the raw strings as they stand there, None where there are none."""

    texts: tuple[str, ...] = ()
    """The work's text, as far as it can be told from its marks; the likeliest reading first. Empty for other media,
    and for documents that have `Face.words`."""
    label: str = ""
    """The visible label where it is text; one that is drawn or heard is not read."""
    aigc: str | None = None
    source: str | None = None
    record: str | None = None


@dataclass(frozen=True)
class Face:
    """One file format: `render` makes a file of a text, `stamp` marks a file that was made elsewhere."""

    extension: str
    """Without the dot."""
    media_type: str
    kind: Kind
    read: Callable[[bytes], Marks]
    """Takes any bytes whatever, foreign or hostile, and raises nothing."""
    places: Mapping[str, str]
    """Where each layer is written (docs/marking.md): label, implicit, source, record."""
    begins: Callable[[bytes], bool]
    """Whether a file opens like one of this format."""
    stamp: Callable[[bytes, Stamp], bytes]
    """Raises `MalformedError` for bytes that are not of this format, or that leave no room for marks."""
    render: Callable[[Content, Stamp], bytes] | None = None
    shown: Callable[[Content], str] = lambda content: content.text
    """The text as it is read back from what `render` made, white space aside; markup may change it."""
    words: Callable[[bytes], str] | None = None
    """The words of a document whose `read` leaves them out because finding them takes long; raises nothing."""
    label: Literal["written", "drawn", "heard"] = "written"
    """How the visible label is met; one that is drawn or heard is put into pixels or samples before `stamp`."""
    by_ffmpeg: bool = False
    """Whether its samples are decoded and encoded by the user's ffmpeg."""
    graft: Callable[[bytes, bytes], bytes] | None = None
    """(old file, its pixels or samples encoded anew) → the new ones with all else that the old file held."""
    embeds: bool = False
    """Whether the C2PA manifest lies inside; else it is a sidecar."""
    other_names: tuple[str, ...] = ()
    """Other extensions of the same format."""

    @property
    def signed_as(self) -> str:
        """The media type that the C2PA library is told: a sidecar covers the bytes whatever they are."""
        return self.media_type if self.embeds or self.kind == "text" else "application/octet-stream"


_DAMAGE = (
    *(ValueError, ArithmeticError, LookupError, RecursionError, NotImplementedError, EOFError, OSError),
    struct.error,
)
"""What Python's own parsers raise at bytes that they do not understand."""


def stamps(stamp: Callable[[bytes, Stamp], bytes]) -> Callable[[bytes, Stamp], bytes]:
    """A writer that says `MalformedError` of everything that it cannot mark."""

    @wraps(stamp)
    def said(content: bytes, mark: Stamp) -> bytes:
        try:
            return stamp(content, mark)
        except MalformedError:
            raise
        except _DAMAGE as error:
            raise MalformedError(f"damaged ({type(error).__name__}: {str(error)[:100]})") from error

    return said


def finds_words(words: Callable[[bytes], str]) -> Callable[[bytes], str]:
    """The same for `Face.words`."""

    @wraps(words)
    def safely(content: bytes) -> str:
        try:
            return words(content)
        except _DAMAGE:
            return ""

    return safely


def reads(read: Callable[[bytes], Marks]) -> Callable[[bytes], Marks]:
    """A reader that finds nothing in bytes that it does not understand."""

    @wraps(read)
    def safely(content: bytes) -> Marks:
        try:
            return read(content)
        except _DAMAGE:
            return Marks()

    return safely


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
