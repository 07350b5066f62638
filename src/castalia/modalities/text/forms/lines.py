"""One line of English verse, letter by letter: which pieces of text still lead to a line that keeps its measure.

A measure is a set of patterns with a letter for each syllable: `x` any, `w` weak, `s` strong. A word fits where its
primary stress meets no `w`; monosyllables fit anywhere, but clitics never on a strong place of a `strict` line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.text.forms.english import Lexicon, Word, dictionary, starting
from castalia.modalities.text.forms.english_sets import BAD_ENDINGS, CLITICS, FUNCTION

_ENDINGS = frozenset(["s", "es", "d", "ed", "ing", "ly", "y", "er", "ers", "less", "ness", "ful"])
"""Endings that are often tokens of their own."""

_BEFORE_NOUNS = frozenset("a an the my your our their its".split())
_AFTER_ARTICLES = frozenset("few many more most much near one other own past same several very".split())
"""Grammatical words that may follow an article."""

MARKS = ",;:"
ENDS = ".!?"
_SUGGESTED = 60
"""Most pieces that are scored by name at one place."""


@dataclass(frozen=True)
class LineRules:
    """What one line must be."""

    patterns: tuple[str, ...]
    endings: frozenset[str] | None = None
    """Words that may come last; None: any that does not leave the line hanging."""
    used: frozenset[str] = frozenset()
    """Stems of the poem's content words so far, which may not come again."""
    starts: frozenset[str] = frozenset()
    """Words that may not come first."""
    last: bool = False
    """Whether the text may end here: the model's wish to stop is then admitted, a line break is not."""
    strict: bool = False
    """Whether clitics are kept off strong places."""
    favoured: frozenset[str] = frozenset()
    """Words of the brief, which gain `favour` nats while they have not been used."""
    favour: float = 1.0


@dataclass(frozen=True)
class _State:
    at: int = 0
    """Syllables of the finished words."""
    alive: tuple[str, ...] = ()
    partial: str = ""
    """Letters of the word being written, as written."""
    words: tuple[str, ...] = ()
    before: str = "start"
    """What came last: start, word, gap, mark, end, break."""
    marks: int = 0


class LineCursor:
    """A `Cursor` over one line."""

    def __init__(self, lexicon: Lexicon, rules: LineRules, state: _State | None = None) -> None:
        self._lexicon = lexicon
        self._rules = rules
        self._state = state or _State(alive=rules.patterns)

    @property
    def done(self) -> bool:
        return self._state.before == "break"

    def fork(self) -> LineCursor:
        return LineCursor(self._lexicon, self._rules, self._state)

    def admits(self, piece: str) -> bool:
        if piece == "":
            return self._rules.last and self._state.before != "mark" and self._may_stop(self._state)
        state = self._after(piece)
        if state is None or self._splits_a_word(piece, state):
            return False
        return state.before != "word" or self._hopeful(state)

    def advance(self, piece: str) -> None:
        state = self._after(piece)
        if state is None:
            raise ValueError(piece)
        self._state = state

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:
        """Rhythm, the brief's own words, and a small pull towards ending a finished line."""
        return np.fromiter((self._bonus(piece) for piece in pieces), np.float32, len(pieces))

    def suggestions(self) -> Sequence[str]:
        state = self._state
        if state.before == "word":
            whole = [text[len(state.partial) :] for text in self._completions(state)][:_SUGGESTED]
            return [*whole, *((",\n", ".\n", "\n", ".", "") if self._complete(state) else (" ",))]
        if state.before in ("mark", "end"):
            return (" ", "\n")
        texts = sorted(self._completions(state), key=self._band)[:_SUGGESTED]
        if state.before == "start":
            return [text.capitalize() for text in texts]
        return [" " + text for text in texts] if state.before != "gap" else texts

    # ------------------------------------------------------------ moving

    def _after(self, piece: str) -> _State | None:
        state: _State | None = self._state
        for number, letter in enumerate(piece.replace("’", "'")):
            if state is None or state.before == "break":
                return None
            if number == 0 and letter == " " and state.before == "start":
                continue
            state = self._step(state, letter)
        return state

    def _step(self, state: _State, letter: str) -> _State | None:
        if letter.isascii() and (letter.isalpha() or letter == "'"):
            return self._letter(state, letter)
        finished = self._finished(state) if state.before == "word" else state
        if finished is None:
            return None
        if letter == " ":
            return (
                replace(finished, before="gap") if state.before in ("word", "mark") and self._open(finished) else None
            )
        if letter == "\n":
            ready = not self._rules.last and state.before in ("word", "mark", "end") and self._may_stop(finished)
            return replace(finished, before="break") if ready else None
        if state.before != "word":
            return None
        if letter in ENDS:
            return replace(finished, before="end") if self._may_stop(finished) else None
        room = max(len(pattern) for pattern in finished.alive) - finished.at
        if letter in MARKS and finished.words[-1] not in BAD_ENDINGS and finished.marks < 2 and room not in (1, 2):
            return replace(finished, before="mark", marks=finished.marks + 1)
        return None

    def _letter(self, state: _State, letter: str) -> _State | None:
        if state.before == "word":
            return replace(state, partial=state.partial + letter)
        if state.before in ("start", "gap") and letter != "'" and (state.before == "gap" or letter.isupper()):
            return replace(state, partial=letter, before="word")
        return None

    def _finished(self, state: _State) -> _State | None:
        """The state after the word being written, or None when it is no word that fits here."""
        text = state.partial.lower()
        word = self._lexicon.get(text)
        if word is None or not self._written_rightly(state) or not self._fresh(text, state.words):
            return None
        if state.words and not joins(state.words[-1], word):
            return None
        alive = tuple(pattern for pattern in state.alive if _fits(word, pattern, state.at, strict=self._rules.strict))
        at = state.at + word.syllables
        ends = any(len(pattern) == at for pattern in alive) and self._may_be_last(text)
        if not ends:
            alive = tuple(pattern for pattern in alive if self._can_close(pattern, at))
        if not alive:
            return None
        return replace(state, at=at, alive=alive, partial="", words=(*state.words, text))

    # ------------------------------------------------------------ asking

    def _may_stop(self, state: _State) -> bool:
        """Whether the line is a whole line up to here."""
        if state.before == "word" and state.partial:
            finished = self._finished(state)
            return finished is not None and self._may_stop(finished)
        full = any(len(pattern) == state.at for pattern in state.alive)
        return bool(state.words) and full and self._may_be_last(state.words[-1])

    def _complete(self, state: _State) -> bool:
        return state.before == "word" and self._may_stop(state)

    def _open(self, state: _State) -> bool:
        """Whether another word may follow."""
        return any(self._can_close(pattern, state.at) for pattern in state.alive)

    def _may_be_last(self, text: str) -> bool:
        endings = self._rules.endings
        return text in endings if endings is not None else text not in BAD_ENDINGS and not text.endswith("'s")

    def _can_close(self, pattern: str, at: int) -> bool:
        """Whether a last word fits between here and the pattern's end (monosyllables fill any gap before it)."""
        room = len(pattern) - at
        if room <= 0:
            return False
        if self._rules.endings is None:
            return True
        words = (word for text in self._rules.endings if (word := self._lexicon.get(text)))
        return any(
            word.syllables <= room
            and _fits(word, pattern, len(pattern) - word.syllables, strict=self._rules.strict)
            and stem(word.text) not in self._rules.used
            for word in words
        )

    def _fresh(self, text: str, words: Sequence[str]) -> bool:
        """Not used before, unless it is a grammatical word; and never twice running."""
        word = self._lexicon.get(text)
        if word is None or (words and words[-1] == text) or (not words and text in self._rules.starts):
            return False
        own = stem(text)
        return word.function or (own not in self._rules.used and all(own != stem(other) for other in words))

    def _written_rightly(self, state: _State) -> bool:
        text = state.partial
        proper = text.lower().split("'")[0] in self._lexicon.names
        if state.words or proper:
            return text[0].isupper() == proper and text[1:].islower() | (len(text) == 1)
        return text[0].isupper() and (text[1:].islower() or len(text) == 1)

    def _hopeful(self, state: _State) -> bool:
        """Whether some word that begins with these letters fits."""
        return any(True for _ in self._completions(state))

    def _completions(self, state: _State) -> Iterable[str]:
        prefix = state.partial.lower() if state.before == "word" else ""
        seen: set[str] = set()
        for pattern in state.alive:
            for group in self._groups(pattern, state.at):
                for text in starting(group, prefix):
                    if text in seen:
                        continue
                    seen.add(text)
                    written = text if not prefix else state.partial + text[len(prefix) :]
                    asked = replace(state, partial=self._cased(written, state, typed=bool(prefix)), before="word")
                    if self._finished(asked) is not None:
                        yield text

    def _cased(self, text: str, state: _State, *, typed: bool) -> str:
        if typed:
            return text
        return text.capitalize() if not state.words or text.split("'", maxsplit=1)[0] in self._lexicon.names else text

    def _groups(self, pattern: str, at: int) -> Iterable[list[str]]:
        """Sorted lists of the words whose shape fits at a place."""
        room = len(pattern) - at
        if self._rules.endings is not None:
            yield _sorted(self._rules.endings)
        for shape, texts in self._lexicon.by_shape.items():
            if len(shape) <= room and _shape_fits(shape, pattern, at):
                yield texts

    def _splits_a_word(self, piece: str, state: _State) -> bool:
        """Whether the token cuts a word where the model would not: that leads to odd words ("her" + "b").

        A token begins a word only when it is a word, or begins a word of the brief; it goes on with a whole word only
        by a long part or a common ending, and never with a grammatical word.
        """
        if state.before != "word":
            return False
        begins = self._state.before != "word" or not (piece[0].isalpha() or piece[0] in "'’")
        before, now = "" if begins else self._state.partial.lower(), state.partial.lower()
        if any(word.startswith(now) for word in (*self._lexicon.names, *self._rules.favoured)):
            return False
        if before in FUNCTION or self._lexicon.get(before):
            added = now[len(before) :]
            apostrophe = added[:1] == "'"
            return not apostrophe and (before in FUNCTION or not (len(added) > 3 or added in _ENDINGS))
        return self._finished(state) is None and not self._contracts(state)

    def _contracts(self, state: _State) -> bool:
        prefix = state.partial + "'"
        return any(True for _ in self._completions(replace(state, partial=prefix)))

    # ------------------------------------------------------------ weighing

    def _bonus(self, piece: str) -> float:
        if piece == "" or piece.endswith("\n"):
            return 1.0
        state = self._state
        if state.before == "word" or not piece.strip().isalpha():
            return -1.5 if piece in ("'s", "’s") and state.partial.lower() not in FUNCTION else 0.0
        text = piece.strip().lower()
        score = self._rules.favour if text in self._rules.favoured and stem(text) not in self._rules.used else 0.0
        word = self._lexicon.get(text)
        place = {pattern[state.at] for pattern in state.alive if len(pattern) > state.at}
        if word is None or word.syllables > 1 or place == {"x"}:
            return score
        if "s" in place and "w" not in place and word.function:
            return score - 1.0
        if "w" in place and "s" not in place and not word.function:
            return score - 0.7
        return score

    def _band(self, text: str) -> int:
        word = self._lexicon.get(text)
        return word.band if word else 99


@lru_cache(maxsize=64)
def _sorted(texts: frozenset[str]) -> list[str]:
    return sorted(texts)


@cache
def _shape_fits(shape: str, pattern: str, at: int) -> bool:
    if len(shape) == 1:
        return True
    places = pattern[at : at + len(shape)]
    return len(places) == len(shape) and all(
        place != "w" or stress != "1" for stress, place in zip(shape, places, strict=True)
    )


def _fits(word: Word, pattern: str, at: int, *, strict: bool) -> bool:
    """Whether a word may stand at a place of a pattern."""
    if at + word.syllables > len(pattern) or not _shape_fits(word.stress, pattern, at):
        return False
    return not (strict and word.text in CLITICS and pattern[at] == "s")


def joins(before: str, word: Word) -> bool:
    """Whether a word may follow an article or an owner: no grammatical word does, and "an" comes before vowels."""
    if before in ("a", "an"):
        spoken = dictionary().get(word.text.removesuffix("'s"), ())
        vowel = {sound.split()[0][-1].isdigit() for sound in spoken} or {word.text[0] in "aeiou"}
        if vowel != {before == "an"}:
            return False
    return before not in _BEFORE_NOUNS or not word.function or word.text in _AFTER_ARTICLES


def stem(word: str) -> str:
    """A word without its possessive or plural ending, so that repetitions are seen."""
    return word.removesuffix("'s").removesuffix("s")


def words_of(text: str) -> list[str]:
    """Lower-case words with straight apostrophes, punctuation dropped."""
    kept = "".join(letter if letter.isalpha() or letter in "'’ \n" else " " for letter in text.lower())
    return [word.strip("'") for word in kept.replace("’", "'").split()]


def shares_run(words: Sequence[str], others: Collection[Sequence[str]], length: int) -> bool:
    """Whether a run of `length` words also stands in one of the other texts."""
    runs = {tuple(words[index : index + length]) for index in range(len(words) - length + 1)}
    return any(
        tuple(other[index : index + length]) in runs for other in others for index in range(len(other) - length + 1)
    )
