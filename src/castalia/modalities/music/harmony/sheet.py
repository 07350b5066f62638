"""Chord sheets: chords as musicians write them down, `| C | Am F | G7 | C |`, or ChordPro, `[C]words [G]words`.

A sheet is its bars, a bar its words: chord symbols, and `/` where a chord goes on for another share of the bar.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import ChordSymbol, Metre
from castalia.modalities.music.files.bars import Bar
from castalia.modalities.music.files.chord_names import NONE
from castalia.modalities.music.harmony.chords import chord_of

Sheet = tuple[tuple[str, ...], ...]

MOST_BARS = 256
LONGEST = 10_000
"""Characters."""
ON = "/"
"""The chord before goes on."""
AGAIN = "%"
"""The bar before is played again."""
_DIRECTIVE = re.compile(r"\{[^{}\n]*\}")
_BRACKET = re.compile(r"\[([^\[\]\n|]*)\]")
_SECTION = re.compile(
    r"\W*(verse|chorus|bridge|intro|outro|refrain|coda|interlude|pre-?chorus|solo|ending|part)\b.{0,20}\Z"
    r"|\W*(主歌|副歌|前奏|间奏|尾声|桥段|尾奏).{0,10}\Z",
    re.IGNORECASE,
)
_BARLINE = re.compile(r"\|:|:\||:\|:|\|+\]?|\[\|")


def read_sheet(text: str) -> Sheet:
    """The bars of a sheet, repeats written out.

    Bar lines may be left out: then every chord has a bar, as in ChordPro. `%` repeats the bar before, `|:` and `:|`
    what is between them; `N.C.` is silence. Lines in braces or beginning with `#`, and names of sections, say nothing.

    Raises:
        UsageError: it is empty or too long, or a word of it is no chord symbol.
    """
    if len(text) > LONGEST:
        raise UsageError(
            say("The chord sheet has {n:,} characters; at most {most:,} are read.",
                "和弦谱有 {n:,} 个字符，最多 {most:,} 个。", n=len(text), most=LONGEST),
            hint=say("Give the chords alone.", "请只给出和弦。"),
        )  # fmt: skip
    plain = _DIRECTIVE.sub(" ", text.replace("｜", "|").replace("♯", "#").replace("♭", "b"))
    lines = [line for line in plain.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    lines = [line for line in lines if not _SECTION.match(line.strip().strip("[]:"))]
    inner = [(line, word.strip()) for line in lines for word in _BRACKET.findall(line)]
    if inner:
        words = [_chord(word, line) for line, word in inner if not _SECTION.match(word)]
        bars: list[tuple[str, ...]] = [(word,) for word in words]
    elif any("|" in line for line in lines):
        bars = _barred(lines)
    else:
        bars = []
        for line in lines:
            for word in line.split():
                _add(bars, (word,), line)
    if not bars:
        raise UsageError(say("The chord sheet has no chords.", "和弦谱中没有和弦。"), hint="| C | Am F | G7 | C |")
    return tuple(_bounded(bars))


def write_sheet(sheet: Sequence[Sequence[str]], *, a_line: int = 4) -> str:
    """The sheet as text, four bars a line; `read_sheet` reads it back."""
    rows = [sheet[first : first + a_line] for first in range(0, len(sheet), a_line)]
    return "\n".join("| " + " | ".join(" ".join(bar) for bar in row) + " |" for row in rows)


def place_chords(sheet: Sheet, bars: Sequence[Bar]) -> tuple[ChordSymbol, ...]:
    """The symbols in time; a sheet that is shorter is played again until the bars are full.

    Args:
        sheet: Its bars.
        bars: The full bars of the piece, without a pickup.

    Raises:
        UsageError: the bars are no whole number of sheets, or a bar has more chords than beats.
    """
    if not bars or len(bars) % len(sheet):
        raise UsageError(
            say("The chord sheet has {n} bars and the melody {m}.", "和弦谱有 {n} 小节，而旋律有 {m} 小节。",
                n=len(sheet), m=len(bars)),
            hint=say("Write {m} bars, or a part that divides them evenly; a pickup is not counted.",
                     "请写 {m} 小节，或可整除它的小节数；弱起不计。", m=len(bars)),
        )  # fmt: skip
    made: list[ChordSymbol] = []
    for number, bar in enumerate(bars):
        words = sheet[number % len(sheet)]
        sizes = _sizes(len(words), bar.metre)
        place = bar.start
        for word, size in zip(words, sizes, strict=True):
            if word != ON and (not made or made[-1].name != word):
                made.append(ChordSymbol(place, word))
            place += size
    return tuple(made)


def _barred(lines: list[str]) -> list[tuple[str, ...]]:
    made: list[tuple[str, ...]] = []
    begin = 0
    for line in lines:
        marks = [found[0] for found in _BARLINE.finditer(line)]
        for number, cell in enumerate(_BARLINE.split(line)):
            if number and ":" in marks[number - 1]:
                if marks[number - 1].startswith(":"):
                    made += made[begin:]
                    _bounded(made)
                begin = len(made)
            if words := tuple(cell.split()):
                _add(made, words, line)
    return made


def _add(bars: list[tuple[str, ...]], words: tuple[str, ...], line: str) -> None:
    """One more bar; `%` alone stands for the one before."""
    if words == (AGAIN,):
        if not bars:
            raise UsageError(
                say(
                    "The first bar is {word}: there is none before it.", "第一小节是 {word}，之前没有小节。", word=AGAIN
                ),
                hint="| C | % | G7 | C |",
            )
        bars.append(bars[-1])
        return
    read = tuple(ON if word in (ON, AGAIN, ".", "-") else _chord(word, line) for word in words)
    if read[0] == ON and not bars:
        raise UsageError(
            say("The first bar begins with {word}.", "第一小节以 {word} 开头。", word=words[0]), hint="| C / G / |"
        )
    bars.append(read)
    _bounded(bars)


def _chord(word: str, line: str) -> str:
    """The symbol as it is written on; silence as `N.C.` always."""
    chord = chord_of(word)
    if chord is None:
        raise UsageError(
            say("{word!r} is not a chord symbol (in the line {line!r}).", "{word!r} 不是和弦记号（所在行：{line!r}）。",
                word=word[:40], line=line.strip()[:60]),
            hint="C, Am, F#m7, Bbmaj7, G7sus4, Bdim, C/E, N.C.",
        )  # fmt: skip
    return word if chord.tones else NONE


def _sizes(count: int, metre: Metre) -> list[int]:
    """Ticks of each of a bar's words: even shares where there are, else more for the first."""
    grouped = 3 if metre.unit >= 8 and metre.beats % 3 == 0 and count <= metre.beats // 3 else 1
    beats = metre.beats // grouped
    if count > beats:
        raise UsageError(
            say("A bar of {beats}/{unit} has room for {beats} chords, not {n}.",
                "{beats}/{unit} 拍的小节最多容纳 {beats} 个和弦，而不是 {n} 个。",
                beats=metre.beats, unit=metre.unit, n=count),
            hint=say("Put a bar line between them.", "请在其间加小节线。"),
        )  # fmt: skip
    beat = metre.bar // beats
    return [beat * (beats // count + (number < beats % count)) for number in range(count)]


def _bounded(bars: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    if len(bars) > MOST_BARS:
        raise UsageError(
            say("The chord sheet has more than {most} bars.", "和弦谱超过 {most} 小节。", most=MOST_BARS),
            hint=say("Give a part of it.", "请给出其中一部分。"),
        )
    return bars
