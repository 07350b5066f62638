"""What is known of many tunes at once before their next note: the same code feeds training and sampling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.music.tunes.tune import (
    LENGTHS,
    PITCHES,
    Numbers,
    Setting,
    Tune,
    length_symbols,
    pitch_symbols,
)

BACK = 5
"""Notes that are remembered one by one."""
NO_PITCH, NO_LENGTH = PITCHES, len(LENGTHS)
"""Stand for a note before the first, and for one that there is not."""
ECHOES = (1, 2, 4, 8, 16)
"""Bars back at which the tune looks for what stood at the same place."""
RUN = 7
"""Notes in a row that agreed with an echo, from which it counts as that many."""
FINEST = 4
"""Ticks of a place in the bar."""
PLACES, STRAIN, SECTIONS, LEFT = 56, 8, 4, 10


class State:
    """The past of tunes that grow note by note, each at its own pace.

    Args:
        settings: Of each tune.

    Attributes:
        tick: Where the next note begins (rows,).
        pitches: Symbols of the last notes, newest first (rows, BACK); `NO_PITCH` before the beginning.
        lengths: The same for their lengths (rows, BACK).
        echo_pitch: The note that began at the same place so many bars back (rows, echoes); `NO_PITCH` for none.
        echo_length: The same for its length.
        run: How many notes in a row agreed with each echo, 0–`RUN` (rows, echoes).
    """

    def __init__(self, settings: Sequence[Setting]) -> None:
        rows = len(settings)
        self.rows = rows
        self._bar = np.array([each.bar for each in settings])
        self._pickup = np.array([each.pickup for each in settings])
        self._length = np.array([each.length for each in settings])
        self._about = {name: np.array([getattr(each, name) for each in settings]) for name in ("metre", "mode", "kind")}
        self.tick = np.zeros(rows, np.int64)
        self.pitches = np.full((rows, BACK), NO_PITCH, np.int64)
        self.lengths = np.full((rows, BACK), NO_LENGTH, np.int64)
        self.echo_pitch = np.full((rows, len(ECHOES)), NO_PITCH, np.int64)
        self.echo_length = np.full((rows, len(ECHOES)), NO_LENGTH, np.int64)
        self.run = np.zeros((rows, len(ECHOES)), np.int64)
        self._begun: list[dict[int, tuple[int, int]]] = [{} for _ in settings]

    def advance(self, ticks: Numbers, length: Numbers, pitch: Numbers, going: NDArray[np.bool_]) -> None:
        """Append a note to the tunes that still go on.

        Args:
            ticks: How long it is (rows,).
            length: Its length as a symbol (rows,).
            pitch: Its pitch as a symbol (rows,).
            going: Which tunes take it (rows,).
        """
        agrees = (self.echo_length == length[:, None]) & (self.echo_pitch == pitch[:, None])
        self.run = np.where(going[:, None], np.where(agrees, np.minimum(self.run + 1, RUN), 0), self.run)
        for history, new in ((self.pitches, pitch), (self.lengths, length)):
            history[going] = np.concatenate([new[going, None], history[going, :-1]], 1)
        for row in np.flatnonzero(going).tolist():
            begun, now, bar = self._begun[row], int(self.tick[row]), int(self._bar[row])
            begun[now] = int(length[row]), int(pitch[row])
            then = now + int(ticks[row])
            for number, bars in enumerate(ECHOES):
                stood = begun.get(then - bars * bar, (NO_LENGTH, NO_PITCH))
                self.echo_length[row, number], self.echo_pitch[row, number] = stood
        self.tick = self.tick + np.where(going, ticks, 0)

    def inputs(self) -> dict[str, Numbers]:
        """What the network and the counts read before the next note, each with `rows` first.

        `place` is counted from the barline; the bar of the strain and what is left from the beginning, pickup and all,
        so that an upbeat belongs to what follows.
        """
        bar = self.tick // self._bar
        left = np.maximum(-((self.tick - self._length) // self._bar), 0)
        return {
            "place": np.minimum((self.tick - self._pickup) % self._bar // FINEST, PLACES - 1),
            "strain": bar % STRAIN,
            "section": np.minimum(bar // STRAIN, SECTIONS - 1),
            "left": np.minimum(left, LEFT - 1),
            **self._about,
            "pitches": self.pitches,
            "lengths": self.lengths,
            "echo_pitch": self.echo_pitch,
            "echo_length": self.echo_length,
            "run": self.run,
        }


def walk(tunes: Sequence[Tune]) -> Iterator[tuple[State, Numbers, Numbers, NDArray[np.bool_]]]:
    """States of tunes of unlike length before each note, with its length and pitch, and which tunes still go on."""
    state, longest = State([tune.setting for tune in tunes]), max(len(tune.notes) for tune in tunes)
    notes = np.zeros((longest, len(tunes), 2), np.int64)
    for row, tune in enumerate(tunes):
        notes[: len(tune.notes), row] = tune.notes
    many = np.array([len(tune.notes) for tune in tunes])
    lengths, pitches = length_symbols(notes[..., 0]), pitch_symbols(notes[..., 1])
    for number in range(longest):
        going = many > number
        yield state, lengths[number], pitches[number], going
        state.advance(notes[number, :, 0], lengths[number], pitches[number], going)
