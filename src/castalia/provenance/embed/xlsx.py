"""Workbooks: custom properties, and the label in the page header of each sheet (ECMA-376 part 1, section 18.3.1.46)."""

from __future__ import annotations

import posixpath
import re

from castalia.provenance.embed import archive, office, xml
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, finds_words, reads, stamps
from castalia.provenance.embed.plain import LONGEST_PARTS, LONGEST_TEXT
from castalia.provenance.label import LABELS, find_label
from castalia.provenance.tc260 import NAME

_BOOK = "xl/workbook.xml"
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_MOST = 200
"""Sheets that get a header."""
_AFTER = (
    "rowBreaks colBreaks customProperties cellWatches ignoredErrors smartTags drawing legacyDrawing legacyDrawingHF "
    "picture oleObjects controls webPublishItems tableParts extLst"
).split()
"""What follows a header in a sheet (section 18.3.1.99: the order is fixed)."""
_STRINGS = "xl/sharedStrings.xml"
_WORDS = {"c", "v", "si", "is", "r", "t", "rPh"}
_PARTS = {"worksheet", "headerFooter", "oddHeader", "evenHeader", "firstHeader", *_AFTER}
_OURS = re.compile(rf"&L&9(?:{'|'.join(map(re.escape, LABELS.values()))})( ?)")
"""Left section (18.3.1.39), 9 points; a space before what stood in that section already."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """No cell is touched, so that nothing that counts on them moves; what a header said before stays in it."""
    new = office.properties(content, mark)
    for name in _sheets(content) if mark.label else ():
        document = xml.parse(archive.member(content, name) or b"", _PARTS)
        new[name] = xml.edit(document.content, _headed(document, mark.label))
    return archive.replaced(content, new)


@reads
def read(content: bytes) -> Marks:
    """Properties, and the header of the first sheet."""
    found = office.read(content)
    try:
        header = xml.parse(archive.member(content, _sheets(content)[0]) or b"", _PARTS).first("oddHeader")
    except MalformedError:  # a sheet that is too long to be searched
        header = None
    sections = re.split(r"&[LCR](?:&\d+)?", header.text) if header else []
    label = next((label for part in sections if (label := find_label(part))), "")
    return Marks(label=label, aigc=found.aigc, source=found.source, record=found.record)


@finds_words
def words(content: bytes) -> str:
    """The words of the cells, row by row, sheet by sheet; numbers and formulas are none."""
    shared: list[str] = []
    if (strings := archive.member(content, _STRINGS)) is not None:
        shared = [*_texts(xml.parse(strings, _WORDS), "si").values()]
    found: list[str] = []
    length = 0
    for part in archive.members(content, _sheets(content), LONGEST_PARTS):
        sheet = xml.parse(part, _WORDS)
        inline = _texts(sheet, "is")
        kinds = {each: each.attributes.get("t") for each in sheet.all("c")}
        for each in sheet.elements:
            kind = kinds.get(each.parent) if each.parent else None
            if each.name == "v" and kind == "s" and each.text.isdecimal() and int(each.text) < len(shared):
                found.append(shared[int(each.text)])
            elif each.name == "v" and kind == "str":
                found.append(each.text)
            elif each in inline:
                found.append(inline[each])
            else:
                continue
            length += len(found[-1])
            if length > LONGEST_TEXT:
                return "\n".join(found)
    return "\n".join(found)


def _texts(document: xml.Document, name: str) -> dict[xml.Element, str]:
    """The texts of rich strings: `<t>` in them or in their runs (section 18.4.12), without phonetic hints."""
    pieces: dict[xml.Element, list[str]] = {each: [] for each in document.all(name)}
    for each in document.all("t"):
        holder = each.parent.parent if each.parent and each.parent.name == "r" else each.parent
        if holder in pieces:
            pieces[holder].append(each.text)
    return {each: "".join(own) for each, own in pieces.items()}


def begins(content: bytes) -> bool:
    """An archive with the workbook's part."""
    try:
        return archive.begins(content) and _BOOK in archive.names(content)
    except MalformedError:
        return False


def _sheets(content: bytes) -> list[str]:
    found = sorted((name for name in archive.names(content) if _SHEET.fullmatch(name)), key=_natural)
    if not found:
        raise MalformedError("a workbook without sheets")
    return found[:_MOST]


def _natural(name: str) -> tuple[int, str]:
    digits = re.sub(r"\D", "", posixpath.basename(name))
    return int(digits[:9] or 0), name


def _headed(document: xml.Document, label: str) -> list[tuple[int, int, str]]:
    root = document.root
    if root.name != "worksheet":
        raise MalformedError("a sheet that is none")
    holder = next((each for each in document.all("headerFooter") if each.parent is root), None)
    headers = [each for each in document.elements if each.parent is holder and each.name.endswith("Header")]
    changes: list[tuple[int, int, str]] = []
    for header in headers:
        old = _OURS.sub(lambda found: "&L" if found[1] else "", header.text)
        tag = document.content[header.start : header.inside].decode().removesuffix("/>").rstrip(">")
        changes.append((header.start, header.end, f"{tag}>{xml.text(_before(label, old))}</{tag[1:].split()[0]}>"))
    if not any(header.name == "oddHeader" for header in headers):
        new = f'<oddHeader xmlns="{root.space}">{xml.text(_before(label, ""))}</oddHeader>'
        if holder is not None:
            changes.append(xml.prepend(holder, new, document))
        else:
            new = f'<headerFooter xmlns="{root.space}">{new}</headerFooter>'
            after = next((each for each in document.elements if each.parent is root and each.name in _AFTER), None)
            place = after.start if after is not None else None
            changes.append(xml.append(root, new, document) if place is None else (place, place, new))
    return changes


def _before(label: str, old: str) -> str:
    """A header's text with the label in its left section; a text without a section stands in the middle."""
    if old.startswith("&L"):
        return f"&L&9{label} {old[2:]}"
    return f"&L&9{label}" + (old if old.startswith(("&C", "&R")) or not old else f"&C{old}")


FACE = Face(
    extension="xlsx",
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    kind="document",
    read=read,
    places={
        "label": "page header of each sheet",
        "implicit": f"custom property `{NAME}`",
        "source": "custom property `DigitalSourceType`",
        "record": "custom property `castalia`",
    },
    begins=begins,
    stamp=stamp,
    words=words,
)
