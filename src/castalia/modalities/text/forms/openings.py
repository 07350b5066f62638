"""Texts that must not begin as a line above them does: a section that repeats its heading tells the reader nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HAN, _WORDS = 4, 3
"""Characters (Chinese) and words (English) by which two beginnings are the same."""


def restates(text: str, lines: Sequence[str]) -> bool:
    """Whether a text begins with the beginning of one of the lines, or with the whole of a shorter one.

    Args:
        text: A text or what there is of it yet.
        lines: Titles or headings; empty ones are passed over.
    """
    units = _units(text)
    return any(
        len(units) >= len(start) and units[: len(start)] == start
        for start in (_units(line)[: _HAN if _chinese(line) else _WORDS] for line in lines)
        if start
    )


def _units(text: str) -> list[str]:
    return re.findall(r"[\u3400-\u9fff]|[a-z0-9'’-]+", text.casefold())


def _chinese(text: str) -> bool:
    return re.search(r"[\u3400-\u9fff]", text) is not None
