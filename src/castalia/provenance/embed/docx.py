"""Word documents: custom properties, and the label as the first paragraph (ECMA-376 part 1, section 17.2)."""

from __future__ import annotations

from castalia.provenance.embed import archive, office, xml
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.embed.plain import LONGEST_TEXT
from castalia.provenance.label import find_label
from castalia.provenance.tc260 import NAME

_PART = "word/document.xml"
_ID = "CastaliaLabel"
_EARLY = 3
"""Paragraphs that are searched for a label."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """A paragraph of its own under a bookmark, by which it is found and replaced; all other parts stay."""
    document, body = _body(content)
    changes: list[tuple[int, int, str]] = []
    if mark.label:  # an old label goes only where a new one comes
        changes = [(each.start, each.end, "") for each in _ours(document, body)]
        space = body.space
        paragraph = (
            f'<w:p xmlns:w="{space}"><w:bookmarkStart w:id="2147480001" w:name="{_ID}"/><w:r><w:rPr>'
            f'<w:color w:val="595959"/><w:sz w:val="18"/></w:rPr><w:t>{xml.text(mark.label)}</w:t></w:r>'
            f'<w:bookmarkEnd w:id="2147480001"/></w:p>'
        )
        changes.append(xml.prepend(body, paragraph, document))
    new = {_PART: xml.edit(document.content, changes)}
    return archive.replaced(content, new | office.properties(content, mark))


@reads
def read(content: bytes) -> Marks:
    """Properties, an early paragraph that is a label, and the words of the others."""
    document, _ = _body(content)
    paragraphs: dict[xml.Element, list[str]] = {}
    for each in document.elements:
        if each.name == "t" and (holder := _paragraph(each)) is not None:
            paragraphs.setdefault(holder, []).append(each.text)
    lines = ["".join(pieces) for pieces in paragraphs.values()]
    place = next((number for number, line in enumerate(lines[:_EARLY]) if find_label(line)), None)
    label = "" if place is None else find_label(lines.pop(place))
    found = office.read(content)
    text = "\n".join(lines)[:LONGEST_TEXT]
    return Marks(texts=(text,), label=label, aigc=found.aigc, source=found.source, record=found.record)


def begins(content: bytes) -> bool:
    """An archive with the main part."""
    try:
        return archive.begins(content) and _PART in archive.names(content)
    except MalformedError:
        return False


def _body(content: bytes) -> tuple[xml.Document, xml.Element]:
    document = xml.parse(archive.member(content, _PART) or b"", {"body", "p", "r", "t", "bookmarkStart"})
    body = document.first("body")
    if document.root.name != "document" or body is None or body.parent is not document.root:
        raise MalformedError("a Word document without a body")
    return document, body


def _ours(document: xml.Document, body: xml.Element) -> list[xml.Element]:
    marks = [each for each in document.all("bookmarkStart", body.space) if each.attributes.get("name") == _ID]
    return [each.parent for each in marks if each.parent and each.parent.name == "p" and each.parent.parent is body]


def _paragraph(element: xml.Element) -> xml.Element | None:
    """The nearest paragraph around an element."""
    holder = element.parent
    while holder is not None and holder.name != "p":
        holder = holder.parent
    return holder


FACE = Face(
    extension="docx",
    media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    kind="document",
    read=read,
    places={
        "label": "first paragraph",
        "implicit": f"custom property `{NAME}`",
        "source": "custom property `DigitalSourceType`",
        "record": "custom property `castalia`",
    },
    begins=begins,
    stamp=stamp,
)
