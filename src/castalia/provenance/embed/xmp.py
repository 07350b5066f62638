"""XMP: the labels for machines in a packet, as pictures and PDF files carry it (ISO 16684-1:2019).

`TC260:AIGC` as GB 45438-2025 asks for pictures, `Iptc4xmpExt:DigitalSourceType` by IPTC's extension schema, and
the record. What a packet holds beside them stays as it stands.
"""

from __future__ import annotations

import re

from castalia.provenance.embed import xml
from castalia.provenance.embed.face import MalformedError, Marks, Stamp

TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
OURS = "castalia:ns/record/1.0/"
"""Namespaces of the three properties."""
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
LONGEST = 4_000_000
"""Bytes of a packet that are read."""
_PROPERTIES = {("AIGC", TC260): "aigc", ("DigitalSourceType", IPTC): "source", ("record", OURS): "record"}
NEW = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    f'<rdf:RDF xmlns:rdf="{RDF}">\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
)
"""A packet without properties."""
NAMES = frozenset(("xmpmeta", "RDF", "Description", *(name for name, _ in _PROPERTIES)))
"""Elements that `changes` and `marks` need of a document that holds more."""
PLACES = {
    "implicit": "XMP `TC260:AIGC`",
    "source": "XMP `Iptc4xmpExt:DigitalSourceType`",
    "record": "XMP `castalia:record`",
}


def write(packet: bytes | None, stamp: Stamp, *, aigc: bool = True) -> bytes:
    """A packet with our properties in it, each once.

    Args:
        packet: The one that the file came with, whose other properties stay; None makes a new one.
        stamp: What to write.
        aigc: Whether the TC260 object is here; a file holds one, and some formats have another place for it.

    Raises:
        MalformedError: the old packet cannot be parsed.
    """
    document = _parse(packet or NEW.encode())
    return xml.edit(document.content, changes(document, stamp, aigc=aigc))


def changes(document: xml.Document, stamp: Stamp, *, aigc: bool = True) -> list[tuple[int, int, str]]:
    """What to edit in a document that is a packet or has one inside; arguments and errors as for `write`."""
    frame = packet_in(document)
    if frame is None:
        raise MalformedError("XMP without rdf:RDF")
    edits = [(each.start, each.end, "") for each in _ours(document)]
    edits += [change for each in document.all("Description", RDF) for change in _attributes(each, document)]
    lines = stamp.lines
    first = f"<TC260:AIGC>{xml.text(lines['aigc'])}</TC260:AIGC>\n" if aigc else ""
    ours = (
        f'<rdf:Description rdf:about="" xmlns:rdf="{RDF}" xmlns:TC260="{TC260}" xmlns:Iptc4xmpExt="{IPTC}"'
        f' xmlns:castalia="{OURS}">\n{first}'
        f"<Iptc4xmpExt:DigitalSourceType>{xml.text(lines['source'])}</Iptc4xmpExt:DigitalSourceType>\n"
        f"<castalia:record>{xml.text(lines['record'])}</castalia:record>\n</rdf:Description>\n"
    )
    return [*edits, xml.append(frame, ours, document)]


def packet_in(document: xml.Document) -> xml.Element | None:
    """The `rdf:RDF` of a document's packet; one that stands elsewhere, as drawing programs write it, is none."""
    return next(
        (
            each
            for each in document.all("RDF", RDF)
            if each.parent is None or (each.parent.name, each.parent.space) == ("xmpmeta", "adobe:ns:meta/")
        ),
        None,
    )


def read(packet: bytes | None) -> Marks:
    """The three properties, as elements or in RDF's short form as attributes; raises `MalformedError`."""
    return Marks() if packet is None else marks(_parse(packet))


def marks(document: xml.Document) -> Marks:
    """The same of a document that is a packet or has one inside."""
    found: dict[str, str] = {}
    for element in document.elements:
        if layer := _PROPERTIES.get((element.name, element.space)):
            found.setdefault(layer, element.text.strip() or element.attributes.get("resource", ""))
        elif element.name == "Description":
            for (name, _), layer in _PROPERTIES.items():
                if name in element.attributes:
                    found.setdefault(layer, element.attributes[name])
    return Marks(aigc=found.get("aigc"), source=found.get("source"), record=found.get("record"))


def _parse(packet: bytes) -> xml.Document:
    if len(packet) > LONGEST:
        raise MalformedError(f"an XMP packet of more than {LONGEST} bytes")
    return xml.parse(packet.strip(b"\0 \t\r\n"))


def _ours(document: xml.Document) -> list[xml.Element]:
    """The properties that are written anew; the whole description where it holds nothing else."""
    found = [each for each in document.elements if (each.name, each.space) in _PROPERTIES]
    inside: dict[xml.Element, list[xml.Element]] = {}
    for each in document.elements:
        if each.parent is not None:
            inside.setdefault(each.parent, []).append(each)
    properties = set(found)
    for holder in document.all("Description", RDF):
        held = inside.get(holder, [])
        if held and properties.issuperset(held) and not holder.attributes.keys() - {"about"}:
            properties = properties.difference(held) | {holder}
    return list(properties)


def _attributes(element: xml.Element, document: xml.Document) -> list[tuple[int, int, str]]:
    tag = document.content[element.start : element.inside].decode()
    spans: list[tuple[int, int, str]] = []
    for name, _ in _PROPERTIES:
        if name in element.attributes:
            for match in re.finditer(rf"""\s[\w.-]+:{name}\s*=\s*(?:"[^"]*"|'[^']*')""", tag):
                first, last = (len(tag[:place].encode()) for place in match.span())
                spans.append((element.start + first, element.start + last, ""))
    return spans
