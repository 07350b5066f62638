"""Office Open XML: custom properties in `docProps/custom.xml` (ECMA-376 part 1, section 15.2.12.2, and 22.3)."""

from __future__ import annotations

from castalia.provenance.embed import archive, xml
from castalia.provenance.embed.face import Marks, Stamp
from castalia.provenance.embed.mp3 import NAMES, marks_of

_PART = "docProps/custom.xml"
_TYPES = "[Content_Types].xml"
_LINKS = "_rels/.rels"
_PROPERTIES = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VALUES = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
_USER = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
"""The format id of all user-defined properties."""
_NEW = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    f'<Properties xmlns="{_PROPERTIES}" xmlns:vt="{_VALUES}"></Properties>'
)


def properties(content: bytes, mark: Stamp) -> dict[str, bytes]:
    """The members to replace, so that the document has our three properties, each once."""
    old = archive.member(content, _PART)
    document = xml.parse(old or _NEW.encode())
    entries = document.all("property", _PROPERTIES)
    ours = [each for each in entries if each.attributes.get("name") in NAMES]
    taken = [int(each.attributes["pid"]) for each in entries if each.attributes.get("pid", "").isdecimal()]
    first = max([1, *taken]) + 1
    inner = "".join(
        f'<property xmlns="{_PROPERTIES}" xmlns:vt="{_VALUES}" fmtid="{_USER}" pid="{first + number}"'
        f' name="{name}"><vt:lpwstr>{xml.text(mark.lines[layer])}</vt:lpwstr></property>'
        for number, (name, layer) in enumerate(NAMES.items())
    )
    changes = [*((each.start, each.end, "") for each in ours), xml.append(document.root, inner, document)]
    new = {_PART: xml.edit(document.content, changes)}
    return new if old is not None else new | _declared(content)


def read(content: bytes) -> Marks:
    """The three properties."""
    part = archive.member(content, _PART)
    if part is None:
        return Marks()
    document = xml.parse(part)
    found: dict[str, str] = {}
    for each in document.elements:
        if each.name == "lpwstr" and each.parent is not None and (name := each.parent.attributes.get("name")) in NAMES:
            found.setdefault(str(name), each.text)
    return marks_of(found)


def _declared(content: bytes) -> dict[str, bytes]:
    """The part's type and the link to it, where the document has had no custom properties."""
    new: dict[str, bytes] = {}
    for part, inner in (
        (_TYPES, f'<Override PartName="/{_PART}" ContentType="{_CONTENT_TYPE}"/>'),
        (_LINKS, f'<Relationship Id="rIdCastalia" Type="{_LINK}" Target="{_PART}"/>'),
    ):
        document = xml.parse(archive.member(content, part) or b"")
        own = inner.replace(" ", f' xmlns="{document.root.space}" ', 1)
        new[part] = xml.edit(document.content, [xml.append(document.root, own, document)])
    return new
