"""MusicXML 4.0: `<miscellaneous>` of `<identification>`, and the label as a `<credit>` on page one."""

from __future__ import annotations

from castalia.provenance.embed import xml
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.embed.mp3 import NAMES, marks_of
from castalia.provenance.embed.plain import first_element
from castalia.provenance.label import find_label
from castalia.provenance.tc260 import NAME

_ID = "castalia-label"
_SCORES = ("score-partwise", "score-timewise")
_HEADER = ("work", "movement-number", "movement-title", "identification", "defaults", "credit", "part-list")
"""Children of a score up to its parts, in the order that the schema fixes."""
_PARTS = {*_SCORES, *_HEADER, "miscellaneous", "miscellaneous-field", "credit-words"}


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """Only fields and credit are added or replaced; every other byte of the score stays."""
    document = _parse(content)
    root = document.root
    fields = "".join(
        f'<miscellaneous-field name="{name}">{xml.text(mark.lines[layer])}</miscellaneous-field>'
        for name, layer in NAMES.items()
    )
    ours = [each for each in document.all("miscellaneous-field") if each.attributes.get("name") in NAMES]
    if mark.label:  # an old label goes only where a new one comes
        ours += [each for each in document.all("credit") if each.attributes.get("id") == _ID]
    changes = [(each.start, each.end, "") for each in ours]
    holder, identification = document.first("miscellaneous"), document.first("identification")
    if holder is not None:
        changes.append(xml.append(holder, fields, document))
    elif identification is not None:  # the last of its children
        changes.append(xml.append(identification, f"<miscellaneous>{fields}</miscellaneous>", document))
    else:
        new = f"<identification><miscellaneous>{fields}</miscellaneous></identification>"
        changes.append(_insert(document, root, "identification", new))
    if mark.label:
        credit = (
            f'<credit page="1" id="{_ID}"><credit-type>rights</credit-type>'
            f'<credit-words default-x="70" default-y="30" font-size="9">{xml.text(mark.label)}</credit-words></credit>'
        )
        place, _, _ = _insert(document, root, "part-list", "")
        if changes and changes[-1][0] == place:  # both stand before the part list
            changes[-1] = (place, place, changes[-1][2] + credit)
        else:
            changes.append((place, place, credit))
    return xml.edit(document.content, changes)


@reads
def read(content: bytes) -> Marks:
    """The fields, and the first credit that is a label."""
    document = _parse(content)
    found: dict[str, str] = {}
    for each in document.all("miscellaneous-field"):
        if (name := each.attributes.get("name")) in NAMES:
            found.setdefault(str(name), each.text)
    label = next((label for each in document.all("credit-words") if (label := find_label(each.text))), "")
    marks = marks_of(found)
    return Marks(label=label, aigc=marks.aigc, source=marks.source, record=marks.record)


def begins(content: bytes) -> bool:
    """The outermost element."""
    return first_element(content) in _SCORES


def _parse(content: bytes) -> xml.Document:
    document = xml.parse(content, _PARTS)
    if document.root.name not in _SCORES:
        raise MalformedError("not a MusicXML score")
    return document


def _insert(document: xml.Document, root: xml.Element, name: str, new: str) -> tuple[int, int, str]:
    """The change that puts an element where the schema has it: before the first child that comes later."""
    later = _HEADER[_HEADER.index(name) :]
    after = next((each for each in document.elements if each.parent is root and each.name in later), None)
    if after is None:
        raise MalformedError("a score without a list of its parts")
    return after.start, after.start, new


FACE = Face(
    extension="musicxml",
    media_type="application/vnd.recordare.musicxml+xml",
    kind="score",
    read=read,
    places={
        "label": f'`<credit id="{_ID}">`, foot of page one',
        "implicit": f'`<miscellaneous-field name="{NAME}">`',
        "source": '`<miscellaneous-field name="DigitalSourceType">`',
        "record": '`<miscellaneous-field name="castalia">`',
    },
    begins=begins,
    stamp=stamp,
)
