"""Beams: eighths and shorter notes of one beat, joined."""

from __future__ import annotations

from collections.abc import Sequence

from castalia.core.score import QUARTER
from castalia.modalities.music.files.bars import Bar
from castalia.modalities.music.files.layout import WHOLE, Piece

_BEAMS = {8: 1, 16: 2, 32: 3, 64: 4, 128: 5}


def beams(pieces: Sequence[Piece], bar: Bar) -> list[list[str]]:
    """For each piece what each of its beams does: `begin`, `continue`, `end`, `forward hook` or `backward hook`."""
    compound = bar.metre.unit >= 8 and bar.metre.beats % 3 == 0
    beat = 3 * WHOLE // bar.metre.unit if compound else max(QUARTER, WHOLE // bar.metre.unit)
    made: list[list[str]] = [[] for _ in pieces]
    group: list[int] = []
    last = -1
    for index, piece in enumerate(pieces):
        place = (piece.start - bar.start + bar.skipped) // beat
        joins = piece.value in _BEAMS and bool(piece.notes)
        turns = index and (piece.triplet in ("begin", "single") or pieces[index - 1].triplet in ("end", "single"))
        if group and (not joins or place != last or turns):  # a beam across a triplet's edge is misread by verovio
            _join(pieces, group, made)
            group = []
        if joins:
            group.append(index)
        last = place
    _join(pieces, group, made)
    return made


def _join(pieces: Sequence[Piece], group: list[int], made: list[list[str]]) -> None:
    if len(group) < 2:
        return
    counts = [_BEAMS[pieces[index].value] for index in group]
    for position, (index, count) in enumerate(zip(group, counts, strict=True)):
        before = counts[position - 1] if position else 0
        after = counts[position + 1] if position + 1 < len(counts) else 0
        for level in range(1, count + 1):
            if before >= level and after >= level:
                word = "continue"
            elif after >= level:
                word = "begin"
            elif before >= level:
                word = "end"
            else:
                word = "backward hook" if position else "forward hook"
            made[index].append(word)
