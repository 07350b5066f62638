"""Checks on English verse: lines, syllables, metre and rhyme, by the pronouncing dictionary alone.

Reads the raw dictionary itself and shares nothing with the mask that wrote the lines. Where a word has several
pronunciations, a line passes when one reading of it does. Words that the dictionary lacks are counted by spelling,
and the finding names them.
"""

from __future__ import annotations

import itertools
import lzma
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

from castalia.core.language import say
from castalia.core.values import Draft, Finding

Phones = tuple[str, ...]
_T = TypeVar("_T")

_WORD = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’][A-Za-zÀ-ɏ]+)*")
_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")
_READINGS = 256
"""Most readings of one line that are tried."""


def verse_lines(draft: Draft) -> list[str]:
    """The poem's lines without its title and blank lines."""
    text = draft.content.text.strip()
    if draft.content.title:
        text = text.removeprefix(draft.content.title)
    return [line.strip() for line in text.splitlines() if line.strip()]


def syllables(line: str) -> set[int]:
    """Every number of syllables that a line may be read with; a Chinese character is one."""
    totals = {len(_HAN.findall(line))}
    for word in _words(line):
        counts = {_beats(phones) for phones in _spoken(word)} or {_estimate(word)}
        totals = {total + count for total in totals for count in counts}
    return totals


def pronunciations(word: str) -> list[str]:
    """The ways in which a word is stressed, a digit of the dictionary a syllable; none where it lacks the word."""
    found = _words(word)
    spoken = _spoken(found[0]) if len(found) == 1 else ()
    return ["".join(phone[-1] for phone in phones if phone[-1] in "012") for phones in spoken]


def rhymes(first: str, second: str) -> bool:
    """Whether two words rhyme truly: alike from the stressed vowel on, different before it."""
    if first.lower() == second.lower():
        return False
    tails = [(_tail(a), _tail(b)) for a in _known(first) for b in _known(second)]
    return any(a[1] == b[1] and a[0] != b[0] for a, b in tails)


def scans(line: str, patterns: Sequence[str]) -> bool:
    """Whether some reading of the line has the beat of one pattern (`w` weak and `s` strong, one a syllable)."""
    choices = [_known(word) for word in _words(line)]
    for reading in itertools.islice(itertools.product(*choices), _READINGS):
        beat = "".join(_stress(phones) for phones in reading)
        if any(
            len(beat) == len(pattern)
            and not any(mark == "!" and place == "w" for mark, place in zip(beat, pattern, strict=True))
            for pattern in patterns
        ):
            return bool(choices)
    return False


@dataclass(frozen=True)
class LineCountRule:
    """The poem has exactly so many lines."""

    count: int
    name: str = "lines"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for the whole work."""
        found = len(verse_lines(draft))
        return [
            Finding(
                rule=self.name,
                ok=found == self.count,
                found=str(found),
                wanted=str(self.count),
                hint=say("Write exactly {n} lines.", "请恰好写 {n} 行。", n=self.count),
            )
        ]


@dataclass(frozen=True)
class LineLengthRule:
    """No line is longer than so many characters."""

    longest: int
    name: str = "line-length"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each line."""
        return [
            Finding(
                rule=self.name,
                ok=len(line) <= self.longest,
                place=say("line {n}", "第 {n} 行", n=number),
                found=str(len(line)),
                wanted=f"≤ {self.longest}",
                hint=say("Break the line: {line}", "请把这一行断开：{line}", line=line),
            )
            for number, line in enumerate(verse_lines(draft), start=1)
        ]


@dataclass(frozen=True)
class SyllableRule:
    """Each line has one of the numbers of syllables that its place allows."""

    counts: tuple[tuple[int, ...], ...]
    name: str = "syllables"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each line that the form has."""
        findings: list[Finding] = []
        for place, line, wanted in _placed(verse_lines(draft), self.counts):
            totals = syllables(line)
            unknown = [word for word in _words(line) if not _spoken(word)]
            findings.append(
                Finding(
                    rule=self.name,
                    ok=bool(totals & set(wanted)),
                    place=place,
                    found="/".join(map(str, sorted(totals))),
                    wanted="/".join(map(str, wanted)),
                    hint=say("Shorten or lengthen the line: {line}", "请增减这一行的音节：{line}", line=line)
                    + (say(" (counted by spelling: ", "（按拼写估计：") + ", ".join(unknown) + ")" if unknown else ""),
                )
            )
        return findings


@dataclass(frozen=True)
class MetreRule:
    """Each line has the beat of one of the patterns that its place allows."""

    patterns: tuple[tuple[str, ...], ...]
    name: str = "metre"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each line that the form has."""
        return [
            Finding(
                rule=self.name,
                ok=scans(line, wanted),
                place=place,
                found=_shown(line),
                wanted=" / ".join(wanted),
                hint=say(
                    "Put the stressed syllables on the strong places: {line}",
                    "请把重读音节放在强拍上：{line}",
                    line=line,
                ),
            )
            for place, line, wanted in _placed(verse_lines(draft), self.patterns)
        ]


@dataclass(frozen=True)
class RhymeRule:
    """Lines with the same letter of the scheme rhyme truly; no two lines end in the same word."""

    scheme: str
    name: str = "rhyme"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """A finding for each pair of neighbouring lines in a rhyme, and for each last word used twice."""
        lines = verse_lines(draft)
        ends = [(_words(line) or [""])[-1] for line in lines]
        findings: list[Finding] = []
        latest: dict[str, int] = {}
        for index, letter in enumerate(self.scheme[: len(ends)]):
            if letter in latest:
                before = latest[letter]
                findings.append(
                    Finding(
                        rule=self.name,
                        ok=rhymes(ends[before], ends[index]),
                        place=say("lines {a} and {b}", "第 {a}、{b} 行", a=before + 1, b=index + 1),
                        found=f"{ends[before]} / {ends[index]}",
                        wanted=say("a true rhyme", "真押韵"),
                        hint=say(
                            "End line {b} on another word that rhymes with “{word}”.",
                            "第 {b} 行请换一个与“{word}”押韵的词收尾。",
                            b=index + 1,
                            word=ends[before],
                        ),
                    )
                )
            latest[letter] = index
        twice = sorted({word for word in map(str.lower, ends) if [e.lower() for e in ends].count(word) > 1})
        findings.extend(
            Finding(
                rule="rhyme-word-repeated",
                ok=False,
                found=word,
                wanted=say("each last word once", "每个韵脚词只用一次"),
                hint=say("Choose another word.", "请换一个词。"),
            )
            for word in twice
        )
        return findings


@dataclass(frozen=True)
class RepeatedLineRule:
    """No line is written twice, and none is the brief itself."""

    name: str = "repeated-line"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """One finding for each repeated line, or a single good one."""
        plain = [_plain(line) for line in verse_lines(draft)]
        brief = _plain(draft.brief.words)
        broken = [
            Finding(
                rule=self.name,
                ok=False,
                place=say("line {n}", "第 {n} 行", n=index + 1),
                found=line,
                wanted=say("a line of its own", "不重复的诗行"),
                hint=say("Write this line anew.", "请重写这一行。"),
            )
            for index, line in enumerate(plain)
            if line in plain[:index] or (line == brief and len(line) > 12)
        ]
        return broken or [Finding(rule=self.name, ok=True, found="0", wanted="0")]


# ---------------------------------------------------------------- sounds


def _words(text: str) -> list[str]:
    return [word.replace("’", "'").strip("'") for word in _WORD.findall(text)]


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower().replace("'", "").replace("’", "")))


def _spoken(word: str) -> tuple[Phones, ...]:
    sounds = _dictionary()
    low = word.lower()
    if low in sounds:
        return sounds[low]
    if low.endswith("'s") and low[:-2] in sounds:
        return tuple(_possessive(phones) for phones in sounds[low[:-2]])
    return ()


def _known(word: str) -> tuple[Phones, ...]:
    """Pronunciations; for a word that the dictionary lacks one of unstressed vowels, counted by spelling."""
    return _spoken(word) or (tuple(["AH0"] * _estimate(word)),)


def _possessive(phones: Phones) -> Phones:
    return (*phones, "IH0", "Z") if phones[-1] in {"S", "Z", "SH", "ZH", "CH", "JH"} else (*phones, "Z")


def _beats(phones: Iterable[str]) -> int:
    return sum(phone[-1] in "012" for phone in phones)


def _stress(phones: Phones) -> str:
    """A mark a syllable: `!` the main stress of a longer word, `.` any other, `?` a monosyllable, which takes any."""
    vowels = [phone[-1] for phone in phones if phone[-1] in "012"]
    return "?" if len(vowels) == 1 else "".join("!" if vowel == "1" else "." for vowel in vowels)


def _shown(line: str) -> str:
    """The line's beat as read first: w, s, and x for monosyllables."""
    beat = "".join(_stress(_known(word)[0]) for word in _words(line))
    return beat.translate(str.maketrans("!.?", "swx"))


def _tail(phones: Phones) -> tuple[Phones, Phones]:
    """(consonants before, sounds from) the last vowel with primary stress; the last vowel where none has."""
    marks = [index for index, phone in enumerate(phones) if phone[-1] in "012"]
    if not marks:
        return (), phones
    start = max((index for index in marks if phones[index][-1] == "1"), default=marks[-1])
    first = start
    while first > 0 and phones[first - 1][-1] not in "012":
        first -= 1
    return phones[first:start], tuple(phone.rstrip("012") for phone in phones[start:])


def _estimate(word: str) -> int:
    """Syllables of an unknown word: changes from consonant to vowel letter, a silent last e taken off."""
    low = re.sub(r"(?<=[^aeiouyl])e$|(?<=[^td])ed$|'s$", "", word.lower())
    vowels = [letter in "aeiouyáéíóúäöüàèêâô" for letter in low]
    return max(1, sum(now and not before for before, now in itertools.pairwise([False, *vowels])))


def _placed(lines: Sequence[str], wanted: Sequence[_T]) -> list[tuple[str, str, _T]]:
    """(place, line, what is wanted there) for every line that both have."""
    return [
        (say("line {n}", "第 {n} 行", n=index + 1), line, want)
        for index, (line, want) in enumerate(zip(lines, wanted, strict=False))
    ]


@cache
def _dictionary() -> Mapping[str, tuple[Phones, ...]]:
    raw = files("castalia").joinpath("data/english/pronunciations.txt.xz").read_bytes()
    sounds: dict[str, tuple[Phones, ...]] = {}
    for entry in lzma.decompress(raw).decode("ascii").split("\n"):
        word, *spoken = entry.split("\t")
        sounds[word] = tuple(tuple(one.split(" ")) for one in spoken)
    return sounds
