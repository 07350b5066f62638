"""Originality: the longest run that a work shares with a collection, found by hashed runs of characters or words.

An index is a Bloom filter (Bloom 1970): it holds no text, only bits, and answers "perhaps" or "certainly not". Its
false positive rate stands in its header. Two are shipped: every run of five characters of famous poems, so that a
remembered 静夜思 is seen even without its line breaks; and every whole line of some 350,000 Tang and Song poems.
`build_index` makes one from a collection of one's own, in any language.

File format: the line `castalia-originality 1`, a line of JSON (`Header`), then the bits.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from castalia.core.errors import UsageError
from castalia.core.files import write_atomic
from castalia.core.language import say
from castalia.core.script import simplified
from castalia.core.values import Draft, Finding

MAGIC = b"castalia-originality 1\n"
_LARGEST = 1 << 28
"""Bytes of the largest index that is read."""
_SHIPPED = ("famous_poems.bloom", "poem_lines.bloom")

_HAN = r"\u3400-\u9fff\U00020000-\U0003ffff"
_CLAUSE = re.compile(f"[{_HAN}]+")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")


@dataclass(frozen=True)
class Header:
    """What an index holds."""

    name: str
    """What the user is told that the run was found in."""
    unit: Literal["characters", "words"]
    """Chinese characters in simplified form, or words in lower case; everything else is left out."""
    length: int
    """Units in a run. 0: whole clauses, as punctuation and line breaks divide the text."""
    entries: int
    hashes: int
    bits: int

    @property
    def false_positives(self) -> float:
        """Share of unknown runs that the filter takes for known."""
        return (1 - math.exp(-self.hashes * self.entries / self.bits)) ** self.hashes


@dataclass(frozen=True)
class Shared:
    """A run that a text has in common with an index."""

    units: int
    """Characters or words."""
    text: str
    source: str


class Index:
    """An index in memory.

    Args:
        header: What it holds.
        bits: The filter.
    """

    def __init__(self, header: Header, bits: bytes) -> None:
        self.header = header
        self._bits = bits

    def __contains__(self, run: str) -> bool:
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in _places(run, self.header))

    def longest(self, text: str) -> Shared:
        """The longest run of the text that the index holds, put together from overlapping or neighbouring hits."""
        best, begin, end = (0, 0), 0, 0
        units, runs = _cut(text, self.header)
        for start, stop in runs:
            if _join(units[start:stop], self.header) not in self:
                continue
            # Clauses continue one another when they touch, runs when they overlap by all but one unit.
            joined = end > begin and (start == end if self.header.length == 0 else stop == end + 1)
            begin, end = (begin, stop) if joined else (start, stop)
            best = max(best, (begin, end), key=lambda span: span[1] - span[0])
        return Shared(best[1] - best[0], _join(units[best[0] : best[1]], self.header), self.header.name)


def build_index(
    texts: Iterable[str],
    path: Path,
    *,
    name: str,
    unit: Literal["characters", "words"],
    length: int,
    rate: float = 1e-4,
) -> Header:
    """Make an index of a collection and write it.

    Args:
        texts: The collection's texts.
        path: Where it goes.
        name: What the user is told that a run was found in.
        unit: Characters for Chinese, words for languages with spaces.
        length: Units in a run; 0 for whole clauses of at least five characters.
        rate: False positive rate, in (0, 1).

    Raises:
        StorageError: the file cannot be written.
    """
    shape = Header(name, unit, length, 0, 0, 8)
    runs = {run for text in texts for run in _runs(text, shape)}
    bits = max(8, math.ceil(-len(runs) * math.log(rate) / math.log(2) ** 2 / 8) * 8)
    header = Header(name, unit, length, len(runs), max(1, round(bits / max(len(runs), 1) * math.log(2))), bits)
    filled = bytearray(bits // 8)
    for run in runs:
        for place in _places(run, header):
            filled[place >> 3] |= 1 << (place & 7)
    write_atomic(path, MAGIC + json.dumps(asdict(header), ensure_ascii=False).encode() + b"\n" + bytes(filled))
    return header


def open_index(path: Path | Traversable) -> Index:
    """Read an index.

    Raises:
        UsageError: there is no such file, or it is no index.
    """
    try:
        with path.open("rb") as stream:
            data: bytes = stream.read(_LARGEST)
        magic, head, bits = data.split(b"\n", 2)
        header = Header(**json.loads(head))
        sound = (
            magic + b"\n" == MAGIC
            and header.unit in ("characters", "words")
            and 0 <= header.length <= 100
            and 1 <= header.hashes <= 64
            and len(bits) * 8 == header.bits
        )
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            say("No originality index at {path}: {why}.", "{path} 不是原创性索引：{why}。", path=path, why=error),
            hint=say("Build it again with `build_index`.", "请用 `build_index` 重新生成。"),
        ) from error
    if not sound:
        raise UsageError(
            say("The originality index {path} is damaged.", "原创性索引 {path} 已损坏。", path=path),
            hint=say("Build it again with `build_index`.", "请用 `build_index` 重新生成。"),
        )
    return Index(header, bits)


@cache
def shipped_indexes() -> tuple[Index, ...]:
    """The indexes of classical poems that come with the program."""
    place = files("castalia") / "data" / "chinese"
    return tuple(open_index(place / name) for name in _SHIPPED)


def borrowed(text: str, indexes: Sequence[Index] = ()) -> Shared:
    """The longest run that a text shares with the shipped indexes and the given ones."""
    return max((index.longest(text) for index in (*shipped_indexes(), *indexes)), key=lambda shared: shared.units)


@dataclass(frozen=True)
class OriginalityRule:
    """No run of the work longer than the limit stands in an index.

    Args:
        characters: Most Chinese characters in a row that may be shared; 4 for verse, where five are a borrowed line.
        words: Most words in a row that may be shared.
        paths: Further indexes, beside the shipped ones.
    """

    characters: int = 12
    words: int = 8
    paths: tuple[Path, ...] = ()
    name: str = "originality"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each index; text that the brief brought along is the user's own affair."""
        own = [open_index(path) for path in self.paths]
        brief = "".join(_units(draft.brief.said, "characters")), " ".join(_units(draft.brief.said, "words"))
        findings: list[Finding] = []
        text = _without_given(draft.content.text, brief)
        for index in (*shipped_indexes(), *own):
            shared = index.longest(text)
            characters = index.header.unit == "characters"
            limit = self.characters if characters else self.words
            quoted = shared.text in brief[0 if characters else 1]
            findings.append(
                Finding(
                    rule=self.name,
                    ok=shared.units <= limit or quoted,
                    found=say("{n} in a row: {text}", "连续 {n}：{text}", n=shared.units, text=shared.text)
                    if shared.units
                    else say("nothing shared", "无相同之处"),
                    wanted=say(
                        "≤ {n} in a row in {source}", "与{source}相同不超过 {n}", n=limit, source=index.header.name
                    ),
                    hint=say("Write this passage anew, or try another seed.", "请重写这一处，或换种子。"),
                )
            )
        return findings


def _without_given(text: str, brief: tuple[str, str]) -> str:
    """The text without the lines of verse that the brief holds word for word: in a song they come more than once."""
    lines = text.splitlines()
    kept = [line for line in lines if not _said(line, brief)]
    return text if len(kept) == len(lines) else "\n".join(kept)


def _said(line: str, brief: tuple[str, str]) -> bool:
    characters, words = "".join(_units(line, "characters")), " ".join(_units(line, "words"))
    return bool(characters or words) and characters in brief[0] and words in brief[1]


def _runs(text: str, header: Header) -> Iterator[str]:
    units, spans = _cut(text, header)
    return (_join(units[start:stop], header) for start, stop in spans)


def _cut(text: str, header: Header) -> tuple[Sequence[str], list[tuple[int, int]]]:
    """The text's units, and where its runs begin and end among them."""
    if header.length:
        units = _units(text, header.unit)
        return units, [(start, start + header.length) for start in range(len(units) - header.length + 1)]
    clauses = _CLAUSE.findall(simplified(text)) if header.unit == "characters" else re.split(r"[.,;:!?\n]+", text)
    pieces = [list(clause) if header.unit == "characters" else _units(clause, "words") for clause in clauses]
    units, spans = list[str](), list[tuple[int, int]]()
    for piece in pieces:
        if len(piece) >= 5:
            spans.append((len(units), len(units) + len(piece)))
        units.extend(piece)
    return units, spans


def _units(text: str, unit: Literal["characters", "words"]) -> list[str]:
    if unit == "characters":
        return [letter for clause in _CLAUSE.findall(simplified(text)) for letter in clause]
    return _WORD.findall(text.casefold().replace("’", "'"))


def _join(units: Sequence[str], header: Header) -> str:
    return ("" if header.unit == "characters" else " ").join(units)


def _places(run: str, header: Header) -> Iterator[int]:
    """The bits of a run, by double hashing (Kirsch and Mitzenmacher 2006)."""
    number = int.from_bytes(hashlib.blake2b(run.encode(), digest_size=16).digest(), "little")
    first, second = number & (1 << 64) - 1, number >> 64 | 1
    return ((first + index * second) % header.bits for index in range(header.hashes))
