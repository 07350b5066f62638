"""Plain text: the label is the first line, the machine-readable labels are the last two."""

from __future__ import annotations

from castalia.core.values import Content
from castalia.provenance.embed.face import Face, Marks, Stamp, one_line
from castalia.provenance.embed.plain import decode, reads_text, renders_text, stamps_text
from castalia.provenance.label import split_label
from castalia.provenance.tc260 import NAME

_SOURCE = "DigitalSourceType"


def render(content: Content, stamp: Stamp) -> str:
    """Label, blank line, the work, blank line, footer."""
    head = f"{stamp.label}\n\n" if stamp.label else ""
    footer = f"{NAME}: {one_line(stamp.aigc)}\n{_SOURCE}: {stamp.record.digital_source_type}\n"
    return f"{head}{content.text.strip()}\n\n{footer}"


def read(text: str) -> Marks:
    """The last footer lines of each kind count; a copy that lost them still shows its label and text."""
    lines = text.splitlines()
    found: dict[str, str] = {}
    end = len(lines)
    for index in range(len(lines) - 1, -1, -1):
        name, separator, value = lines[index].strip().partition(":")
        if separator and name in (NAME, _SOURCE) and name not in found:
            found[name] = value.strip()
            end = index if not any(line.strip() for line in lines[index + 1 : end]) else end
        if len(found) == 2:
            break
    body = "\n".join(lines[:end]).strip("\n")
    label, rest = split_label(body)
    return Marks(texts=(rest, body) if label else (body,), label=label, aigc=found.get(NAME), source=found.get(_SOURCE))


def stamp(text: str, mark: Stamp) -> str:
    """The same around a text from elsewhere; an old label goes only where a new one comes."""
    texts = read(text).texts
    return render(Content(text=texts[0 if mark.label else -1]), mark)


FACE = Face(
    extension="txt",
    media_type="text/plain",
    kind="text",
    render=renders_text(render),
    stamp=stamps_text(stamp),
    read=reads_text(read),
    begins=lambda content: decode(content) is not None,
    places={
        "label": "first line",
        "implicit": f"line `{NAME}: {{…}}` at the end",
        "source": f"line `{_SOURCE}: …` at the end",
    },
    other_names=("text",),
)
