"""What all players of an arrangement know: bars, chords, phrases, and where the last chord falls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from castalia.core.score import Note
from castalia.modalities.music.arrange.cells import Cell, cell_at
from castalia.modalities.music.arrange.textures import Stroke, Texture, strokes
from castalia.modalities.music.files.bars import Bar

NEVER = 1 << 30
"""Tick of a last chord that does not come."""


@dataclass(frozen=True)
class Stage:
    """See the module."""

    bars: Sequence[Bar]
    cells: Sequence[Cell]
    cadences: frozenset[int]
    """Numbers, in the list of bars, of those that end a phrase."""
    final: int
    """Tick of the chord that all hold to the end; `NEVER` in what goes round."""
    length: int
    scale: frozenset[int]
    """Pitch classes of the key."""
    melody: Sequence[Note]
    floors: Sequence[int] = ()
    """Lowest note of the bass in each cell, over which chords stay; empty without a bass."""

    def after(self, cell: Cell) -> Cell | None:
        """The next cell, round the end where there is no last chord; None after the last."""
        number = self.cells.index(cell) + 1
        if number < len(self.cells):
            return self.cells[number]
        return self.cells[0] if self.final == NEVER else None


def struck(stage: Stage, texture: Texture) -> Iterator[tuple[int, int, Cell, Stroke]]:
    """(start, end, cell, stroke) of all that a texture strikes, each within one chord; then the last chord.

    A texture without strokes holds every cell. A bass's chord is struck where it begins, whatever the texture does.
    """
    for number, bar in enumerate(stage.bars):
        here = [cell for cell in stage.cells if cell.bar == number and cell.chord.tones and cell.start < stage.final]
        if not texture.bars:
            what = "root" if texture.role == "bass" else "all"
            yield from ((cell.start, min(cell.end, stage.final), cell, Stroke(0, 0, what, 0)) for cell in here)
            continue
        found = strokes(texture, bar, cadence=number in stage.cadences)
        if texture.role == "bass":
            found = _rooted(found, [cell.start - bar.start for cell in here])
        for stroke in found:
            start = bar.start + stroke.start
            cell = cell_at(here, start)
            if cell is None or start >= stage.final:
                continue
            yield start, min(start + stroke.length, cell.end, stage.final), cell, stroke
    if stage.final < stage.length and (last := cell_at(stage.cells, stage.final)) and last.chord.tones:
        yield stage.final, stage.length, last, Stroke(0, 0, "root" if texture.role == "bass" else "all", 4)


def _rooted(found: Sequence[Stroke], starts: Sequence[int]) -> list[Stroke]:
    """With the root where each chord begins."""
    made: list[Stroke] = []
    for stroke in found:
        ahead = [start for start in starts if stroke.start < start < stroke.start + stroke.length]
        first = stroke._replace(what="root") if stroke.start in starts else stroke
        made.append(first._replace(length=ahead[0] - stroke.start) if ahead else first)
    for start in starts:
        if all(stroke.start != start for stroke in made):
            end = min((stroke.start for stroke in made if stroke.start > start), default=start + 96)
            made.append(Stroke(start, end - start, "root", 0))
    return sorted(made, key=lambda stroke: stroke.start)
