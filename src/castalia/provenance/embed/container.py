"""`META-INF/container.xml`, by which e-books and packed scores name their main file (EPUB OCF 3.3, section 4.2.6.3)."""

from __future__ import annotations

from castalia.provenance.embed import archive, xml
from castalia.provenance.embed.face import MalformedError

_PART = "META-INF/container.xml"


def main_file(content: bytes) -> str:
    """The path of the first root file; raises `MalformedError`."""
    part = archive.member(content, _PART)
    root = xml.parse(part, {"container", "rootfiles", "rootfile"}).first("rootfile") if part else None
    path = root.attributes.get("full-path", "") if root else ""
    if not path or archive.member(content, path) is None:
        raise MalformedError("an archive without a main file")
    return path
