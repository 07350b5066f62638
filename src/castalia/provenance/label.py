"""The visible label: one short line that a reader sees first, in the work's language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import castalia
from castalia.core.values import Language, Record

LABELS: dict[tuple[Language, Literal["generated", "modified"]], str] = {
    ("en", "generated"): "AI-generated",
    ("en", "modified"): "AI-modified",
    ("zh", "generated"): "人工智能生成",
    ("zh", "modified"): "人工智能合成",
}
"""GB 45438 asks for "AI" or "人工智能" with "生成" or "合成"; the EU's code for "AI" with GENERATED or MODIFIED."""

LETTERS = "".join(sorted(set("".join(LABELS.values()))))
"""Every letter of the labels; glyph n + 1 of `FONT` is letter n."""
FONT = Path(castalia.__file__).parent / "data" / "label" / "label.ttf"
"""A font of these letters alone (tools/build_label_font.py), so that a label looks the same everywhere."""

LONGEST = 40
"""Characters; a longer line is a sentence about the subject, not a label."""

_WHO = re.compile(r"\bAI\b|AI(?=[生合])|人工智能|artificial intelligence", re.IGNORECASE)
_WHAT = re.compile(r"generated|modified|生成|合成", re.IGNORECASE)


def label_for(record: Record) -> str:
    """The label of a work."""
    return LABELS[record.language, record.action]


def find_label(line: str) -> str:
    """The label that a line is, without decoration; empty when it is none."""
    bare = line.strip(" \t\r\n\ufeff*_[]()【】（）>#-—·|`“”\"'")
    return bare if 0 < len(bare) <= LONGEST and _WHO.search(bare) and _WHAT.search(bare) else ""


def split_label(text: str) -> tuple[str, str]:
    """(label, rest) of a text whose first or last line is a label; ("", text) when neither is."""
    body = text.strip()
    first, _, after = body.partition("\n")
    if found := find_label(first):
        return found, after.strip("\r\n")
    before, _, last = body.rpartition("\n")
    if found := find_label(last):
        return found, before.strip("\r\n")
    return "", text
