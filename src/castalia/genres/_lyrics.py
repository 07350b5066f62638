"""The words of a song in sections, and those that the user gave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.lyrics import Stanza
from castalia.core.ports import Rule
from castalia.core.values import Draft, Finding
from castalia.modalities.text.syllables import sung, sung_phrases, unsingable

LINES = 4
"""Of a stanza that is written, or cut from a longer one."""
MOST_LINES = 120
_LONGEST_STANZA = 8
_LONGEST_PHRASE = 24
"""Syllables, where a text gives no place to divide it."""
_LONGEST_WORD = 60
"""Letters."""
_LABEL = re.compile(
    r"[\[(（【]?\s*(?P<name>verse|chorus|refrain|bridge|pre-?chorus|主歌|副歌|桥段|第[一二三四五六七八九十\d]+[段节])"
    r"\s*[\dIVX一二三四五六]*\s*[\])）】]?\s*[:：.]?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Section:
    """A verse, a chorus, or another part of a song."""

    name: str
    """Sections of one name are sung to one tune and have equally many lines."""
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Lyrics:
    """The words of a song in the order in which they are sung."""

    title: str
    sections: tuple[Section, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The tunes that are needed, in the order of their first coming."""
        return tuple(dict.fromkeys(section.name for section in self.sections))

    def stanzas(self, name: str) -> list[Stanza]:
        """The syllables of all different sections of a name; a line is sung like the same line of the first of them."""
        texts = dict.fromkeys(section.lines for section in self.sections if section.name == name)
        made: list[Stanza] = []
        for lines in texts:
            usual = [len(line) for line in made[0]] if made else [None] * len(lines)
            made.append(tuple(sung(line, wanted) for line, wanted in zip(lines, usual, strict=True)))
        return made

    @property
    def text(self) -> str:
        """All of it to be read: the title, and each different section once."""
        once = dict.fromkeys(section.lines for section in self.sections)
        stanzas = ["\n".join(lines) for lines in once]
        return "\n\n".join([self.title, *stanzas] if self.title else stanzas)


@dataclass(frozen=True)
class OfSection:
    """Another rule, asked about one section of the words as it was written.

    Args:
        rule: The rule; it sees a work that has this section's text alone.
        section: Its number among the different sections, from 0.
    """

    rule: Rule
    section: int

    @property
    def name(self) -> str:
        """The rule's."""
        return self.rule.name

    def check(self, draft: Draft) -> Sequence[Finding]:
        """The rule's findings, with the section named."""
        stanzas = draft.content.text.split("\n\n")[bool(draft.content.title) :]
        text = stanzas[self.section] if self.section < len(stanzas) else ""
        content = draft.content.model_copy(update={"text": text, "title": ""})
        named = say("stanza {n}", "第 {n} 段", n=self.section + 1)
        return [
            each.model_copy(update={"place": f"{named}, {each.place}" if each.place else named})
            for each in self.rule.check(draft.model_copy(update={"content": content}))
        ]


def given_lyrics(text: str) -> Lyrics:
    """Words that the user gave: stanzas with blank lines between, `[Chorus]` over one, a title over them or none.

    Raises:
        UsageError: there is nothing to sing, too much of it, or digits and letters of other scripts.
    """
    blocks = [
        [line.strip() for line in block.splitlines() if line.strip()] for block in re.split(r"\n\s*\n", text.strip())
    ]
    blocks = [block for block in blocks if any(any(map(str.isalnum, line)) for line in block)]
    title = ""
    if len(blocks) > 1 and len(blocks[0]) == 1 and len(blocks[0][0]) <= 60 and not _label(blocks[0][0]):
        title = blocks.pop(0)[0].strip("# *_")
    sections: list[Section] = []
    for block in blocks:
        name = _label(block[0])
        lines = [line for line in block if not _label(line)]
        if not lines:
            sections += [next((each for each in reversed(sections) if each.name == name), Section("", ()))]
            continue
        for line in lines:
            _check(line)
        phrases = [phrase for line in lines for phrase in _phrases(line)]
        sections += [Section(name, part) for part in _parts(tuple(phrases))]
    sections = _named([section for section in sections if section.lines])
    count = sum(len(section.lines) for section in sections)
    if not 0 < count <= MOST_LINES:
        raise UsageError(
            say(
                "The lyrics have {n} lines; 1 to {most} are sung.",
                "歌词有 {n} 行；可唱 1–{most} 行。",
                n=count,
                most=MOST_LINES,
            ),
            hint=say("Give words to sing, a line of verse a line.", "请提供可唱的文字，一句一行。"),
        )
    first = sections[0].lines[0]
    return Lyrics(title or first.strip(' ,;:.!?，；：。！？、—-"“”'), tuple(sections))


def singable(lines: Sequence[str]) -> tuple[str, ...]:
    """Those of the lines that can be sung in one breath."""
    plain = [line.strip() for line in lines]
    return tuple(line for line in plain if not unsingable(line) and 0 < len(sung(line)) <= _LONGEST_PHRASE)


def _phrases(line: str) -> list[str]:
    """The line in parts of one breath; nothing where it has no syllable."""
    phrases = [phrase for phrase in sung_phrases(line) if sung(phrase)]
    for phrase in phrases:
        if len(sung(phrase)) > _LONGEST_PHRASE or max(map(len, phrase.split())) > _LONGEST_WORD:
            raise UsageError(
                say("{phrase!r} is too long for one breath.", "{phrase!r} 一口气唱不完。", phrase=phrase[:40]),
                hint=say("Divide it into words or lines.", "请分成词或行。"),
            )
    return phrases


def _check(line: str) -> None:
    if strange := unsingable(line):
        raise UsageError(
            say(
                "{strange!r} in {line!r} cannot be sung.",
                "{line!r} 中的 {strange!r} 无法演唱。",
                strange=strange,
                line=line,
            ),
            hint=say("Write it out in words, English or Chinese.", "请写成文字（中文或英文）。"),
        )


def _label(line: str) -> str:
    """The section that a line is the label of: `verse`, `chorus` or `bridge`; empty when it is none."""
    found = _LABEL.fullmatch(line)
    if found is None:
        return ""
    name = found["name"].lower()
    if name in ("chorus", "refrain", "副歌"):
        return "chorus"
    return "verse" if name in ("verse", "主歌") or name.startswith("第") else "bridge"


def _parts(lines: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A stanza in parts that one tune can hold."""
    if len(lines) <= _LONGEST_STANZA:
        return [lines]
    return [lines[start : start + LINES] for start in range(0, len(lines), LINES)]


def _named(sections: Sequence[Section]) -> list[Section]:
    """The sections with a name for each tune: what is said again is a chorus, others go by their number of lines."""
    texts = [section.lines for section in sections]
    made: list[Section] = []
    tunes: dict[tuple[str, int], str] = {}
    for section in sections:
        again = texts.count(section.lines) > 1 and len(set(texts)) > 1
        kind = section.name or ("chorus" if again else "verse")
        key = (kind, len(section.lines))
        alike = sum(known == kind for known, _ in tunes)
        name = tunes.setdefault(key, f"{kind}{alike + 1}" if alike else kind)
        made.append(replace(section, name=name))
    return made
