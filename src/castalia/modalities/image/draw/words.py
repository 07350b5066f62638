"""The words that a picture model knows: English by spelling, Chinese by the longest match."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

_WORD = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")
_INK = re.compile(r"\b(?:heavy|medium|black|white) ")
_STOP = frozenset(
    "a an the of in on at with and or to for by from its it is are my your his her our their this that some very "
    "picture image drawing photo icon emoji sticker please draw paint make me".split()
)
_CLAUSE = re.compile(
    r"[,.;:!?，。；：！？、()（）]"
    r"|\b(?:in|on|at|with|without|for|by|from|under|over|near|behind|beside|before|after|between|among|inside|above|"
    r"below|against|and|who|which|that|while|wearing|holding)\b",
    re.IGNORECASE,
)
"""Where what is asked for ends, and what is said of it begins."""
_COUNTED = re.compile(r"[一二两三几半][只个条朵辆把张颗座幅头匹枚支棵杯块艘架位名]")
_STOP_ZH = frozenset("的了一个只把张在里和与着上有是我你他她它这那些很请画幅条朵颗座辆头匹枚支")
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "gray", "black", "white")
"""Words that say only what colour something has."""
ALIASES = {
    "grey": "gray", "violet": "purple", "colour": "color",
    "红": "red", "红色": "red", "橙": "orange", "橙色": "orange", "黄": "yellow", "黄色": "yellow", "绿": "green",
    "绿色": "green", "蓝": "blue", "蓝色": "blue", "紫": "purple", "紫色": "purple", "粉": "pink", "粉色": "pink",
    "粉红": "pink", "粉红色": "pink", "棕": "brown", "棕色": "brown", "褐色": "brown", "灰": "gray", "灰色": "gray",
    "黑": "black", "黑色": "black", "白": "white", "白色": "white", "扁平": "flat", "立体": "3d",
}  # fmt: skip
"""Words that stand for others whatever the collection."""
SAME = tuple(
    each.split()
    for each in (
        "car automobile", "airplane aeroplane plane", "bicycle bike", "motorcycle motorbike", "telephone phone",
        "television tv telly", "rabbit bunny", "hippopotamus hippo", "rhinoceros rhino", "sea ocean", "gift present",
        "couch sofa settee", "truck lorry", "doughnut donut", "glasses eyeglasses spectacles", "eggplant aubergine",
        "corn maize", "shrimp prawn", "cookie biscuit", "trousers pants", "tram streetcar", "trash rubbish garbage",
        "taxi cab", "ladybug ladybird", "backpack rucksack", "sneaker trainer", "wrench spanner", "package parcel",
        "moose elk",
    )
)  # fmt: skip
"""Words for the same thing, whatever the collection calls it."""
_OTHERS = {word: [other for other in each if other != word] for each in SAME for word in each}


@dataclass(frozen=True)
class Reading:
    """A text as a model reads it."""

    numbers: tuple[int, ...]
    """Of the known words, from 1, each once."""
    known: tuple[str, ...]
    """What they are called in the vocabulary."""
    unknown: tuple[str, ...]
    """What was said and is not known; words that say nothing of a picture do not count."""


@dataclass(frozen=True)
class Vocabulary:
    """Words, and other words that lead to them.

    Attributes:
        words: In the order of their numbers, from 1.
        aliases: Other words, of another language too, each with the words it stands for.
    """

    words: Sequence[str]
    aliases: Mapping[str, Sequence[str]]

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {word: number for number, word in enumerate(self.words, 1)}

    @cached_property
    def _longest(self) -> int:
        return max((len(each) for each in (*self.words, *self.aliases, *ALIASES) if not each.isascii()), default=1)

    def read(self, text: str) -> Reading:
        """The known and the unknown words of a text."""
        known: dict[str, None] = {}
        unknown: dict[str, None] = {}
        for part, found in self._parts(text):
            known |= dict.fromkeys(found)
            unknown |= {} if found or part in _STOP_ZH else {part: None}
        return Reading(tuple(self._numbers[each] for each in known), tuple(known), tuple(unknown))

    def said(self, text: str) -> Mapping[str, tuple[int, ...]]:
        """The parts of a text that are known, as they stand in it, each with the numbers of the words it gives."""
        return {part: tuple(self._numbers[each] for each in found) for part, found in self._parts(text) if found}

    def clause(self, text: str) -> Sequence[tuple[int, ...]]:
        """The known parts of the first clause that has one, in their order, each with the numbers of its words."""
        clauses = (list(self.said(each).values()) for each in _CLAUSE.split(text))
        return next((each for each in clauses if each), list[tuple[int, ...]]())

    def _parts(self, text: str) -> Iterator[tuple[str, Sequence[str]]]:
        for each in tokens(text):
            if each.isascii():
                yield each, self._english(each)
            else:
                yield from self._chinese(each)

    def _english(self, word: str) -> Sequence[str]:
        for each in _stems(word):
            if found := self._find(each):
                return found
        return ()

    def _find(self, word: str) -> Sequence[str]:
        if word in self._numbers:
            return (word,)
        found = (ALIASES[word],) if word in ALIASES else self.aliases.get(word, ())
        if known := [each for each in found if each in self._numbers]:
            return known
        return [each for each in _OTHERS.get(word, ()) if each in self._numbers][:1]

    def _chinese(self, run: str) -> Iterator[tuple[str, Sequence[str]]]:
        at = 0
        while at < len(run):
            for length in range(min(self._longest, len(run) - at), 0, -1):
                if found := self._find(run[at : at + length]):
                    break
            else:
                length, found = 1, ()
            yield run[at : at + length], found
            at += length


def tokens(text: str) -> Sequence[str]:
    """English words in small letters without accents, and runs of Chinese characters; none that say nothing.

    An emoji is read by its name in Unicode.
    """
    spoken = "".join(map(_spoken, text.lower()))
    letters = (each for each in unicodedata.normalize("NFKD", spoken) if not unicodedata.combining(each))
    plain = _COUNTED.sub(" ", "".join(letters).replace("'s ", " "))
    return [each for each in _WORD.findall(plain) if each not in _STOP]


def _spoken(letter: str) -> str:
    """A letter as it is; an emoji by its name, without the black of older signs, which means filled."""
    if letter < "\u2600" or unicodedata.category(letter) != "So":
        return letter
    name = unicodedata.name(letter, "").lower()
    return " " + (name if letter > "\U0001f000" else _INK.sub("", name)) + " "


def learn_vocabulary(captions: Sequence[str], other: Sequence[str], *, extra: Sequence[str] = ()) -> Vocabulary:
    """The vocabulary of a collection.

    Args:
        captions: Of its pictures.
        other: The same in another language, or empty texts.
        extra: Words that are in it in any case.
    """
    said = [frozenset(_whole(each)) for each in captions]
    there = {word for each in said for word in each}
    said = [frozenset(_singular(word, there) for word in each) for each in said]
    counts = Counter(word for each in said for word in each)
    words = sorted({*counts, *extra})
    named = Counter(word for each in captions for word in set(tokens(each.partition(",")[0])))
    weights = {word: 1 + named[word] / count for word, count in counts.items()}
    return Vocabulary(words, _translations(said, counts, weights, other))


def _whole(text: str) -> list[str]:
    """Tokens of a caption; a long run of Chinese without a break falls into characters."""
    return [part for each in tokens(text) for part in ([each] if each.isascii() or len(each) <= 4 else each)]


def _singular(word: str, there: Set[str]) -> str:
    """The word without its plural ending, where that is a word of the collection too."""
    return next((each for each in _stems(word) if word.endswith("s") and each != word and each in there), word)


def _translations(
    said: Sequence[frozenset[str]], counts: Counter[str], weights: Mapping[str, float], other: Sequence[str]
) -> Mapping[str, Sequence[str]]:
    """Each word of the other language with the words that most go along with it: Dice's coefficient, weighed."""
    together: dict[str, Counter[str]] = {}
    often: Counter[str] = Counter()
    for words, text in zip(said, other, strict=True):
        for foreign in {each.strip() for each in text.split(",") if each.strip()}:
            often[foreign] += 1
            together.setdefault(foreign, Counter()).update(words)
    found: dict[str, Sequence[str]] = {}
    for foreign, seen in together.items():
        scored = {word: weights[word] * 2 * both / (often[foreign] + counts[word]) for word, both in seen.items()}
        best = max(scored.values())
        found[foreign] = sorted(word for word, score in scored.items() if score >= 0.9 * best)[:3]
    return found


def _stems(word: str) -> Iterator[str]:
    yield word
    for end, instead in (("ies", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ing", "e"), ("ed", ""), ("ed", "e")):
        if word.endswith(end) and len(word) > len(end) + 2:
            yield word[: -len(end)] + instead
    yield from (word + "s", word + "es")
