"""HTML: one standalone page without scripts or outside parts; the labels for machines are in its head."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from typing import Any, cast

from castalia.core.values import Content
from castalia.provenance.embed.face import Face, Marks, Stamp, headline, one_line
from castalia.provenance.embed.md import parser
from castalia.provenance.embed.plain import first_element, opening, reads_text, renders_text, stamps_text
from castalia.provenance.label import find_label, split_label
from castalia.provenance.tc260 import NAME

_SOURCE = "Iptc4xmpExt:DigitalSourceType"
_RECORD = "castalia-record"
LABEL = "ai-label"
"""Class of the visible label."""
_BLOCKS = re.compile(
    "address|article|aside|blockquote|br|d[dlt]|div|footer|h[1-6r]|header|li|main|[ou]l|p|pre|section|t(able|r)"
)
_HIDDEN = frozenset(("script", "style", "head", "template", "title", "footer"))
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]{1,64})\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""")

_MACHINE = re.compile(
    rf"""<meta\s+(?:name="{NAME}"|property="{_SOURCE}")\s[^<>]*+>\s?"""
    rf"""|<script\s+type="application/json"\s+id="{_RECORD}">[^<]*+</script>\s?""",
    re.IGNORECASE,
)
_VISIBLE = re.compile(rf'<p class="{LABEL}">[^<]{{0,200}}</p>\s?')
_DOCTYPE = re.compile(r"\s*<!doctype[^<>]*+>", re.IGNORECASE)
_ROOT, _HEAD, _BODY = (re.compile(rf"<{name}(?:\s[^<>]*+)?>", re.IGNORECASE) for name in ("html", "head", "body"))
_HEAD_END = re.compile("</head>", re.IGNORECASE)

_STYLE = """
:root{color-scheme:light dark;--ink:#1d1b18;--paper:#fbf9f5;--faint:#6d675f;--line:#d9d3c9}
@media(prefers-color-scheme:dark){:root{--ink:#e9e4db;--paper:#191817;--faint:#9a938a;--line:#3a3733}}
body{margin:0;background:var(--paper);color:var(--ink);font:1.125rem/1.75 "Iowan Old Style",Charter,Georgia,
"Noto Serif CJK SC","Source Han Serif SC","Songti SC",SimSun,"Noto Serif",serif;overflow-wrap:break-word}
main{max-width:38rem;margin:0 auto;padding:3rem 1.25rem}
h1{font-size:1.7rem;line-height:1.3}h2{font-size:1.3rem}h3{font-size:1.1rem}
.ai-label{display:inline-block;margin:0 0 2rem;padding:.1rem .7rem;border:1px solid var(--faint);border-radius:1rem;
color:var(--faint);font:.9rem/1.6 system-ui,"Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif}
blockquote{margin-inline:0;padding-inline-start:1rem;border-inline-start:3px solid var(--line);color:var(--faint)}
pre{overflow-x:auto}a{color:inherit}
footer{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--faint);font-size:.8rem;
user-select:none;-webkit-user-select:none}
@media print{body{background:none}main{padding:0}}
""".strip()


def render(content: Content, stamp: Stamp) -> str:
    """The page. Everything that came from a brief or a model is escaped; a policy forbids scripts and outside parts."""
    record = stamp.record
    title = headline(content)
    linked: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "CreativeWork",
        "identifier": f"urn:uuid:{record.id}",
        "name": title,
        "inLanguage": record.language,
        "dateCreated": stamp.machine["created"],
        "digitalSourceType": record.digital_source_type,
        "creator": {"@type": "SoftwareApplication", "name": record.system, "softwareVersion": record.version},
        "publisher": record.provider,
    }
    label = f"{_visible(stamp.label)}\n" if stamp.label else ""
    note = f"{record.provider} · {record.system} {record.version} · {record.created:%Y-%m-%d %H:%M} UTC · {record.id}"
    return f"""<!DOCTYPE html>
<html lang="{content.language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<meta name="generator" content="{escape(f"{record.system} {record.version}")}">
{_machine(stamp)}
<script type="application/ld+json">{_data(linked)}</script>
<style>
{_STYLE}
</style>
</head>
<body>
<main>
{label}<article>
{_body(content)}
</article>
<footer>{escape(note)}</footer>
</main>
</body>
</html>
"""


def stamp(text: str, mark: Stamp) -> str:
    """Marks put into a page from elsewhere: first in its head and first in its body, in place of earlier ones."""
    text = _MACHINE.sub("", text)
    if mark.label:  # an old label goes only where a new one comes
        text = _VISIBLE.sub("", text)
    head = next(filter(None, (_HEAD.search(text), _ROOT.search(text), _DOCTYPE.match(text))), None)
    place = head.end() if head else 0
    text = f"{text[:place]}\n{_machine(mark)}\n{text[place:]}"
    if not mark.label:
        return text
    body = _BODY.search(text) or _HEAD_END.search(text)
    place = body.end() if body else place + len(_machine(mark)) + 2
    return f"{text[:place]}\n{_visible(mark.label)}\n{text[place:]}"


def _machine(stamp: Stamp) -> str:
    return (
        f'<meta name="{NAME}" content="{escape(one_line(stamp.aigc))}"/>\n'
        f'<meta property="{_SOURCE}" content="{escape(stamp.record.digital_source_type)}"/>\n'
        f'<script type="application/json" id="{_RECORD}">{_data(stamp.machine)}</script>'
    )


def _visible(label: str) -> str:
    return f'<p class="{LABEL}">{escape(label)}</p>'


def _body(content: Content) -> str:
    if content.markdown:
        return str(parser().render(content.markdown)).strip()
    paragraphs = re.split(r"\n[ \t]*\n", content.text.strip("\n"))
    return "\n".join(f"<p>{'<br>'.join(_line(line) for line in part.split(chr(10)))}</p>" for part in paragraphs)


def _shown(content: Content) -> str:
    page = _Page()
    page.run(_body(content))
    return page.shown("page")


def _line(line: str) -> str:
    bare = line.lstrip()
    return "&nbsp;" * (len(line) - len(bare)) + escape(bare.rstrip(), quote=False)


def _data(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    return one_line(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def read(text: str) -> Marks:
    """One pass over the tags, linear in the length whatever they hold."""
    page = _Page()
    page.run(text)
    whole = page.shown("page")
    label, rest = split_label(whole)
    article = page.shown("article")
    if page.label:
        label = page.label
    texts = tuple(part for part in (article, rest, whole) if part) or ("",)
    return Marks(texts=texts, label=label, aigc=page.aigc, source=page.source, record=page.record)


def visible(page: str) -> str:
    """The text of a page as it is seen, without its label."""
    return read(page).texts[-1]


class _Page:
    """A reader that knows just as much of HTML as marks need."""

    def __init__(self) -> None:
        self.label = ""
        self.aigc: str | None = None
        self.source: str | None = None
        self.record: str | None = None
        self._text: dict[str, list[str]] = {"page": [], "article": []}
        self._inside = 0
        self._labelled = False

    def shown(self, part: str) -> str:
        """The visible text of the whole page or of its article elements."""
        return re.sub(r"\n{3,}", "\n\n", "".join(self._text[part])).strip()

    def run(self, page: str) -> None:
        place = 0
        while (start := page.find("<", place)) >= 0:
            self._say(page[place:start])
            if page.startswith("<!--", start):
                place = _after(page, "-->", start)
                continue
            if not page[start + 1 : start + 2].strip("0123456789 \t\r\n<>="):
                self._say("<")
                place = start + 1
                continue
            end = _after(page, ">", start)
            place = self._tag(page, page[start + 1 : min(end, start + 100_001)].removesuffix(">"), end)
        self._say(page[place:])

    def _say(self, source: str) -> None:
        if not source:
            return
        piece = re.sub(r"\s+", " ", unescape(source).replace("\u00a0", " "))
        if self._labelled and piece.strip():
            self.label = self.label or find_label(piece)
            self._labelled = False
            return
        self._add(piece)

    def _add(self, piece: str) -> None:
        self._text["page"].append(piece)
        if self._inside:
            self._text["article"].append(piece)

    def _tag(self, page: str, tag: str, end: int) -> int:
        """Handle one tag; returns where reading goes on."""
        parts = tag.split(None, 1)
        name = parts[0].rstrip("/").lower() if parts else ""
        closing, name = name.startswith("/"), name.removeprefix("/")
        if name == "article":
            self._inside = max(0, self._inside + (-1 if closing else 1))
        if _BLOCKS.fullmatch(name):
            self._add("\n")
        if closing:
            return end
        attributes = _attributes(parts[1]) if len(parts) > 1 else {}
        if name == "meta":
            self._meta(attributes)
        self._labelled = LABEL in attributes.get("class", "").split()
        if name not in _HIDDEN or name == "head":
            return end
        stop = _find_close(page, name, end)
        if name == "script":
            self._script(attributes, page[end:stop])
        return stop

    def _meta(self, attributes: dict[str, str]) -> None:
        content = attributes.get("content", "")
        if attributes.get("name", "").upper() == NAME and self.aigc is None:
            self.aigc = content
        named = attributes.get("property") or attributes.get("name", "")
        if named.lower().endswith("digitalsourcetype") and self.source is None:
            self.source = content

    def _script(self, attributes: dict[str, str], body: str) -> None:
        if attributes.get("id") == _RECORD and self.record is None:
            self.record = body
        if attributes.get("type") == "application/ld+json" and self.source is None:
            try:
                found: object = json.loads(body)
            except (ValueError, RecursionError):
                return
            if isinstance(found, dict):
                kind = cast("dict[str, object]", found).get("digitalSourceType")
                self.source = kind if isinstance(kind, str) else None


def _attributes(source: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(source):
        found.setdefault(match[1].lower(), unescape(match[2] or match[3] or match[4] or ""))
    return found


def _after(page: str, mark: str, start: int) -> int:
    end = page.find(mark, start)
    return len(page) if end < 0 else end + len(mark)


def _find_close(page: str, name: str, start: int) -> int:
    """Where the element's closing tag begins, or the end of the page."""
    for close in (f"</{name}", f"</{name.upper()}"):
        if (place := page.find(close, start)) >= 0:
            return place
    return len(page)


FACE = Face(
    extension="html",
    media_type="text/html",
    kind="text",
    render=renders_text(render),
    stamp=stamps_text(stamp),
    read=reads_text(read),
    begins=lambda content: opening(content).lower().startswith("<!doctype html") or first_element(content) == "html",
    shown=_shown,
    places={
        "label": f'element `<p class="{LABEL}">`, first in the page',
        "implicit": f'`<meta name="{NAME}" content="{{…}}">`',
        "source": f'`<meta property="{_SOURCE}">` and JSON-LD `digitalSourceType`',
        "record": f'`<script type="application/json" id="{_RECORD}">`',
    },
    other_names=("htm",),
)
