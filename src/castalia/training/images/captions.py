"""What a picture is said to be, as numbers of words; each time it is drawn other words are left out (augmentation)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.image.draw.words import Vocabulary, learn_vocabulary, tokens
from castalia.modalities.image.recolour import COLOURS

LONGEST = 12
"""Words that a network reads at most."""
_KEPT, _TAGS, _STYLE, _COLOUR, _NAMELESS = 0.92, 0.25, 0.85, 0.3, 0.06
"""Chances that a word of the name, a keyword, the style, the colour that it has are said, and that the name is not."""


@dataclass(frozen=True)
class Said:
    """A caption.

    Attributes:
        text: The name, then keywords, with commas between them.
        other: The same in another language; empty for none.
        style: What the collection calls its manner; empty for none.
    """

    text: str
    other: str = ""
    style: str = ""


class Captions:
    """The captions of a collection, read.

    Args:
        said: By picture.
        own: The name of the colour that each picture has; empty for none.
        train: Numbers of the pictures that are learned: what only others are called is no word of the model.
    """

    def __init__(self, said: Sequence[Said], own: Sequence[str], train: Sequence[int]) -> None:
        learned = [said[at] for at in train]
        named = Counter(style for each in said if tokens(style := each.style.lower()))  # "drawing" says nothing
        styles = [style for style, _ in named.most_common()]
        self.vocabulary: Vocabulary = learn_vocabulary(
            [each.text for each in learned],
            [each.other for each in learned],
            extra=(*COLOURS, *(word for style in styles for word in tokens(style))),
        )
        read = self.vocabulary.read
        self._names = [read(each.text.partition(",")[0]).numbers for each in said]
        self._tags = [
            tuple(tag for tag in read(each.text.partition(",")[2]).numbers if tag not in name)
            for each, name in zip(said, self._names, strict=True)
        ]
        self._styles = [read(each.style).numbers if each.style else () for each in said]
        self._own = [read(each).numbers if each else () for each in own]
        self._colours = {name: read(name).numbers[0] for name in COLOURS}
        self.styles: Sequence[str] = styles
        """The commonest first."""

    def draw(self, picture: int, rng: np.random.Generator, colour: str = "") -> list[int]:
        """Some of the words of a picture, or of that picture recoloured; at least one."""
        name, tags = self._names[picture], self._tags[picture]
        nameless = len(tags) > 1 and rng.random() < _NAMELESS
        chosen = [] if nameless else [word for word in name if rng.random() < _KEPT]
        chosen += [tag for tag in tags if rng.random() < (0.6 if nameless else _TAGS)]
        chosen = chosen or [*(name or tags)]
        if colour:
            chosen = [word for word in chosen if word not in self._colours.values()]
            chosen.append(self._colours[colour])
        elif rng.random() < _COLOUR:
            chosen += [word for word in self._own[picture] if word not in chosen]
        if rng.random() < _STYLE:
            chosen += self._styles[picture]
        return chosen[-LONGEST:]

    def tags_of(self, picture: int) -> Sequence[int]:
        """What is said of a picture beside its name."""
        return self._tags[picture]

    def words_of(self, picture: int) -> Sequence[int]:
        """All that is said of a picture: name, keywords, style and the colour that it has."""
        return [*self._names[picture], *self._tags[picture], *self._styles[picture], *self._own[picture]]

    def whole(self, picture: int, colour: str = "") -> list[int]:
        """The name, colour and style of a picture: how somebody would ask for it."""
        name = [word for word in self._names[picture] if not colour or word not in self._colours.values()]
        words = [*name, *([self._colours[colour]] if colour else []), *self._styles[picture]]
        return (words or [*self._tags[picture]])[-LONGEST:] or [1]


def filled(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Rows of numbers as one array (rows, LONGEST), filled up with zeros."""
    held = np.zeros((len(rows), LONGEST), np.int64)
    for at, row in enumerate(rows):
        held[at, : len(row)] = row[:LONGEST]
    return held
