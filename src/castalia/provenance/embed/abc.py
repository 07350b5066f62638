"""ABC 2.1: labels as comments, `% name: value`; the label stands before the first tune."""

from __future__ import annotations

import re

from castalia.provenance.embed.face import Face, Marks, Stamp
from castalia.provenance.embed.mp3 import NAMES, marks_of
from castalia.provenance.embed.plain import decode, opening, reads_text, stamps_text
from castalia.provenance.label import LABELS, find_label

_VERSION = re.compile(r"%abc[^\n]*\n")


def stamp(text: str, mark: Stamp) -> str:
    """Version, label, the tunes as they are, then the labels for machines; of ours, older ones go."""
    version = _VERSION.match(text)
    head = version[0] if version else "%abc-2.1\n"
    rest = text[version.end() :] if version else text
    kept = [line for line in rest.splitlines() if not _is_ours(line, mark)]
    lines = [f"% {name}: {mark.lines[key]}" for name, key in NAMES.items()]
    label = f"% {mark.label}\n" if mark.label else ""
    return head + label + "\n".join(kept).strip("\n") + "\n\n" + "\n".join(lines) + "\n"


def read(text: str) -> Marks:
    """The comments: `name: value`, and the first that is a label."""
    found: dict[str, str] = {}
    label = ""
    for line in text.splitlines():
        if not line.startswith("%"):
            continue
        said = line.lstrip("% ").strip()
        name, separator, value = said.partition(": ")
        if separator and name in NAMES:
            found[name] = value
        label = label or find_label(said)
    marks = marks_of(found)
    return Marks(label=label, aigc=marks.aigc, source=marks.source, record=marks.record)


def begins(content: bytes) -> bool:
    """The version comment, or a tune's first field; both before any other text."""
    start = opening(content)
    return bool(re.match(r"%abc|X:\s*\d", start)) and decode(content) is not None


def _is_ours(line: str, mark: Stamp) -> bool:
    said = line.lstrip("% ").strip()
    if not line.startswith("%"):
        return False
    return said.partition(": ")[0] in NAMES or (bool(mark.label) and said in LABELS.values())


FACE = Face(
    extension="abc",
    media_type="text/vnd.abc",
    kind="score",
    read=reads_text(read),
    stamp=stamps_text(stamp),
    begins=begins,
    places={
        "label": "second line, a comment",
        "implicit": "comment `% AIGC: {…}` at the end",
        "source": "comment `% DigitalSourceType: …`",
        "record": "comment `% castalia: {…}`",
    },
)
