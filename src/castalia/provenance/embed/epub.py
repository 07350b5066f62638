"""EPUB: `<meta>` of the package document, and the label as the first paragraph that is read (EPUB 3.3, section 5.5)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from itertools import islice
from urllib.parse import unquote

from castalia.provenance.embed import archive, container, html, xml
from castalia.provenance.embed.face import Face, MalformedError, Marks, Stamp, finds_words, reads, stamps
from castalia.provenance.embed.mp3 import NAMES, marks_of
from castalia.provenance.embed.plain import LONGEST_PARTS, LONGEST_TEXT, decode
from castalia.provenance.label import find_label
from castalia.provenance.tc260 import NAME

_OPF = "http://www.idpf.org/2007/opf"
_XHTML = "http://www.w3.org/1999/xhtml"
_ID = "castalia-label"
_MOST_PAGES = 500
_PARTS = {"package", "metadata", "meta", "manifest", "item", "spine", "itemref"}


@stamps
def stamp(content: bytes, mark: Stamp) -> bytes:
    """The older form `<meta name content>` (section 5.5.7), which every reader leaves in peace, needs no prefix."""
    path, package = _package(content)
    metadata = package.first("metadata", _OPF)
    if metadata is None:
        raise MalformedError("an e-book without metadata")
    ours = [each for each in package.all("meta", _OPF) if each.attributes.get("name") in NAMES]
    inner = "".join(
        f'<meta xmlns="{_OPF}" name="{name}" content={xml.attribute(mark.lines[layer])}/>'
        for name, layer in NAMES.items()
    )
    changes = [*((each.start, each.end, "") for each in ours), xml.append(metadata, inner, package)]
    new = {path: xml.edit(package.content, changes)}
    page = _first_page(content, path, package)
    document, body = _page(content, page)
    changes = []
    if mark.label:  # an old label goes only where a new one comes
        changes = [(each.start, each.end, "") for each in document.all("p") if each.attributes.get("id") == _ID]
        label = f'<p xmlns="{_XHTML}" id="{_ID}" class="{html.LABEL}" style="font-size:.8em">{xml.text(mark.label)}</p>'
        changes.append(xml.prepend(body, label, document))
    return archive.replaced(content, new | {page: xml.edit(document.content, changes)})


@reads
def read(content: bytes) -> Marks:
    """The metadata, and our paragraph or another on the first page that is a label."""
    path, package = _package(content)
    found: dict[str, str] = {}
    for each in package.all("meta", _OPF):
        if (name := each.attributes.get("name")) in NAMES:
            found.setdefault(str(name), each.attributes.get("content", ""))
    marks = marks_of(found)
    document, _ = _page(content, _first_page(content, path, package))
    texts = sorted(document.all("p"), key=lambda each: each.attributes.get("id") != _ID)[:3]
    label = next((label for each in texts if (label := find_label(each.text))), "")
    return Marks(label=label, aigc=marks.aigc, source=marks.source, record=marks.record)


@finds_words
def words(content: bytes) -> str:
    """The visible text of the pages in reading order."""
    path, package = _package(content)
    found: list[str] = []
    pages = islice(_pages(content, path, package), _MOST_PAGES)
    for page in archive.members(content, pages, LONGEST_PARTS):
        found.append(html.visible((decode(page) or "")[:LONGEST_TEXT]))
        if sum(map(len, found)) > LONGEST_TEXT:
            break
    return "\n\n".join(found)


def begins(content: bytes) -> bool:
    """The member `mimetype` comes first and is not packed (EPUB OCF 3.3, section 4.3)."""
    return archive.begins(content) and content[30:58] == b"mimetypeapplication/epub+zip"


def _package(content: bytes) -> tuple[str, xml.Document]:
    if not begins(content):
        raise MalformedError("not an e-book")
    path = container.main_file(content)
    return path, xml.parse(archive.member(content, path) or b"", _PARTS)


def _first_page(content: bytes, path: str, package: xml.Document) -> str:
    page = next(_pages(content, path, package), None)
    if page is None:
        raise MalformedError("an e-book without a page")
    return page


def _pages(content: bytes, path: str, package: xml.Document) -> Iterator[str]:
    """The documents in reading order that are XHTML."""
    items = {each.attributes.get("id"): each.attributes for each in package.all("item", _OPF)}
    for reference in package.all("itemref", _OPF):
        item = items.get(reference.attributes.get("idref"), {})
        if item.get("media-type") == "application/xhtml+xml":
            page = posixpath.normpath(posixpath.join(posixpath.dirname(path), unquote(item.get("href", ""))))
            if archive.member(content, page) is not None:
                yield page


def _page(content: bytes, name: str) -> tuple[xml.Document, xml.Element]:
    document = xml.parse(archive.member(content, name) or b"", {"body", "p"})
    body = document.first("body", _XHTML)
    if body is None:
        raise MalformedError("an e-book's page without a body")
    return document, body


FACE = Face(
    extension="epub",
    media_type="application/epub+zip",
    kind="document",
    read=read,
    places={
        "label": f'`<p id="{_ID}">`, first on the first page',
        "implicit": f'package `<meta name="{NAME}">`',
        "source": 'package `<meta name="DigitalSourceType">`',
        "record": 'package `<meta name="castalia">`',
    },
    begins=begins,
    stamp=stamp,
    words=words,
)
