"""Checks on regulated Chinese verse: lines, tones, adhesion, rhyme and parallel couplets.

Reads the rhyme books and the word classes itself and shares nothing with the mask that wrote the lines. It works from
the rules of the form (every second place alternates, couplets oppose, neighbours adhere), not from a list of line
patterns. A character with several readings passes when one of them does, and one that the book lacks passes anyway:
classical poets used both, and a work is refused for what is wrong, not for what is rare.
"""

from __future__ import annotations

import itertools
import lzma
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from castalia.core.language import say
from castalia.core.values import Draft, Finding

RhymeBook = Literal["pingshui", "xinyun"]

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_READINGS = 512
"""Most readings of one line that are tried."""
_PARALLEL = -0.15
"""Mean log-likelihood ratio of a couplet's opposite word classes from which it counts as parallel."""
_SAME = -2.0
"""What the same character in both lines counts."""


def regulated_lines(text: str) -> list[str]:
    """The lines of a poem, Chinese characters only: split at punctuation and line breaks."""
    parts = re.split(r"[，。！？；：、,.!?;:\s|]+", text)
    return [line for part in parts if (line := "".join(_HAN.findall(part)))]


def tones_of(character: str, book: RhymeBook) -> frozenset[str]:
    """Tones (平, 仄) that a character may have; both when the book does not know it."""
    return frozenset(tone for tone, _ in _readings(book, character)) or frozenset("平仄")


def scannings(line: str, book: RhymeBook) -> list[str]:
    """Every way in which the line's tones follow the rules of a line by itself, as strings of 平 and 仄."""
    choices = [sorted(tones_of(character, book)) for character in line]
    found = map("".join, itertools.islice(itertools.product(*choices), _READINGS))
    return [tones for tones in found if not faults(tones)]


def faults(tones: str) -> list[str]:
    """What is wrong with one line's tones: `alternation`, `孤平`, `三平尾`, `三仄尾`.

    Args:
        tones: Five or seven of 平 and 仄.
    """
    found: list[str] = []
    evens = tones[1::2]
    if any(one == two for one, two in itertools.pairwise(evens)):
        found.append("alternation")
    if tones[-3:] in ("平平平", "仄仄仄"):
        found.append("三平尾" if tones[-1] == "平" else "三仄尾")
    first, second, third = tones[-5], tones[-4], tones[-3]
    if tones[-1] == "平" and (first, second, third) == ("仄", "平", "仄"):
        found.append("孤平")
    return found


@dataclass(frozen=True)
class VerseShapeRule:
    """So many lines of so many characters."""

    lines: int
    length: int
    name: str = "lines"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for the number of lines, one for each line's length, and one for characters used twice."""
        lines = regulated_lines(draft.content.text)
        hint = say("Write {n} lines of {m} characters.", "请写 {n} 句，每句 {m} 字。", n=self.lines, m=self.length)
        foreign = sorted(set(re.findall(r"[A-Za-z0-9]", draft.content.text)))
        return [
            Finding(
                rule=self.name, ok=len(lines) == self.lines, found=str(len(lines)), wanted=str(self.lines), hint=hint
            ),
            *(
                Finding(
                    rule="line-length",
                    ok=len(line) == self.length,
                    place=_place(number),
                    found=f"{len(line)}: {line}",
                    wanted=str(self.length),
                    hint=hint,
                )
                for number, line in enumerate(lines)
            ),
            *(
                Finding(rule="characters", ok=False, found=letter, wanted=say("Chinese only", "仅汉字"))
                for letter in foreign
            ),
        ]


@dataclass(frozen=True)
class RepeatedCharacterRule:
    """No character comes twice, but for doublings (悠悠)."""

    name: str = "repeated-character"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each character that does, or one that all is well."""
        lines = regulated_lines(draft.content.text)
        single = ["".join(letter for letter, _ in itertools.groupby(line)) for line in lines]
        letters = "".join(single)
        twice = [letter for letter in dict.fromkeys(letters) if letters.count(letter) > 1]
        return [
            Finding(
                rule=self.name,
                ok=False,
                found=letter,
                wanted=say("each character once", "不重字"),
                hint=say("Replace one of them.", "请换掉其中一个。"),
            )
            for letter in twice
        ] or [Finding(rule=self.name, ok=True)]


@dataclass(frozen=True)
class ToneRule:
    """平仄 within each line, 对 within couplets, 粘 between them."""

    length: int
    book: RhymeBook = "pingshui"
    name: str = "tones"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each line (rule `tones`), then one for each pair of neighbouring lines (rule `adhesion`)."""
        lines = [line for line in regulated_lines(draft.content.text) if len(line) == self.length]
        allowed = [scannings(line, self.book) for line in lines]
        findings = [self._line(number, line, allowed[number]) for number, line in enumerate(lines)]
        for number, (above, below) in enumerate(itertools.pairwise(allowed)):
            opposed = number % 2 == 0
            ok = any(_related(one, two, opposed=opposed) for one in above for two in below)
            wanted = say("opposite tones (对)", "相对") if opposed else say("like tones (粘)", "相粘")
            findings.append(
                Finding(
                    rule="adhesion",
                    ok=ok,
                    place=say("lines {a} and {b}", "第 {a}、{b} 句", a=number + 1, b=number + 2),
                    found=f"{lines[number]} / {lines[number + 1]}",
                    wanted=wanted,
                    hint=say("Change the tones of places 2, 4, 6.", "请调整二、四、六字的平仄。"),
                )
            )
        return findings

    def _line(self, number: int, line: str, allowed: Sequence[str]) -> Finding:
        shown = (
            "".join("/".join(sorted(tones_of(letter, self.book))) for letter in line)
            .replace("仄/平", "中")
            .replace("平/仄", "中")
        )
        wrong = "" if allowed else ", ".join(faults(shown.replace("中", "平")) or faults(shown.replace("中", "仄")))
        return Finding(
            rule=self.name,
            ok=bool(allowed),
            place=_place(number),
            found=f"{line} {shown} {wrong}".strip(),
            wanted=say("a regular line", "律句"),
            hint=say("Replace the characters at places 2, 4, 6 or the end.", "请替换二、四、六字或句尾的字。"),
        )


@dataclass(frozen=True)
class RegulatedRhymeRule:
    """Even lines rhyme in one level-tone group, each on a character of its own; the others end oblique.

    The first line may do either.
    """

    book: RhymeBook = "pingshui"
    name: str = "rhyme"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for the rhyme, one for each other line's ending, one for a rhyme character used twice."""
        ends = [line[-1] for line in regulated_lines(draft.content.text)]
        even = ends[1::2]
        shared = _level_groups(self.book, even)
        first = ends[:1] if ends and "仄" not in tones_of(ends[0], self.book) else []
        rhymed = [*first, *even]
        shared_by_all = _level_groups(self.book, rhymed)
        hint = say("End these lines on characters of one group.", "请让这些句子押同一韵部。")
        findings = [
            Finding(
                rule=self.name,
                ok=bool(shared) and (bool(shared_by_all) or not first),
                found="".join(rhymed) + " " + "/".join(sorted(shared_by_all or shared)),
                wanted=say("one level-tone rhyme group", "同一平声韵部"),
                hint=hint,
            ),
            Finding(
                rule="repeated-rhyme",
                ok=len(set(rhymed)) == len(rhymed),
                found="".join(rhymed),
                wanted=say("a different character each time", "韵脚不重字"),
                hint=say("Replace the rhyme that comes twice.", "请替换重复的韵脚。"),
            ),
        ]
        return findings + [
            Finding(
                rule="oblique-ending",
                ok="仄" in tones_of(ends[number], self.book),
                place=_place(number),
                found=ends[number],
                wanted=say("an oblique tone", "仄声"),
                hint=say("End this line on an oblique character.", "请以仄声字收句。"),
            )
            for number in range(2, len(ends), 2)
        ]


@dataclass(frozen=True)
class ParallelRule:
    """The second and third couplet of a 律诗 stand in parallel by parts of speech (对仗)."""

    name: str = "parallel"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each of the two couplets."""
        lines = regulated_lines(draft.content.text)
        return [
            Finding(
                rule=self.name,
                ok=agreement(lines[upper], lines[upper + 1]) >= _PARALLEL,
                place=say("lines {a} and {b}", "第 {a}、{b} 句", a=upper + 1, b=upper + 2),
                found=f"{lines[upper]} / {lines[upper + 1]} {agreement(lines[upper], lines[upper + 1]):+.2f}",
                wanted=f"≥ {_PARALLEL:+.2f}",
                hint=say("Put noun against noun, verb against verb.", "请以名词对名词、动词对动词。"),
            )
            for upper in (2, 4)
            if len(lines) == 8
        ]


def agreement(upper: str, lower: str) -> float:
    """Mean log-likelihood ratio, nats a place, that the classes stand opposite each other rather than by chance.

    Args:
        upper: A line.
        lower: The line below it; what is longer than the other is left out.
    """
    shares, ratios = _classes()
    values: list[float] = []
    for one, two in zip(upper, lower, strict=False):
        a, b = shares.get(one), shares.get(two)
        if one == two:
            values.append(_SAME)
        elif a is not None and b is not None:
            values.append(math.log(sum(a[i] * b[j] * ratios[i][j] for i in range(len(a)) for j in range(len(b)))))
    return sum(values) / max(len(values), 1)


def _related(above: str, below: str, *, opposed: bool) -> bool:
    return all((one != two) == opposed for one, two in zip(above[1::2], below[1::2], strict=True))


def _level_groups(book: RhymeBook, characters: Sequence[str]) -> set[str]:
    """Level-tone groups that all characters share; a character outside the book shares none."""
    groups = [{group for tone, group in _readings(book, letter) if tone == "平"} for letter in characters]
    return set[str].intersection(*groups) if groups else set()


def _place(number: int) -> str:
    return say("line {n}", "第 {n} 句", n=number + 1)


@cache
def _readings(book: RhymeBook, character: str) -> frozenset[tuple[str, str]]:
    """(tone, group) of every reading, under all traditional forms of the character."""
    forms = [character, *_traditional().get(character, ())] if book == "pingshui" else [character]
    table = _book(book)
    return frozenset(reading for form in forms for reading in table.get(form, ()))


@cache
def _book(book: RhymeBook) -> dict[str, list[tuple[str, str]]]:
    table: dict[str, list[tuple[str, str]]] = {}
    for row in _rows(f"{book}.txt.xz"):
        group, tone, letters = row.split("\t")
        for letter in letters:
            table.setdefault(letter, []).append((tone, group))
    return table


@cache
def _traditional() -> dict[str, list[str]]:
    return {row.split("\t")[0]: row.split("\t")[1].split() for row in _rows("simplified.txt.xz")}


@cache
def _classes() -> tuple[dict[str, list[float]], list[list[float]]]:
    """Shares of the eight classes by character, and the ratio of each pair of classes."""
    shares: dict[str, list[float]] = {}
    ratios: list[list[float]] = []
    for row in _rows("classes.txt.xz"):
        if row.startswith("#"):
            ratios.append([math.exp(float(value)) for value in row[1:].split()])
        else:
            letter, values = row.split("\t")
            counted = [float(value) + 1 for value in values.split()]
            shares[letter] = [value / sum(counted) for value in counted]
    return shares, ratios


def _rows(name: str) -> Iterator[str]:
    data = (files("castalia") / "data" / "chinese" / name).read_bytes()
    yield from lzma.decompress(data).decode().splitlines()
