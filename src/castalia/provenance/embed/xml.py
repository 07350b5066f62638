"""Where the elements of an XML document begin and end, so that marks are put in and all else stays byte for byte.

Read with expat, which fetches nothing. A document that declares entities is refused, so none can grow; so are odd
encodings, deep nesting and endless elements.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr

from castalia.provenance.embed.face import MalformedError

DEEPEST = 250
MOST = 2_000_000
"""Elements of a document, of which a seventh may be of the names that were asked for."""
LONGEST = 64_000_000
"""Bytes of a document."""
_DECLARED = re.compile(rb"""^(<\?xml[^>]{0,200}?encoding\s*=\s*)(["'])([A-Za-z0-9._-]{1,40})\2""")
_ENCODINGS = frozenset(("utf-8", "us-ascii", "ascii", "iso-8859-1", "windows-1252", "gb18030", "gbk", "gb2312", "big5"))
_START_TAG = re.compile(rb"""(?:[^>"']++|"[^"]*+"|'[^']*+')*+>""")


@dataclass(eq=False)
class Element:
    """One element, by offsets into `Document.content`."""

    name: str
    """Without its prefix."""
    space: str
    """Its namespace; empty without one."""
    attributes: dict[str, str]
    """By name without prefix; the namespace's own first where two agree."""
    parent: Element | None
    depth: int
    start: int
    inside: int
    """After the start tag."""
    close: int = 0
    """Where the end tag begins; where the element ends when it is written `<a/>`."""
    end: int = 0
    pieces: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        """Its own characters, without those of elements inside."""
        return "".join(self.pieces)

    @property
    def empty(self) -> bool:
        """Whether it is written `<a/>`."""
        return self.inside == self.end


@dataclass
class Document:
    """A document in UTF-8 and the elements that were asked for, in order."""

    content: bytes
    elements: list[Element]

    @property
    def root(self) -> Element:
        """The outermost element."""
        return self.elements[0]

    def all(self, name: str, space: str | None = None) -> list[Element]:
        """The elements of that name."""
        return [each for each in self.elements if each.name == name and space in (None, each.space)]

    def first(self, name: str, space: str | None = None) -> Element | None:
        """The first element of that name, or None."""
        return next(iter(self.all(name, space)), None)


def parse(content: bytes, names: Collection[str] | None = None) -> Document:
    """Find elements.

    Args:
        content: The document in any of a few encodings.
        names: Local names of the elements to keep beside the root; None keeps all.

    Raises:
        MalformedError: it is not well formed, declares entities, or goes beyond a limit.
    """
    scan = _Scan(_utf8(content), names)
    scan.run()
    return Document(scan.content, scan.found)


def edit(content: bytes, changes: Collection[tuple[int, int, str]]) -> bytes:
    """The document with each (start, end) replaced; changes do not overlap."""
    for start, end, text in sorted(changes, reverse=True):
        content = content[:start] + text.encode() + content[end:]
    return content


def append(element: Element, inner: str, document: Document) -> tuple[int, int, str]:
    """The change that puts `inner` at an element's end, opening `<a/>` where it must."""
    if not element.empty:
        return element.close, element.close, inner
    tag = document.content[element.start : element.inside].decode()
    name = re.split(r"[\s/>]", tag[1:], maxsplit=1)[0]
    return element.start, element.end, f"{tag.removesuffix('/>')}>{inner}</{name}>"


def prepend(element: Element, inner: str, document: Document) -> tuple[int, int, str]:
    """The change that puts `inner` at an element's beginning."""
    return append(element, inner, document) if element.empty else (element.inside, element.inside, inner)


def text(value: str) -> str:
    """Characters as an element holds them."""
    return escape(_printable(value))


def attribute(value: str) -> str:
    """A value with the quotes around it."""
    return quoteattr(_printable(value))


def _printable(value: str) -> str:
    """XML 1.0 section 2.2 has no place for most control characters."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value)


def _utf8(content: bytes) -> bytes:
    if len(content) > LONGEST:
        raise MalformedError(f"XML of more than {LONGEST} bytes")
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            content = content.decode("utf-16").encode()
            return _DECLARED.sub(rb'\1"UTF-8"', content, count=1)
        content = content.removeprefix(b"\xef\xbb\xbf")
        if declared := _DECLARED.match(content):
            encoding = declared[3].decode().lower()
            if encoding not in _ENCODINGS:
                raise MalformedError(f"XML in {encoding}")
            if encoding not in ("utf-8", "us-ascii", "ascii"):
                return _DECLARED.sub(rb'\1"UTF-8"', content.decode(encoding).encode(), count=1)
        content.decode("utf-8")
    except UnicodeError as error:
        raise MalformedError(f"XML in another encoding than it says ({error})") from error
    return content


class _Scan:
    def __init__(self, content: bytes, names: Collection[str] | None) -> None:
        self.content = content
        self.found: list[Element] = []
        self._names = names
        self._open: list[Element | None] = []
        self._kept: list[Element] = []
        self._count = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")

    def run(self) -> None:
        parser = self._parser
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(self.content, True)
        except expat.ExpatError as error:
            raise MalformedError(f"XML: {error}") from error
        if not self.found:
            raise MalformedError("XML without an element")

    def _doctype(self, _name: str, _system: str | None, _public: str | None, has_internal_subset: bool) -> None:  # noqa: FBT001
        if has_internal_subset:
            raise MalformedError("XML that declares entities")

    def _entity(self, *_rest: object) -> None:
        raise MalformedError("XML that declares entities")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= DEEPEST or self._count > MOST:
            raise MalformedError("XML nested too deep or of too many elements")
        space, _, local = name.rpartition(" ")
        if self._names is not None and self.found and local not in self._names:
            self._open.append(None)
            return
        start = self._parser.CurrentByteIndex
        tag = _START_TAG.match(self.content, start)
        plain: dict[str, str] = {}
        for key, value in attributes.items():
            plain.setdefault(key.rpartition(" ")[2], value)
        element = Element(
            name=local,
            space=space,
            attributes=plain,
            parent=self._kept[-1] if self._kept else None,
            depth=len(self._open),
            start=start,
            inside=tag.end() if tag else start,
        )
        if len(self.found) > MOST // 7:
            raise MalformedError("XML of too many elements")
        self.found.append(element)
        self._open.append(element)
        self._kept.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if element is None:
            return
        self._kept.pop()
        place = self._parser.CurrentByteIndex
        if self.content[element.inside - 2 : element.inside] == b"/>":
            element.close = element.end = element.inside
        else:
            element.close = place
            element.end = self.content.index(b">", place) + 1

    def _characters(self, data: str) -> None:
        if self._open and (element := self._open[-1]) is not None:
            element.pieces.append(data)
