"""Faithfulness: numbers, dates, names and quotations of a work that its brief does not contain.

Works on the finished text by values ("1,200" and "twelve hundred" are the same number); shares nothing with the mask
that guards the same while writing (`modalities/text/forms/facts.py`).
"""

from __future__ import annotations

import lzma
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from castalia.core.language import say
from castalia.core.values import Draft, Finding, Language

_UNITS = dict(
    zip(
        "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen".split(),
        [0, *range(2, 20)],
        strict=True,
    )
) | dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_HAN_DIGITS = {letter: value for value, letter in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_HAN_IDIOMS = re.compile(
    "十分|万一|千万别|一切|一起|一直|一定|一样|一般|统一|唯一|第一时间|五颜六色|四面八方|七嘴八舌|百姓|万物|千家万户|四季|三三两两|百年"
)
_HAN_NUMBER = re.compile("[零〇一二两三四五六七八九十百千万亿]+")
_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)?")
SENTENCE = re.compile(r"[^.!?。！？\n]+(?:[.!?](?=\d)[^.!?。！？\n]*)*[.!?。！？]*[\"”’」』)]*")
"""A sentence with its closing marks; a point between figures ends none."""
_QUOTED = re.compile(r'"([^"\n]{2,})"|“([^”\n]{2,})”|「([^」\n]{2,})」')
_CAPITAL = re.compile(r"(?<![\w'’])[A-Z][\w'’&-]*")
_CALENDAR = re.compile(
    r"\b(?:january|february|march(?= \d)|april|june|july|august|september|october|november|december|monday|tuesday|"
    r"wednesday|thursday|friday|saturday|sunday|yesterday|tomorrow|tonight|noon|midnight)\b|星期[一二三四五六日天]|周[一二三四五六日](?![年岁])|昨[天日]|明[天日]"
    r"|去年|明年",
    re.IGNORECASE,
)
_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_DAY = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})\b"
    rf"|\b(?P<first>{_MONTH}) (?P<second>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:.]\d|\d)"
    r"|(?P<yue>\d{1,2})月(?P<ri>\d{1,2})[日号]"
)
_QUALIFIED = re.compile(
    r"\b(more than|less than|fewer than|up to|at least|at most|nearly|almost|roughly|approximately)\s+([€$£¥]?\d[\d,]*)"
    r"|(超过|多达|至少|至多|不到|将近|大约|接近)(\d[\d,]*)",
    re.IGNORECASE,
)
"""A number that is made more or less of; the words that may also say where or when are left to the mask."""
_AROUND = 24
"""Characters beside a month in which the brief's days are looked for ("12, 13 and 14 June")."""
_HAN_NAMED = re.compile(
    "([\u4e00-\u9fff]{2,3})(?:先生|女士|教授|博士|主任|局长|市长|总经理)|(?:记者|市长|局长|主任|经理|总监)([\u4e00-\u9fff]{2,3})(?:说|表示|指出|介绍|称|告诉)"
)


@dataclass(frozen=True)
class UnsupportedFactsRule:
    """Nothing is stated that the brief does not contain; each finding names the sentence.

    Attributes:
        said: All that the user said.
        parts: Steps to look at; empty looks at the whole text.
        names: Whether capitalised words are looked at (not in titles that capitalise every word).
    """

    said: str
    parts: tuple[str, ...] = ()
    names: bool = True
    name: str = "unsupported-facts"

    def check(self, draft: Draft) -> Sequence[Finding]:
        """See `Rule.check`."""
        language = draft.content.language
        texts = [draft.parts.get(part, "") for part in self.parts] or [draft.content.text]
        found = [each for text in texts for each in unsupported(text, self.said, language, names=self.names)]
        return [
            Finding(
                rule=f"unsupported-{kind}",
                ok=False,
                place=sentence,
                found=what,
                wanted=say("what the brief says", "要求中的内容"),
                hint=say("Drop the sentence, or put the fact into the brief.", "请删去此句，或把事实写进要求。"),
            )
            for kind, what, sentence in found
        ] or [Finding(rule=self.name, ok=True, found=say("nothing beyond the brief", "没有超出要求的内容"))]


def unsupported(text: str, said: str, language: Language, *, names: bool = True) -> list[tuple[str, str, str]]:
    """(kind, what, sentence) of everything stated that was not said; kind is number, date, name or quotation."""
    plain_said = unicodedata.normalize("NFKC", said)
    known_numbers = set(_numbers(plain_said, language)) | set(_numbers(plain_said, "zh" if language == "en" else "en"))
    lowered = plain_said.casefold()
    words = set(re.findall(r"[\w&]+", lowered.replace("’", "'").replace("'s", "")))
    found: list[tuple[str, str, str]] = []
    for sentence in (match[0].strip() for match in SENTENCE.finditer(unicodedata.normalize("NFKC", text))):
        if not sentence:
            continue
        found += [
            ("number", f"{value:,g}", sentence) for value in _numbers(sentence, language) if value not in known_numbers
        ]
        for match in _QUALIFIED.finditer(sentence):
            word, number = (match[1] or match[3]).casefold(), (match[2] or match[4]).rstrip(",")
            if not re.search(rf"{re.escape(word)}\s*{re.escape(number)}(?!\d)", lowered):
                found.append(("number", match[0], sentence))
        dates = (match[0] for match in _CALENDAR.finditer(sentence))
        found += [("date", date, sentence) for date in dates if date.casefold() not in lowered]
        for match in _DAY.finditer(sentence):
            month = match["month"] or match["first"] or match["yue"]
            if not _day_said(month, match["day"] or match["second"] or match["ri"], lowered):
                found.append(("date", match[0], sentence))
        for groups in _QUOTED.findall(sentence):
            quoted = "".join(groups)
            if _squeezed(quoted) not in _squeezed(plain_said):
                found.append(("quotation", quoted, sentence))
        if names:
            namer = _han_names(sentence, plain_said) if language == "zh" else _names(sentence, words)
            found += [("name", each, sentence) for each in namer]
    return found


def _day_said(month: str, day: str, said: str) -> bool:
    """Whether a statement of the brief has the day beside the month."""
    name, before = (f"{month}月", 0) if month.isdigit() else (month.casefold(), _AROUND)
    for statement in re.split(r"[\n;；。]", said):
        for match in re.finditer(rf"(?<!\d){name}", statement):
            beside = statement[max(match.start() - before, 0) : match.end() + _AROUND].replace(name, " ")
            if any(int(number) == int(day) for number in re.findall(r"\d+", beside)):
                return True
    return False


def _numbers(text: str, language: Language) -> Iterator[float]:
    """Values of the numbers in a text, figures and words."""
    for match in _FIGURE.finditer(text):
        yield float(match[0].replace(",", "").rstrip(".") or 0)
    if language == "zh":
        for match in _HAN_NUMBER.finditer(_HAN_IDIOMS.sub("", text)):
            value = _han_value(match[0])
            # A lone 一 is mostly an article, as is 十/百/千/万 after a figure, which belongs to that figure.
            if match[0] != "一" and not (match.start() and text[match.start() - 1].isdigit()) and value is not None:
                yield value
        return
    words = re.findall(r"[a-z]+", text.casefold())
    at = 0
    while at < len(words):
        value, used = _spelled(words[at:])
        if used:
            yield float(value)
        at += max(used, 1)


def _spelled(words: Sequence[str]) -> tuple[int, int]:
    """(value, words used) of a number in words at the beginning; (0, 0) when there is none."""
    total, current, used = 0, 0, 0
    for word in words:
        if word in _UNITS:
            current += _UNITS[word]
        elif word == "one" and used == 0 and len(words) > 1 and words[1] in _SCALES:
            current += 1
        elif word in _SCALES and used:
            current = max(current, 1) * _SCALES[word]
            if _SCALES[word] >= 1000:
                total, current = total + current, 0
        elif not (word == "and" and used):
            break
        used += 1
    while used and words[used - 1] == "and":
        used -= 1
    return total + current, used


def _han_value(text: str) -> float | None:
    if all(letter in _HAN_DIGITS for letter in text):
        return float("".join(str(_HAN_DIGITS[letter]) for letter in text))
    total, section, digit = 0, 0, 0
    for letter in text:
        if letter in _HAN_DIGITS:
            digit = _HAN_DIGITS[letter]
        elif _HAN_SCALES[letter] >= 10**4:
            total, section, digit = (total + section + digit or 1) * _HAN_SCALES[letter], 0, 0
        else:
            section += (digit or 1) * _HAN_SCALES[letter]
            digit = 0
    return float(total + section + digit)


def _names(sentence: str, words: set[str]) -> Iterator[str]:
    """Capitalised words that were not said; the sentence's first word counts when it is no common word."""
    opening = re.search(r"\w", sentence)
    for match in _CAPITAL.finditer(sentence):
        plain = re.sub(r"['’]s?$", "", match[0]).casefold().replace("’", "'")
        parts = [part for part in re.split(r"[-']", plain) if part]
        said = plain in words or all(part in words for part in parts)
        first = opening is not None and match.start() == opening.start()
        if not said and plain != "i" and not plain.startswith("i'") and not (first and parts[0] in _common()):
            yield match[0]


def _han_names(sentence: str, said: str) -> Iterator[str]:
    for match in _HAN_NAMED.finditer(sentence):
        name = match[1] or match[2]
        # The last characters before a title are the name; what comes before may be a verb.
        if name and not any(name[-size:] in said for size in (2, 3)):
            yield match[0]


def _squeezed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


@cache
def _common() -> frozenset[str]:
    raw = lzma.decompress((files("castalia") / "data" / "english" / "common.txt.xz").read_bytes()).decode()
    return frozenset(raw.split())
