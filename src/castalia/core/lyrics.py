"""Words to be sung, syllable by syllable."""

from __future__ import annotations

from typing import NamedTuple


class Syllable(NamedTuple):
    """What one note sings."""

    text: str
    """As printed under the note, marks of the text with it; a trailing hyphen says that the word goes on."""
    stress: int = 0
    """How much it wants a strong beat: 0 unstressed, 1 a grammatical word or secondary stress, 2 a word of one syllable
    with a meaning, 3 the main stress of a longer word."""

    @property
    def goes_on(self) -> bool:
        """Whether its word goes on with the next syllable."""
        return self.text.endswith("-") and len(self.text) > 1


Line = tuple[Syllable, ...]
Stanza = tuple[Line, ...]
