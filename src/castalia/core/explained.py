"""Why a piece of music is as it is: what its writer expected at each note, what rules took away, what it resembles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from pydantic import Field

from castalia.core.value import Value


class Choice(NamedTuple):
    """A pitch with its chance."""

    pitch: int
    """MIDI number; 0 is a rest."""
    chance: float


class ExplainedNote(Value):
    """One note of a work as its model saw it before it came."""

    part: int
    """From 0, in the order of the score."""
    start: int
    """Ticks."""
    pitch: int
    bar: int
    """As printed; 0 is a pickup."""
    beat: float
    """From 1."""
    given: bool = False
    """Whether it stood in the brief, or is held by the plan; nothing below is said of such a note."""
    entropy: float = 0.0
    """Of the chances of where the voice goes, nats: 0 is certain, 3.97 knows nothing."""
    chance: float = 1.0
    """Of the pitch that was taken, given that the voice moves here."""
    moves: float = 1.0
    """Chance that the voice moves here; 1 where it must begin, or where it sings a pitch again."""
    rank: int = 1
    """Its place among the pitches that the voice could go to, 1 for the model's first choice."""
    cost: float = 0.0
    """Surprise of the whole note, nats: summed over the sixteenths that it lasts."""
    rather: tuple[Choice, ...] = ()
    """Pitches that the model would rather have taken, at most three, the likeliest first."""
    turned_down: Mapping[str, float] = Field(default_factory=dict)
    """By rule, how much of the model's chance it turned down where the note begins."""


class Refusal(Value):
    """A pitch that the model wanted and a rule turned down."""

    part: int
    start: int
    """Ticks."""
    bar: int
    beat: float
    pitch: int
    """MIDI number; 0 is a rest."""
    chance: float
    rules: tuple[str, ...]
    why: str
    """In words."""


class Passage(Value):
    """The longest run of chords, or of a melody's notes, that touches a bar of the work and stands in a known piece."""

    bar: int
    """Of the work, as printed."""
    sonorities: int = 0
    """Chords, or different notes of a melody, in a row; 0 when too few to tell are shared."""
    first_bar: int = 0
    """Where the run begins in the work."""
    last_bar: int = 0
    piece: int = -1
    """Number of the indexed piece, from 1; -1 for none, or where it has a title."""
    title: str = ""
    """Of the indexed piece, where the index knows it."""
    piece_first_bar: int = 0
    """Counted in four quarters without a pickup: the index knows no metre."""
    piece_last_bar: int = 0


class MusicExplanation(Value):
    """An explained work."""

    model: str
    """Whose chances these are."""
    wrote_it: bool = True
    """Whether that model wrote the work."""
    notes: tuple[ExplainedNote, ...]
    asked: int
    """How often the model was asked: sixteenths of a voice, or notes of a melody, that were written."""
    each: Literal["sixteenth", "note"] = "sixteenth"
    """What it was asked for."""
    masked: Mapping[str, float]
    """By rule, its share of the model's chance that it turned down, mean over all that was asked; shares overlap."""
    masked_by_any: float
    """The same of all rules together."""
    refusals: tuple[Refusal, ...]
    """The largest chances that were turned down, largest first."""
    passages: tuple[Passage, ...] = ()
    """A bar each."""
    usual: int = 0
    """Chords, or notes, in a row that hardly any of the indexed pieces share with one another."""

    @property
    def written(self) -> Sequence[ExplainedNote]:
        """The notes that were not given."""
        return [note for note in self.notes if not note.given]

    @property
    def unsure(self) -> Sequence[ExplainedNote]:
        """The five notes before which the model was least certain."""
        return sorted(self.written, key=lambda note: (-note.entropy, note.start, note.part))[:5]

    @property
    def nearest(self) -> Passage | None:
        """The longest run that is shared, or None."""
        return max((each for each in self.passages if each.sonorities), key=lambda each: each.sonorities, default=None)

    def as_json(self) -> dict[str, Any]:
        """All figures, with the least certain notes and the nearest passage drawn out."""
        nearest = self.nearest
        return self.model_dump(mode="json") | {
            "unsure": [note.model_dump(mode="json") for note in self.unsure],
            "nearest": nearest.model_dump(mode="json") if nearest else None,
        }
