"""Markdown: the labels for machines are front matter, the visible one is the first line of the body."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

from castalia.core.values import Content
from castalia.provenance.embed.face import Face, Marks, Stamp, headline, one_line
from castalia.provenance.embed.plain import decode, reads_text, renders_text, stamps_text
from castalia.provenance.label import split_label
from castalia.provenance.tc260 import FIELDS, NAME

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_SOURCE = "digitalSourceType"
_RECORD = "castalia"
_LONGEST = 100_000
"""Characters of Markdown that are parsed when reading; of a longer text the source serves."""
_MARKUP = re.compile(r"[\\`*_\[\]<>]|&(?=[#\w]+;)")
_LEADING = re.compile(r"(?:[#+=~-]|(?<!\d)\d{1,9}(?=[.)]))")


def render(content: Content, stamp: Stamp) -> str:
    """Front matter, visible line, the work."""
    matter = [f"title: {one_line(headline(content))}", f"lang: {content.language}"]
    return _page(matter, to_markdown(content), stamp)


def stamp(text: str, mark: Stamp) -> str:
    """The same around Markdown from elsewhere; its own front matter stays, an old label goes where a new one comes."""
    matter, body = split_matter(text)
    kept: list[str] = []
    ours = False
    for line in matter:
        ours = (line.startswith((" ", "\t")) and ours) or line.partition(":")[0] in (NAME, _SOURCE, _RECORD)
        kept += [] if ours else [line]
    return _page(kept, split_label(body)[1] if mark.label else body, mark)


def _page(matter: list[str], body: str, stamp: Stamp) -> str:
    ours = (
        f"{NAME}: {one_line(stamp.aigc)}",
        f"{_SOURCE}: {one_line(stamp.record.digital_source_type)}",
        f"{_RECORD}: {one_line(stamp.machine)}",
    )
    head = f"*{stamp.label}*\n\n" if stamp.label else ""
    return "\n".join(("---", *matter, *ours, "---", "", head + body.strip("\n"), ""))


def to_markdown(content: Content) -> str:
    """The content's own Markdown, else its text with every character taken literally and every line kept."""
    return content.markdown or "\n\n".join(_literal(part) for part in re.split(r"\n[ \t]*\n", content.text))


def _literal(paragraph: str) -> str:
    lines: list[str] = []
    for line in paragraph.strip("\n").split("\n"):
        bare = line.strip()
        indent = "\u00a0" * (len(line) - len(line.lstrip()))
        safe = _MARKUP.sub(lambda found: "\\" + found[0], bare)
        if lead := _LEADING.match(safe):
            safe = f"{lead[0]}\\{safe[lead.end() :]}" if lead[0].isdigit() else "\\" + safe
        lines.append(indent + safe)
    return "  \n".join(lines)


@cache
def parser() -> MarkdownIt:
    """CommonMark without raw HTML; links with a scheme that could run code are left as text."""
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False, "maxNesting": 20})


def plain(markdown: str) -> str:
    """The text that a reader sees of Markdown; the source itself when it is too long or too odd to parse."""
    if len(markdown) > _LONGEST:
        return markdown
    try:
        tokens = parser().parse(markdown)
    except (RecursionError, ValueError, IndexError, TypeError, AttributeError):
        return markdown
    pieces: list[str] = []
    for token in tokens:
        if token.type in ("fence", "code_block"):
            pieces.append(token.content)
        inline = token.children or ()
        pieces += ["\n" if child.type in ("softbreak", "hardbreak") else child.content for child in inline]
        if token.type.endswith("_close") or token.type in ("fence", "code_block"):
            pieces.append("\n")
    return "".join(pieces).strip("\n")


def read(text: str) -> Marks:
    """Front matter is read line by line: `key: JSON`, `key: plain`, or an indented block of `name: value`."""
    matter, body = split_matter(text)
    label, rest = split_label(body)
    return Marks(
        texts=(plain(rest), rest, plain(body)) if label else (plain(body), body),
        label=label,
        aigc=_value(matter, NAME),
        source=_unquoted(_value(matter, _SOURCE)),
        record=_value(matter, _RECORD),
    )


def split_matter(text: str) -> tuple[list[str], str]:
    """(lines of the front matter, body); ([], text) when there is none."""
    body = text.lstrip("\ufeff")
    if not body.startswith("---"):
        return [], text
    lines = body.split("\n")
    if lines[0].strip() != "---":
        return [], text
    for index, line in enumerate(lines[1:], 1):
        if line.strip() == "---":
            return lines[1:index], "\n".join(lines[index + 1 :]).strip("\n")
    return [], text


def _value(matter: list[str], name: str) -> str | None:
    for index, line in enumerate(matter):
        key, separator, value = line.partition(":")
        if separator and key == name:
            return value.strip() or _block(matter[index + 1 :])
    return None


def _block(lines: list[str]) -> str:
    """An indented YAML block of strings, as an editor may have rewritten our object, in JSON."""
    found: dict[str, str] = {}
    for line in lines:
        if not line.startswith((" ", "\t")) or len(found) > len(FIELDS):
            break
        key, separator, value = line.strip().partition(":")
        if separator:
            found[key] = _unquoted(value.strip()) or ""
    return json.dumps(found)


def _unquoted(value: str | None) -> str | None:
    return value[1:-1] if value and len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


FACE = Face(
    extension="md",
    media_type="text/markdown",
    kind="text",
    render=renders_text(render),
    stamp=stamps_text(stamp),
    read=reads_text(read),
    begins=lambda content: bool(split_matter(decode(content) or "")[0]),
    shown=lambda content: plain(to_markdown(content)),
    places={
        "label": "first line of the body, in italics",
        "implicit": f"front matter `{NAME}:`",
        "source": f"front matter `{_SOURCE}:`",
        "record": f"front matter `{_RECORD}:`",
    },
    other_names=("markdown",),
)
