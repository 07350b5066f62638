"""Bytes of a text file and the text in them, for the formats that are text."""

from __future__ import annotations

import re
from collections.abc import Callable

from castalia.core.values import Content
from castalia.provenance.embed.face import MalformedError, Marks, Stamp, stamps

LONGEST_TEXT = 2_000_000
"""Characters of a text that are searched for labels."""
LONGEST_PARTS = 32_000_000
"""Bytes of a document's parts in which words are looked for."""
LONGEST_FILE = 16_000_000
"""Bytes that are taken for a text at all."""


def decode(content: bytes) -> str | None:
    """The text of a file in UTF-8, UTF-16 with its mark, or GB 18030; None when it is no text."""
    if len(content) > LONGEST_FILE:
        return None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    elif b"\0" in content:
        return None
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def opening(content: bytes, length: int = 400) -> str:
    """The characters of a text's first bytes without the space before them; something or other for what is no text."""
    start = content[:length]
    return (decode(start) or start.decode("utf-8", "ignore")).lstrip("\ufeff \t\r\n")


def first_element(content: bytes) -> str:
    """The name of an XML document's outermost element, looked for in its first 64 KB; empty for what is no XML."""
    text, place = opening(content, 65_536), 0
    while text.startswith("<", place):
        if text.startswith(("<?", "<!"), place):
            close = "?>" if text[place + 1] == "?" else "-->" if text.startswith("<!--", place) else ">"
            end = text.find(close, place)
            if end < 0:
                return ""
            place = end + len(close)
            place += len(text[place : place + 1000]) - len(text[place : place + 1000].lstrip())
            continue
        return re.split(r"[\s/>]", text[place + 1 : place + 100], maxsplit=1)[0].rpartition(":")[2]
    return ""


def reads_text(read: Callable[[str], Marks]) -> Callable[[bytes], Marks]:
    """A reader of bytes out of a reader of text; a text that is too long has no labels, bytes that are none no text."""

    def read_bytes(content: bytes) -> Marks:
        text = decode(content)
        if text is None:
            return Marks()
        return read(text) if len(text) <= LONGEST_TEXT else Marks(texts=(text,))

    return read_bytes


def stamps_text(stamp: Callable[[str, Stamp], str]) -> Callable[[bytes, Stamp], bytes]:
    """A writer of marks into bytes out of one into text; what comes out is UTF-8."""

    @stamps
    def stamp_bytes(content: bytes, mark: Stamp) -> bytes:
        text = decode(content)
        if text is None or not text.strip():
            raise MalformedError("not a text in UTF-8, UTF-16 or GB 18030")
        if len(text) > LONGEST_TEXT:
            raise MalformedError(f"a text of more than {LONGEST_TEXT} characters")
        return stamp(text, mark).encode()

    return stamp_bytes


def renders_text(render: Callable[[Content, Stamp], str]) -> Callable[[Content, Stamp], bytes]:
    """A maker of bytes out of a maker of text."""
    return lambda content, stamp: render(content, stamp).encode()
