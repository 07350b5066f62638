"""SVG: XMP in `<metadata>` (SVG 2, section 5.10; XMP part 3, section 2.5), the label as a `<text>` drawn last."""

from __future__ import annotations

import re

from castalia.provenance.embed import xml, xmp
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps
from castalia.provenance.embed.plain import first_element
from castalia.provenance.label import find_label

SPACE = "http://www.w3.org/2000/svg"
_ID = "castalia-label"
_HEIGHT = 0.075
"""Font size as a share of the shortest side: capitals are about .72 of it, so 5 % and more (GB 45438-2025)."""
_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)(?:px)?\s*")
_DEFAULT = (0.0, 0.0, 300.0, 150.0)
"""Where neither `viewBox` nor sizes say (CSS 2.2, section 10.3.2)."""


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """Only the two elements are added or replaced; every other byte of the drawing stays."""
    document = _parse(content)
    changes: list[tuple[int, int, str]] = []
    inner = ""
    if xmp.packet_in(document) is not None:
        changes += xmp.changes(document, mark)
    else:
        packet = re.sub(r"<\?xpacket.*?\?>", "", xmp.write(None, mark).decode()).strip()
        inner = f'<metadata xmlns="{SPACE}">{packet}</metadata>'
        changes.append(xml.prepend(document.root, inner, document))
    if mark.label:  # an old label goes only where a new one comes
        ours = [each for each in document.all("text", SPACE) if each.attributes.get("id") == _ID]
        changes += [(each.start, each.end, "") for each in ours]
    if mark.label and document.root.empty:  # then the one change opens it
        changes = [xml.append(document.root, inner + _text(document.root, mark.label), document)]
    elif mark.label:
        changes.append(xml.append(document.root, _text(document.root, mark.label), document))
    return xml.edit(document.content, changes)


@reads
def read(content: bytes) -> Marks:
    """The packet, and our text or any short one that is a label."""
    document = _parse(content)
    found = xmp.marks(document)
    texts = document.all("text", SPACE)
    texts.sort(key=lambda each: each.attributes.get("id") != _ID)
    label = next((label for each in texts if (label := find_label(each.text))), "")
    return Marks(label=label, aigc=found.aigc, source=found.source, record=found.record)


def begins(content: bytes) -> bool:
    """The outermost element."""
    return first_element(content) == "svg"


def _parse(content: bytes) -> xml.Document:
    document = xml.parse(content, {"svg", "metadata", "text", *xmp.NAMES})
    if document.root.name != "svg" or document.root.space != SPACE:
        raise MalformedError("not an SVG drawing")
    return document


def _text(root: xml.Element, label: str) -> str:
    x, y, wide, high = _box(root)
    size = min(wide, high) * _HEIGHT
    return (
        f'<text xmlns="{SPACE}" id="{_ID}" x="{x + wide - size * 0.4:.4g}" y="{y + high - size * 0.5:.4g}"'
        f' font-size="{size:.4g}" font-family="sans-serif" text-anchor="end" fill="#fff" stroke="#000"'
        f' stroke-width="{size * 0.14:.4g}" paint-order="stroke">{xml.text(label)}</text>'
    )


def _box(root: xml.Element) -> tuple[float, float, float, float]:
    try:
        x, y, wide, high = (float(part) for part in re.split(r"[\s,]+", root.attributes["viewBox"].strip()))
    except (KeyError, ValueError):
        sides = [_NUMBER.fullmatch(root.attributes.get(name, "")) for name in ("width", "height")]
        x, y = 0.0, 0.0
        wide, high = (float(side[1]) if side else default for side, default in zip(sides, _DEFAULT[2:], strict=True))
    return (x, y, wide, high) if 0 < wide < 1e9 and 0 < high < 1e9 else _DEFAULT


FACE = Face(
    extension="svg",
    media_type="image/svg+xml",
    kind="picture",
    read=read,
    places={"label": f'`<text id="{_ID}">`, drawn last', **xmp.PLACES},
    begins=begins,
    stamp=stamp,
    embeds=True,
)
