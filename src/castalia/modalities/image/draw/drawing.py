"""What a step asks of a picture model, before it is drawn: words in groups that can be left out, and a code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from castalia.modalities.image.draw.layers import Floats


@dataclass(frozen=True)
class Said:
    """Numbers of words that came from one thing that was said.

    Attributes:
        words: As the user said it, or, of what was filled in, what the model calls it.
        numbers: Of the model's words.
        by: Who said it: the brief, the style, or a learned picture whose name filled in what the words left open.
    """

    words: str
    numbers: tuple[int, ...]
    by: Literal["brief", "style", "learned"] = "brief"


@dataclass(frozen=True)
class Drawing:
    """See the module.

    Attributes:
        groups: What was said; a number may be in several.
        learned: Name of the learned picture that filled in what the words left open; empty where nothing did.
        code: The code that numbers of words give, chance and given pictures held fixed.
        side: Pixels of the finished picture.
        colour: That was asked for of something which was not learned so, and is seen to at the end; empty for none.
        missing: What was said and the learned picture has not, or is not called.
        left: Of it what is not drawn: a thing of its own, which would blur the other.
    """

    groups: tuple[Said, ...]
    code: Callable[[Sequence[int]], Floats]
    side: int
    learned: str = ""
    colour: str = ""
    missing: Sequence[str] = ()
    left: Sequence[str] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of all words, each once."""
        return numbers_of(self.groups)

    def without(self, group: int) -> tuple[int, ...]:
        """The numbers where one thing was not said; those that something else says too stay."""
        return _once(number for at, each in enumerate(self.groups) if at != group for number in each.numbers)

    def replaced(self, group: int, number: int) -> tuple[int, ...]:
        """The numbers with another word in the place of what was said."""
        return _once((*self.without(group), number))

    def only(self, groups: Collection[int]) -> Drawing:
        """Where nothing but these things was said."""
        return replace(self, groups=tuple(each for at, each in enumerate(self.groups) if at in groups))


def numbers_of(groups: Iterable[Said]) -> tuple[int, ...]:
    """Of all that was said, each once."""
    return _once(number for each in groups for number in each.numbers)


def _once(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(numbers))
