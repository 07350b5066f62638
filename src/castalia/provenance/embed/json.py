"""JSON: the content stays clean, all marks are in the sibling field `castalia`."""

from __future__ import annotations

import json
from typing import cast

from castalia.core.values import Content
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp
from castalia.provenance.embed.plain import opening, reads_text, renders_text, stamps_text
from castalia.provenance.label import find_label
from castalia.provenance.tc260 import NAME

FIELD = "castalia"


def render(content: Content, stamp: Stamp) -> str:
    """One object: the work's parts, then the marks."""
    shown = {
        "id": stamp.record.id,
        "genre": stamp.record.genre,
        "language": content.language,
        "title": content.title,
        "text": content.text,
        "fields": dict(content.fields),
        FIELD: stamp.machine | {NAME: stamp.aigc},
    }
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str) + "\n"


def stamp(text: str, mark: Stamp) -> str:
    """The field is put last into an object from elsewhere; all before it stays as it is written."""
    found: object = json.loads(text)
    if not isinstance(found, dict):
        raise MalformedError("JSON that is no object has no room for the field castalia")
    marks = mark.machine | {NAME: mark.aigc}
    shown = cast("dict[str, object]", found)
    if FIELD in shown or not shown:
        return json.dumps(shown | {FIELD: marks}, ensure_ascii=False, indent=2) + "\n"
    end = text.rindex("}")
    return f'{text[:end].rstrip()},\n  "{FIELD}": {json.dumps(marks, ensure_ascii=False)}\n{text[end:]}'


def read(text: str) -> Marks:
    """Takes the face and what `--json` prints alike; the text of any other object is all of it but the marks."""
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return Marks(texts=(text,))
    if not isinstance(found, dict):
        return Marks(texts=(text,))
    shown = cast("dict[str, object]", found)
    side = shown.pop(FIELD, None)
    body = shown.get("text")
    texts = (body,) if isinstance(body, str) else (json.dumps(shown, ensure_ascii=False, sort_keys=True),)
    if not isinstance(side, dict):
        aigc = shown.get(NAME)
        return Marks(texts=texts, aigc=None if aigc is None else json.dumps(aigc))
    marks = cast("dict[str, object]", side)
    label, aigc, source = marks.get("visible_label"), marks.get(NAME), marks.get("digital_source_type")
    return Marks(
        texts=texts,
        label=find_label(label) if isinstance(label, str) else "",
        aigc=None if aigc is None else json.dumps(aigc),
        source=None if source is None else str(source)[:200],
        record=json.dumps(marks),
    )


FACE = Face(
    extension="json",
    media_type="application/json",
    kind="text",
    render=renders_text(render),
    stamp=stamps_text(stamp),
    read=reads_text(read),
    begins=lambda content: opening(content).startswith("{"),
    places={
        "label": f"`{FIELD}.visible_label`",
        "implicit": f"`{FIELD}.{NAME}`",
        "source": f"`{FIELD}.digital_source_type`",
        "record": f"`{FIELD}`",
    },
)
