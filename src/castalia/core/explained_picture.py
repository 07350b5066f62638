"""Why a drawn picture is as it is: which words moved which regions, what it came from, and what lies about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import Field

from castalia.core.picture import Picture
from castalia.core.value import Value

Fields = tuple[tuple[float, ...], ...]
"""A value for each field of a picture, by rows."""


NEAR, ALIKE = 4.0, 0.9
"""Levels below which, and likeness from which, a picture may be a copy of another.

Of 235 learned emoji saved small or as a coarse JPEG file all lie within 4 levels; moved, recoloured, darkened, made
smaller in their frame, mirrored or on another ground 98 to 100 of 100 have this likeness, cropped 76. One learned emoji
in nine has it to another one.
"""


class Neighbour(NamedTuple):
    """A learned picture that a work comes near."""

    name: str
    far: float
    """Levels of 255, mean difference of the fields that the model keeps of a picture."""
    alike: float | None = None
    """Of the outlines, −1 to 1, mirrored or not; None where the model keeps none."""

    @property
    def apart(self) -> float:
        """How far it is by the one or the other: 1 where it may be a copy, 0 where it is the same."""
        return min(self.far / NEAR, 2.0 / (1 - ALIKE) if self.alike is None else (1 - self.alike) / (1 - ALIKE))


class Part(Value):
    """One thing that the picture was made from, and what it is without it.

    Differences are of OKLab, 100 from black to white; about 2 between neighbours are seen.
    """

    words: str
    """As the user said it; of what was filled in, what the model calls it; of a given picture, its description."""
    by: Literal["brief", "style", "learned", "picture", "direction"]
    """Who said it: the brief, the style, the name of a learned picture; or a given picture, or a direction."""
    change: float | None = None
    """Mean difference of the picture where it is left out; None of the only word, without which there is no picture."""
    exchanged: float | None = None
    """The same with a random word of the vocabulary in its place, mean over several; None of what is no word."""
    where: Fields
    """Difference by field where it is left out, or, of the only word, exchanged."""
    picture: Picture = Field(exclude=True)
    """The picture without it; of the only word, the picture itself."""

    @property
    def moved(self) -> float:
        """What it changes: left out, or, of the only word, exchanged."""
        return self.exchanged or 0.0 if self.change is None else self.change

    @property
    def place(self) -> tuple[int, int, float]:
        """The third of the rows and of the columns, from 0, that changes most, and its share of all change."""
        fields = np.array(self.where)
        thirds = np.array([[cell.sum() for cell in np.array_split(row, 3, 1)] for row in np.array_split(fields, 3)])
        row, column = np.unravel_index(int(thirds.argmax()), thirds.shape)
        return int(row), int(column), float(thirds.max() / max(thirds.sum(), 1e-9))


class Way(Value):
    """Pictures in a row, from one end to the other of what a user may choose: a mix's share, how strongly, how far."""

    of: Literal["share", "strength", "amount"]
    at: tuple[float, ...]
    """That value of each picture."""
    chosen: float
    """The work's own."""
    steps: tuple[float, ...]
    """Perceived difference between each picture and the next, see `Part`."""
    ends: float
    """Between the first and the last."""
    codes: float
    """Distance of the ends' codes, deviations of a component over the learned pictures; two unrelated: about 1.4."""
    missed: tuple[float, ...]
    """Difference of each given picture from what the model makes of its code: what it could not see."""
    pictures: tuple[Picture, ...] = Field(exclude=True)

    @property
    def evenness(self) -> float:
        """The mean step as a share of the largest: 1 where all are equal."""
        return sum(self.steps) / len(self.steps) / max(*self.steps, 1e-9)

    @property
    def straightness(self) -> float:
        """The difference of the ends as a share of all steps: 1 where nothing is changed and changed back."""
        return self.ends / max(sum(self.steps), 1e-9)


class PictureExplanation(Value):
    """An explained picture."""

    model: str
    """That draws it."""
    wrote_it: bool = True
    """Whether that model made the work."""
    same: bool = True
    """Whether it makes the work again, pixel for pixel."""
    field: int
    """Pixels a side of a field, of `side`."""
    side: int
    """Pixels a side in which the model draws."""
    chance: float
    """Mean difference of the picture where a random word of the vocabulary is said too: what any word would do."""
    randoms: int
    """How many random words were tried in each place."""
    parts: tuple[Part, ...]
    learned: str = ""
    """The learned picture whose name filled in what the words left open; empty where nothing did."""
    left: tuple[str, ...] = ()
    """What was said and was not drawn, since that picture has it not and few others have."""
    near: tuple[Neighbour, ...] = ()
    """The nearest first."""
    usual: float = 0.0
    """How far a learned picture is from its own nearest neighbour: the median."""
    thumbnails: tuple[Picture, ...] = Field(default=(), exclude=True)
    """Of `near`, as much of them as the model keeps."""
    way: Way | None = None

    @property
    def ranked(self) -> Sequence[Part]:
        """The parts, what changes the picture most first."""
        return sorted(self.parts, key=lambda part: -part.moved)

    def gap(self, part: Part) -> float:
        """How much more it changes than a random word would."""
        return part.moved - self.chance

    def as_json(self) -> dict[str, Any]:
        """All figures, without pictures."""
        found = self.model_dump(mode="json")
        for told, part in zip(found["parts"], self.parts, strict=True):
            row, column, share = part.place
            told |= {"gap": round(self.gap(part), 3), "place": {"row": row, "column": column, "share": round(share, 3)}}
        if self.way:
            found["way"] |= {
                "evenness": round(self.way.evenness, 3),
                "straightness": round(self.way.straightness, 3),
            }
        return found
