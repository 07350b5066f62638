"""Which kind of music a file holds: by its first bytes where they tell, else by its name."""

from __future__ import annotations

import re

_SEARCHED = 2_000
"""Bytes from the beginning."""
_SCORE = re.compile(rb"<score-(?:partwise|timewise)\b|<!DOCTYPE\s+score-")
_CONTAINER = b"META-INF/container.xml"
_ABC = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:%[^\n]*\n|\s)*X:\s*\d", re.MULTILINE)


def recognise(content: bytes, extension: str) -> str:
    """The extension that a file ought to have.

    Args:
        content: The file.
        extension: What it has, without a dot; it stands where the content says nothing else.
    """
    head = content[:_SEARCHED]
    if head[:4] == b"MThd" or (head[:4] == b"RIFF" and head[8:12] == b"RMID"):
        return "mid"
    if head[:4] == b"PK\x03\x04" and _CONTAINER in head:
        return "mxl"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] in (b"fLaC", b"OggS"):
        return "flac" if head[:1] == b"f" else "ogg"
    if _SCORE.search(head):
        return "musicxml"
    if _ABC.match(head):
        return "abc"
    return "krn" if head[:2] == b"**" else extension
