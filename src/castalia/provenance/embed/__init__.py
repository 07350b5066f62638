"""One file a format: how marks are written into it and read back."""

from __future__ import annotations

from castalia.provenance.embed import (
    abc,
    bundle,
    docx,
    epub,
    flac,
    gif,
    html,
    jpeg,
    json,
    md,
    midi,
    mp3,
    mp4,
    musicxml,
    mxl,
    pdf,
    png,
    svg,
    txt,
    wav,
    webp,
    xlsx,
)
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp
from castalia.provenance.embed.md import plain
from castalia.provenance.embed.plain import decode

_ALL = (
    *(txt.FACE, md.FACE, html.FACE, json.FACE),
    *(png.FACE, jpeg.FACE, webp.FACE, gif.FACE, svg.FACE),
    *(wav.FACE, mp3.FACE, flac.FACE, mp4.M4A, mp4.MP4),
    *(midi.FACE, musicxml.FACE, mxl.FACE, abc.FACE),
    *(pdf.FACE, docx.FACE, xlsx.FACE, epub.FACE, bundle.FACE),
)
FORMATS: dict[str, Face] = {face.extension: face for face in _ALL}
"""All formats that carry marks, by file extension."""
FACES: dict[str, Face] = {name: face for name, face in FORMATS.items() if face.render}
"""Those in which a text is delivered."""

_NAMES = {other: name for name, face in FORMATS.items() for other in (name, *face.other_names)}


def find_format(name: str) -> Face | None:
    """The format of an extension, with or without its dot, or None."""
    return FORMATS.get(_NAMES.get(name.lower().lstrip("."), ""))


def face_of(name: str, content: bytes) -> Face | None:
    """The format of a file: by how it begins, among texts by its name first; None when it is none that we know."""
    for face in FORMATS.values():
        if face.kind != "text" and face.begins(content):
            return face
    if decode(content) is None:
        return None
    named = find_format(name.rpartition(".")[2]) if "." in name else None
    if named is not None and named.kind == "text":
        return named
    return next((FACES[each] for each in ("json", "html", "md") if FACES[each].begins(content)), FACES["txt"])


__all__ = ["FACES", "FORMATS", "Face", "MalformedError", "Marks", "Stamp", "face_of", "find_format", "plain"]
