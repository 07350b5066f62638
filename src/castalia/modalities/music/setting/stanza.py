"""Stanzas to rhythm: line after line with pickups and breaths, several verses to one tune."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from castalia.core import seeds
from castalia.core.lyrics import Line, Stanza
from castalia.core.score import Note
from castalia.modalities.music.setting.grid import Grid
from castalia.modalities.music.setting.line import Placed, Task, cost_of, place

_CHANGE = 0.25
"""Cost of a line that does not begin as the one before it."""
_VOTING = 8
"""Verses that a rhythm is made for; later ones are sung to it as it is."""
_ALIKE = 1.5
"""Cost up to which a line takes the rhythm of the one two lines before it."""


@dataclass(frozen=True)
class SetStanza:
    """Verses of one tune, as rhythm."""

    pickup: int
    """Ticks before the first downbeat."""
    bars: int
    verses: tuple[tuple[tuple[Note, ...], ...], ...]
    """The notes of each line of each verse, from the pickup on, pitch 0."""
    model: tuple[tuple[Note, ...], ...]
    """The lines whose tune all verses sing."""
    ends: tuple[int, ...]
    """Ticks at which the lines end, the breath too; the last closes the last bar less the pickup."""

    @property
    def rhythm(self) -> tuple[Note, ...]:
        """The notes that the tune is written for; each line's last one lasts up to the next: a phrase rests on it."""
        made: list[Note] = []
        for line, end in zip(self.model, self.ends, strict=True):
            made += [*line[:-1], line[-1]._replace(length=end - line[-1].start)]
        return tuple(made)


@dataclass(frozen=True)
class _Span:
    """One line's part of the time."""

    group: tuple[Line, ...]
    """Lines of the verses that have the usual number of syllables: they share a rhythm."""
    first: int
    """Place of its downbeat in the stanza."""
    bars: int


def set_stanza(
    verses: Sequence[Stanza], grid: Grid, *, seed: int, pickup: int | None = None, closing: int = 0
) -> SetStanza:
    """Set verses of equally many lines to one rhythm; a line with other syllables than its fellows gets its own.

    Args:
        verses: At least one, each with at least one line, no line empty.
        grid: The metre.
        seed: Chooses between rhythms that suit the words about equally.
        pickup: Places before the first downbeat; None leaves that to the words.
        closing: Places at the end that are left to what follows, where that is more than the stanza's own pickup.
    """
    spans, pickups, placed = _placed(verses, grid, seed, pickup, closing)
    begin = pickups[0]
    total = sum(span.bars for span in spans)
    tails = [*pickups[1:], max(begin, closing)]
    model: list[tuple[Note, ...]] = []
    sung: list[list[tuple[Note, ...]]] = [[] for _ in verses]
    for number, span in enumerate(spans):
        end = span.bars * grid.bar - tails[number]
        model.append(_notes(span.group[0], placed[number].starts, end, begin + span.first, grid))
        for verse, made in zip(verses, sung, strict=True):
            line = verse[number]
            starts = placed[number].starts
            if len(line) != len(starts):
                starts = _own(line, grid, pickups[number], end)
            made.append(_notes(line, starts, end, begin + span.first, grid))
    ends = [
        (begin + span.first + span.bars * grid.bar - tail) * grid.slot for span, tail in zip(spans, tails, strict=True)
    ]
    ends[-1] = total * grid.bar * grid.slot
    return SetStanza(begin * grid.slot, total, tuple(map(tuple, sung)), tuple(model), tuple(ends))


def sung_to(tune: Sequence[Note], words: Sequence[Note]) -> tuple[Note, ...]:
    """Notes with the pitches that a tune has at their beginnings.

    Args:
        tune: Notes in order, at least one.
        words: Notes whose pitch is written.
    """
    made: list[Note] = []
    for note in words:
        before = [each for each in tune if each.start <= note.start]
        made.append(note._replace(pitch=(before[-1] if before else tune[0]).pitch))
    return tuple(made)


def _spans(verses: Sequence[Stanza], grid: Grid, way: int) -> list[_Span]:
    made: list[_Span] = []
    first = 0
    for lines in zip(*verses, strict=True):
        usual = Counter(len(line) for line in lines).most_common(1)[0][0]
        bars = grid.bars(max(len(line) for line in lines), way)
        made.append(_Span(tuple(line for line in lines if len(line) == usual)[:_VOTING], first, bars))
        first += bars * grid.bar
    return made


def _placed(
    verses: Sequence[Stanza], grid: Grid, seed: int, pickup: int | None, closing: int
) -> tuple[list[_Span], list[int], list[Placed]]:
    """The cheapest number of bars and pickups of all lines, and the places of their syllables."""
    best: tuple[float, list[_Span], list[int], list[Placed]] | None = None
    for way in range(len(grid.holds)):
        spans = _spans(verses, grid, way)
        for begin in grid.pickups if pickup is None else (pickup,):
            found = _chained(spans, grid, seed, begin, max(begin, closing))
            if found and (best is None or found[0] < best[0]):
                best = (found[0], spans, *found[1:])
    assert best is not None  # a line has more places than syllables, or `Grid.bars` is wrong
    _, spans, pickups, placed = best
    return spans, pickups, _in_parallel(spans, pickups, placed, grid, max(pickups[0], closing))


def _chained(
    spans: Sequence[_Span], grid: Grid, seed: int, begin: int, closing: int
) -> tuple[float, list[int], list[Placed]] | None:
    """Lines one after the other (Viterbi over their pickups), the first with a given one."""
    states: dict[int, tuple[float, list[int], list[Placed]]] = {begin: (0.0, [begin], [])}
    for number, span in enumerate(spans):
        nexts = grid.pickups if number + 1 < len(spans) else (closing,)
        noise = seeds.following(seed, len(span.group[0]) * 8 + number % 2) + 1
        after: dict[int, tuple[float, list[int], list[Placed]]] = {}
        for own, (cost, pickups, placed) in states.items():
            for then in nexts:
                found = place(Task(span.group, grid, own, span.bars * grid.bar - then, noise))
                if found is None:
                    continue
                total = cost + found.cost + _CHANGE * (then != own)
                if then not in after or total < after[then][0]:
                    after[then] = (total, [*pickups, then], [*placed, found])
        states = after
    if not states:
        return None
    total, pickups, placed = min(states.values(), key=lambda state: state[0])
    return total, pickups[:-1], placed


def _in_parallel(
    spans: Sequence[_Span], pickups: Sequence[int], placed: Sequence[Placed], grid: Grid, closing: int
) -> list[Placed]:
    """Lines with the rhythm of the line two before them, where both are alike and the words allow it."""
    made = list(placed)
    tails = [*pickups[1:], closing]
    for number in range(2, len(spans)):
        one, other = spans[number - 2], spans[number]
        same = (len(one.group[0]), one.bars, pickups[number - 2]) == (len(other.group[0]), other.bars, pickups[number])
        task = Task(other.group, grid, pickups[number], other.bars * grid.bar - tails[number])
        starts = made[number - 2].starts
        if same and starts[-1] < task.end and cost_of(task, starts) <= cost_of(task, made[number].starts) + _ALIKE:
            made[number] = made[number - 2]
    return made


def _own(line: Line, grid: Grid, pickup: int, end: int) -> tuple[int, ...]:
    """Places of a line that has more or fewer syllables than the tune's, within the tune's time."""
    found = [
        placed for own in grid.pickups if own <= pickup and (placed := place(Task((line,), grid, own, end))) is not None
    ]
    return min(found, key=lambda placed: placed.cost).starts


def _notes(line: Line, starts: Sequence[int], end: int, offset: int, grid: Grid) -> tuple[Note, ...]:
    """The line's notes; the last ends early for a breath where there is room, and at a barline if it begins weakly."""
    room = end - starts[-1]
    breath = 0 if room < 3 or room <= grid.beat else 1 if room < 3 * grid.beat else grid.beat
    close = end - breath
    barline = (starts[-1] // grid.bar + 1) * grid.bar
    if grid.strength(starts[-1]) < 4 and barline - starts[-1] >= grid.beat:
        close = min(close, barline)
    ends = [*starts[1:], close]
    return tuple(
        Note((offset + start) * grid.slot, (then - start) * grid.slot, 0, lyric=syllable.text)
        for syllable, start, then in zip(line, starts, ends, strict=True)
    )
