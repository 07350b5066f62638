"""One file a format: how marks are written into it and read back."""

from __future__ import annotations

from castalia.provenance.embed import html, json, md, txt
from castalia.provenance.embed.face import Face, Marks, Stamp
from castalia.provenance.embed.md import plain

FACES: dict[str, Face] = {module.FACE.extension: module.FACE for module in (txt, md, html, json)}
"""The formats in which works are delivered, by file extension."""

_OTHER_NAMES = {"markdown": "md", "htm": "html", "text": "txt"}


def face_of(name: str, text: str) -> Face:
    """The format of a file by its name, else by how its text begins; plain text when neither tells."""
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    extension = _OTHER_NAMES.get(extension, extension)
    if extension in FACES:
        return FACES[extension]
    opening = text[:400].lstrip("\ufeff \t\r\n").lower()
    if opening.startswith("{"):
        return FACES["json"]
    if opening.startswith(("<!doctype html", "<html")):
        return FACES["html"]
    return FACES["md" if md.split_matter(text)[0] else "txt"]


__all__ = ["FACES", "Face", "Marks", "Stamp", "face_of", "plain"]
