"""Words on beats: does the setting put stress on strong places, and where real tunes put the syllables?

    python benchmarks/bench_song.py

Protocol, `stress`: 40 stanzas of public-domain poems and hymns (song_texts.txt) are set in 4/4, 3/4 and 6/8, with the
seeds 0 to 2. `words`: share of unstressed syllables beside the main stress of their word that begin on a weaker beat
than it does (rule `word-stress`, which reads the dictionary itself). `phrases`: the same for a word of one syllable
with a meaning beside an article, preposition or conjunction of one syllable. Compared with one syllable a beat from a
downbeat on, and with the better of that and one syllable a beat from an upbeat on, chosen for each line.

Protocol, `tunes`: eight public-domain tunes written down from memory (song_tunes.txt); share of syllables that the
setting puts on a place of the same strength (`beat_strength`) as the tune does, seeds 0 to 2, and with one syllable a
beat. The costs of the setting were adjusted by looking at these tunes and at three of the poems, so the figures say how
well they can be met, not how well unseen tunes are foretold.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from _report import emit, interval
from castalia.core.lyrics import Line
from castalia.core.score import QUARTER, Metre, Note, Part, Score
from castalia.modalities.music import Pace, grid_of, set_stanza
from castalia.modalities.text.syllables import sung
from castalia.quality import SungWord, beat_strength, stress_pairs

HERE = Path(__file__).parent
METRES = (Metre(0, 4, 4), Metre(0, 3, 4), Metre(0, 6, 8))
SEEDS = range(3)
PACES: tuple[Pace, ...] = ("plain", "flowing", "dotted")

Setter = Callable[[Sequence[Line], Metre, int], tuple[int, list[tuple[Note, ...]]]]
"""Lines, metre and seed to (pickup in ticks, the notes of each line)."""


def main() -> None:
    """Measure and print the line."""
    stanzas = [tuple(sung(line) for line in lines) for _, lines in _blocks("song_texts.txt")][:40]
    setters: dict[str, Setter] = {"setting": _set, "one_a_beat": _beats, "one_a_beat_or_upbeat": _best_beats}
    stress = {name: _stress(stanzas, setter) for name, setter in setters.items()}
    tunes = list(_tunes())
    figures = {
        "stanzas": len(stanzas),
        "lines": sum(map(len, stanzas)),
        "stress": stress,
        "tunes": {name: _same(tunes, setter) for name, setter in setters.items()},
        "each_tune": {tune[0]: _same([tune], _set)["share"] for tune in tunes},
        "quick_notes": _quick(stanzas),
        "line_ends_held": _held(stanzas),
    }
    emit("song", "40 stanzas x 3 metres x 3 seeds; 8 tunes x 3 seeds", figures)


def _set(lines: Sequence[Line], metre: Metre, seed: int) -> tuple[int, list[tuple[Note, ...]]]:
    made = set_stanza([tuple(lines)], grid_of(metre, PACES[seed % 3]), seed=seed)
    return made.pickup, list(made.model)


def _beats(lines: Sequence[Line], metre: Metre, seed: int) -> tuple[int, list[tuple[Note, ...]]]:  # noqa: ARG001
    return 0, [_marched(line, metre, 0) for line in lines]


def _best_beats(lines: Sequence[Line], metre: Metre, seed: int) -> tuple[int, list[tuple[Note, ...]]]:  # noqa: ARG001
    made: list[tuple[Note, ...]] = []
    for line in lines:
        both = [_marched(line, metre, first) for first in (0, -1)]
        made.append(max(both, key=lambda notes: _share(_pairs(line, notes, metre, 0))))
    return 0, made


def _marched(line: Line, metre: Metre, first: int) -> tuple[Note, ...]:
    """One syllable a beat, from a downbeat (0) or the beat before it (-1); in 6/8 an eighth."""
    beat = QUARTER * 4 // metre.unit
    start = 100 * metre.bar
    return tuple(
        Note(start + (first + number) * beat, beat, 60, lyric=syllable.text) for number, syllable in enumerate(line)
    )


def _stress(stanzas: Sequence[Sequence[Line]], setter: Setter) -> dict[str, object]:
    found: dict[str, list[bool]] = {"words": [], "phrases": []}
    by_metre: dict[str, list[bool]] = {}
    for metre in METRES:
        for seed in SEEDS if setter is _set else (0,):
            for lines in stanzas:
                pickup, notes = setter(lines, metre, seed)
                for line, sounding in zip(lines, notes, strict=True):
                    words = _pairs(line, sounding, metre, pickup)
                    found["words"] += words
                    found["phrases"] += _phrases(line, sounding, metre, pickup)
                    by_metre.setdefault(f"{metre.beats}/{metre.unit}", []).extend(words)
    shares = {name: interval(sum(pairs), len(pairs))[0] for name, pairs in found.items()}
    pairs = {f"{name}_pairs": len(each) for name, each in found.items()}
    return {**shares, **pairs, "words_by_metre": {name: round(_share(each), 3) for name, each in by_metre.items()}}


def _pairs(line: Line, notes: Sequence[Note], metre: Metre, pickup: int) -> list[bool]:
    score = Score(parts=(Part(name="v"),), metres=(metre,), pickup=pickup)
    made: list[bool] = []
    text, held = "", list[Note]()
    for syllable, note in zip(line, notes, strict=True):
        text += syllable.text.removesuffix("-") if syllable.goes_on else syllable.text
        held.append(note)
        if not syllable.goes_on:
            made += stress_pairs(score, SungWord(text, tuple(held)))
            text, held = "", []
    return made


def _phrases(line: Line, notes: Sequence[Note], metre: Metre, pickup: int) -> list[bool]:
    score = Score(parts=(Part(name="v"),), metres=(metre,), pickup=pickup)
    strengths = [beat_strength(score, note.start) for note in notes]
    made: list[bool] = []
    for one in range(len(line) - 1):
        for strong, weak in ((one, one + 1), (one + 1, one)):
            whole = not line[one].goes_on and not line[one + 1].goes_on and (not one or not line[one - 1].goes_on)
            if whole and line[strong].stress == 2 and line[weak].stress == 0:
                made.append(strengths[strong] > strengths[weak])
    return made


def _same(tunes: Sequence[tuple[str, Metre, int, list[tuple[Line, list[int]]]]], setter: Setter) -> dict[str, float]:
    """Share of syllables at a place as strong as in the tune; of line beginnings with the same strength, too."""
    same: list[bool] = []
    begins: list[bool] = []
    for _, metre, pickup, lines in tunes:
        real = Score(parts=(Part(name="v"),), metres=(metre,), pickup=pickup)
        for seed in SEEDS if setter is _set else (0,):
            own, notes = setter([line for line, _ in lines], metre, seed)
            ours = Score(parts=(Part(name="v"),), metres=(metre,), pickup=own)
            for (_, starts), sounding in zip(lines, notes, strict=True):
                pairs = [
                    beat_strength(real, tick) == beat_strength(ours, note.start)
                    for tick, note in zip(starts, sounding, strict=True)
                ]
                same += pairs
                begins.append(pairs[0])
    return {"share": round(_share(same), 3), "line_begins": round(_share(begins), 3)}


def _quick(stanzas: Sequence[Sequence[Line]]) -> float:
    """Share of notes shorter than a quarter in 4/4."""
    notes = [note for lines in stanzas for seed in SEEDS for each in _set(lines, METRES[0], seed)[1] for note in each]
    return round(statistics.fmean(note.length < QUARTER for note in notes), 3)


def _held(stanzas: Sequence[Sequence[Line]]) -> float:
    """Share of lines in 4/4 with more than a quarter from the last syllable to the next line."""
    made: list[bool] = []
    for lines in stanzas:
        for seed in SEEDS:
            found = set_stanza([tuple(lines)], grid_of(METRES[0], PACES[seed % 3]), seed=seed)
            made += [end - notes[-1].start > QUARTER for end, notes in zip(found.ends, found.model, strict=True)]
    return round(statistics.fmean(made), 3)


def _share(found: Sequence[bool]) -> float:
    return sum(found) / max(len(found), 1)


def _blocks(name: str) -> Iterator[tuple[str, list[str]]]:
    """(heading, lines) of a file; a heading begins with `# `, those of the file itself are followed by none."""
    heading, lines = "", list[str]()
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            if lines:
                yield heading, lines
            heading, lines = line[2:], []
        elif line.strip():
            lines.append(line)
    yield heading, lines


def _tunes() -> Iterator[tuple[str, Metre, int, list[tuple[Line, list[int]]]]]:
    for heading, lines in _blocks("song_tunes.txt"):
        name, metre, pickup = (part.strip() for part in heading.split("|"))
        beats, unit = map(int, metre.split("/"))
        now, made = 0, list[tuple[Line, list[int]]]()
        for line in lines:
            words = line.split()
            text = " ".join(words[::2]).replace("- ", "")
            starts: list[int] = []
            for length in words[1::2]:
                starts.append(now)
                now += round(float(length) * QUARTER)
            syllables = sung(text, len(starts))
            if len(syllables) != len(starts):
                raise ValueError(f"{name}: {text}: {[syllable.text for syllable in syllables]}")
            made.append((syllables, starts))
        yield name, Metre(0, beats, unit), round(float(pickup) * QUARTER), made


if __name__ == "__main__":
    main()
