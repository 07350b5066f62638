"""Notes on paper: voices, barlines, ties and printable values, for every written form.

All places are ticks. A value is printable when it is a whole note or a part of one by two, dotted or not, or a third of
twice such a value in a triplet; ticks are fine enough that every length is a sum of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from castalia.core.score import QUARTER, Note, Part
from castalia.modalities.music.files.bars import Bar

WHOLE = 4 * QUARTER
_HALF = 2 * QUARTER
_FINEST = 3
"""Ticks of a sixty-fourth: what lies off its grid is written in triplets."""
_VALUES = (1, 2, 4, 8, 16, 32, 64, 128)


class Piece(NamedTuple):
    """What one printed note, chord or rest stands for."""

    start: int
    length: int
    """Ticks it sounds."""
    value: int
    """1 whole, 2 half, … 128."""
    dots: int
    notes: tuple[Note, ...] = ()
    """Low to high; none is a rest."""
    tied_from: bool = False
    tied_to: bool = False
    triplet: str = ""
    """Empty, or `inside` a triplet, and there `begin`, `end` or `single`."""
    whole_bar: bool = False
    """A rest of a whole bar, whatever its metre."""

    @property
    def end(self) -> int:
        """Tick after it."""
        return self.start + self.length


class _Span(NamedTuple):
    start: int
    end: int
    notes: tuple[Note, ...]


def lay_out(part: Part, bars: Sequence[Bar]) -> list[list[list[Piece]]]:
    """For each bar its voices, by number; for each its pieces without gaps, or none: only the first has bars' rests."""
    voices = _voices(part.notes)
    cursors = [0] * len(voices)
    made: list[list[list[Piece]]] = []
    for bar in bars:
        here: list[list[Piece]] = []
        for number, voice in enumerate(voices):
            while cursors[number] < len(voice) and voice[cursors[number]].end <= bar.start:
                cursors[number] += 1
            spans = list(_clipped(voice, cursors[number], bar))
            here.append(_pieces(_filled(spans, bar), bar) if spans or number == 0 else [])
        made.append(here or [_pieces(_filled([], bar), bar)])
    return made


def _voices(notes: Sequence[Note]) -> list[list[_Span]]:
    """Notes of one start and length are a chord; each goes to the first voice that is free, the highest first."""
    chords: dict[tuple[int, int], list[Note]] = {}
    for note in notes:
        chords.setdefault((note.start, note.length), []).append(note)
    spans = [
        _Span(start, start + length, tuple(sorted(found, key=lambda note: note.pitch)))
        for (start, length), found in chords.items()
    ]
    made: list[list[_Span]] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.notes[-1].pitch)):
        for voice in made:
            if voice[-1].end <= span.start:
                voice.append(span)
                break
        else:
            made.append([span])
    return made


def _clipped(voice: list[_Span], first: int, bar: Bar) -> Iterator[_Span]:
    for span in voice[first:]:
        if span.start >= bar.end:
            return
        yield span._replace(start=max(span.start, bar.start), end=min(span.end, bar.end))


def _filled(spans: list[_Span], bar: Bar) -> list[_Span]:
    """With rests between."""
    made: list[_Span] = []
    now = bar.start
    for span in spans:
        if span.start > now:
            made.append(_Span(now, span.start, ()))
        made.append(span)
        now = span.end
    if now < bar.end:
        made.append(_Span(now, bar.end, ()))
    return made


def _pieces(spans: list[_Span], bar: Bar) -> list[Piece]:
    if len(spans) == 1 and not spans[0].notes and bar.length == bar.metre.bar:
        value, dots = _printed(bar.length) or (1, 0)
        return [Piece(bar.start, bar.length, value, dots, whole_bar=True)]
    origin = bar.start - bar.skipped
    cells = _triplet_cells(spans, origin, bar)
    compound = bar.metre.unit >= 8 and bar.metre.beats % 3 == 0 and bar.metre.beats > 3
    beat = 3 * WHOLE // bar.metre.unit if compound else 0
    made: list[Piece] = []
    for span in spans:
        for start, end, inside in _cut(span, cells):
            parts = _thirds(end - start) if inside else _plain(start - origin, end - origin, beat, rest=not span.notes)
            for value, dots, length in parts:
                before = made[-1].end if made else bar.start
                made.append(
                    Piece(
                        before, length, value, dots, span.notes,
                        tied_from=bool(span.notes) and before > span.notes[0].start,
                        tied_to=bool(span.notes) and before + length < span.notes[0].start + span.notes[0].length,
                        triplet="inside" if inside else "",
                    )
                )  # fmt: skip
    return _bracketed(made, cells)


def _triplet_cells(spans: list[_Span], origin: int, bar: Bar) -> list[tuple[int, int]]:
    """Stretches of a half or a quarter, on their grid, that are written as triplets."""
    edges = {bar.start, bar.end, *(span.start for span in spans), *(span.end for span in spans)}
    made: list[tuple[int, int]] = []
    for half in range(origin, bar.end, _HALF):
        inner = {edge - half for edge in edges if half < edge < half + _HALF}
        if inner and inner <= {32, 64}:
            made.append((half, half + _HALF))
            continue
        for cell in (half, half + QUARTER):
            near = [edge - cell for edge in edges if cell <= edge <= cell + QUARTER]
            made += [(cell, cell + QUARTER)] if any(edge % _FINEST for edge in near) else []
    return [(max(start, bar.start), min(end, bar.end)) for start, end in made if start < bar.end and end > bar.start]


def _cut(span: _Span, cells: list[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """The span's stretches outside and inside the triplets' cells."""
    now = span.start
    for start, end in cells:
        if end <= now or start >= span.end:
            continue
        if start > now:
            yield now, start, False
            now = start
        yield now, min(end, span.end), True
        now = min(end, span.end)
    if now < span.end:
        yield now, span.end, False


def _bracketed(pieces: list[Piece], cells: list[tuple[int, int]]) -> list[Piece]:
    edges = dict(cells)
    ends = set(edges.values())
    names = {(True, True): "single", (True, False): "begin", (False, True): "end", (False, False): "inside"}
    return [
        piece._replace(triplet=names[piece.start in edges, piece.end in ends]) if piece.triplet else piece
        for piece in pieces
    ]


def _printed(length: int) -> tuple[int, int] | None:
    """Value and dots of a length, or None where one note cannot say it."""
    for value in _VALUES:
        if length * value == WHOLE:
            return value, 0
        if length * value * 2 == WHOLE * 3:
            return value, 1
    return None


def _thirds(length: int) -> Iterator[tuple[int, int, int]]:
    """Values within a triplet that sum to the length: (value, dots, ticks), the longest first."""
    while length:
        for value in _VALUES:
            plain = WHOLE * 2 // (3 * value)
            if WHOLE % value == 0 and WHOLE // value < length + 1 and length == WHOLE // value:
                yield value, 1, length
                return
            if plain <= length:
                yield value, 0, plain
                length -= plain
                break


def _plain(start: int, end: int, beat: int, *, rest: bool) -> Iterator[tuple[int, int, int]]:
    """Values that sum to the stretch, cut where the metre is strongest: (value, dots, ticks).

    Args:
        start: Ticks from the beginning of the (full) bar.
        end: Likewise.
        beat: Ticks of a dotted beat, 0 in simple metres.
        rest: Rests do not hide a beat.
    """
    length = end - start
    printed = _printed(length)
    if printed and _readable(start, length, printed, beat, rest=rest):
        yield (*printed, length)
        return
    inside = beat and list(range(-(-(start + 1) // beat) * beat, end, beat))
    if inside:
        cut = inside[0] if start % beat else inside[-1]
    else:
        step = next(size for size in (192, 96, 48, 24, 12, 6, 3) if (end - 1) // size > start // size)
        cut = (end - 1) // step * step
    yield from _plain(start, cut, beat, rest=rest)
    yield from _plain(cut, end, beat, rest=rest)


def _readable(start: int, length: int, printed: tuple[int, int], beat: int, *, rest: bool) -> bool:
    """Whether one symbol here leaves the beats to be seen."""
    value, dots = printed
    size = WHOLE // value
    if beat:
        crosses = start // beat != (start + length - 1) // beat
        return length % beat == 0 and start % beat == 0 if crosses else True
    if rest:
        return not dots and start % size == 0
    return start % (size // 2 or 1) == 0
