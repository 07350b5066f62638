"""Tune books in ABC: many tunes in one file, each from an `X:` to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FIRST_ENDING = re.compile(r"(?:\|\s*1|\[1)([^\n]{0,120}?\n?[^\n]{0,120}?):\|\s*\[?2")
_OLD_CHORD = re.compile(r"\+([_=^A-Ga-g][^+\n]{0,40})\+")
_DOUBLE = re.compile(r"K:\s*([A-G][#b]?)\s+(?=maj|min|dor|mix|lyd|phr|aeo|ion)", re.IGNORECASE)


def tunes_in(content: bytes) -> Iterator[tuple[str, str]]:
    """(title or nothing, ABC text) of each tune of a book; a repeat is written once, with its second ending.

    Chords of the oldest standard (`+CEG+`) are put as today's.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeError:
        text = content.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    heads = [found.start() for found in re.finditer(r"^X:", text, re.MULTILINE)] or [0]
    for begin, end in zip(heads, [*heads[1:], len(text)], strict=True):
        tune = _OLD_CHORD.sub(r"[\1]", text[begin:end].strip())
        tune = _FIRST_ENDING.sub("| ", tune)
        title = field(tune, "T")
        yield title, _DOUBLE.sub(r"K:\1", tune) + "\n"


def field(tune: str, letter: str) -> str:
    """The first field of that letter; empty when there is none."""
    found = re.search(rf"^{letter}:[ \t]*([^\n]*)", tune, re.MULTILINE)
    return found[1].strip() if found else ""
