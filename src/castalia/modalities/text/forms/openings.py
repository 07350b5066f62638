"""Texts that must not open with the line above them and a stop: that tells the reader nothing.

A line may be taken up and gone on with; only the mark after it is forbidden. To forbid its words would make the model
bend names that a sentence has to begin with.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_STOPS = ":：.。!！?？;；—–-…"


def echoes(text: str, piece: str, lines: Sequence[str]) -> bool:
    """Whether a piece would end what is so far nothing but one of the lines.

    Args:
        text: What there is of the text.
        piece: The next piece.
        lines: Titles or headings; empty ones are passed over.
    """
    mark = piece.strip()[:1]
    return bool(mark) and mark in _STOPS and _bare(text) in {bare for line in lines if (bare := _bare(line))}


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())
