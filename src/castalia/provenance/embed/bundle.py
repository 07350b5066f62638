"""ZIP: several files that belong together; each marked where it can be, the whole in `castalia.json`."""

from __future__ import annotations

from castalia.provenance.embed import archive, json
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, reads, stamps

MEMBER = "castalia.json"


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The member comes last."""
    old = archive.member(content, MEMBER) or b"{}"
    return archive.replaced(content, {MEMBER: json.FACE.stamp(old, mark)})


@reads
def read(content: bytes) -> Marks:
    """The member's marks."""
    found = archive.member(content, MEMBER)
    marks = Marks() if found is None else json.FACE.read(found)
    return Marks(label=marks.label, aigc=marks.aigc, source=marks.source, record=marks.record)


def begins(content: bytes) -> bool:
    """An archive; those of other formats are asked before."""
    try:
        return archive.begins(content) and bool(archive.names(content))
    except MalformedError:
        return False


FACE = Face(
    extension="zip",
    media_type="application/zip",
    kind="document",
    read=read,
    places={layer: f"member `{MEMBER}`: {place}" for layer, place in json.FACE.places.items()},
    begins=begins,
    stamp=stamp,
)
