"""The text watermark: a keyed half of all word pairs is made a little likelier while sampling.

Scheme (Kirchenbauer et al. 2023, "A Watermark for Large Language Models", algorithm 2, context width 1), but over the
surface instead of a model's tokens: the unit is a word in scripts with letters and a character in Chinese, so that
anybody can detect it without the model, and copying, re-wrapping or another tokenizer leave it alone. A pair (unit
before, unit) is green when the first byte of its keyed hash is below 256·γ. At detection each distinct pair counts
once, so that under any key that the text was not written with the number of green pairs is binomial, repeated phrases
or not.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from castalia.core.ports import Scores

SCHEME = "pairs1"
GREEN_SHARE = 0.5
"""γ: the share of pairs that are green."""

_UNIT = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]|[^\W\d_\u3400-\u9fff]+(?:['’][^\W\d_\u3400-\u9fff]+)*")
_TAIL = 80
"""Characters before a piece that can matter to its colour: the longest word, and the one before it."""


@dataclass(frozen=True)
class Detection:
    """What the detector sees under one key."""

    pairs: int
    """Distinct pairs that were counted."""
    green: int
    p_value: float
    """Chance that a text written without this key has at least so many green pairs."""

    @property
    def share(self) -> float:
        """Green share; 0.5 is expected without the mark."""
        return self.green / self.pairs if self.pairs else 0.0


class TextWatermark:
    """The link of the sampling chain that writes the mark; a `Processor`.

    Args:
        key: Secret or published, any length up to 64 bytes.
        strength: δ, added to the score of a piece whose pairs are all green, nats; 0 writes nothing.
    """

    def __init__(self, key: bytes, strength: float = 2.0) -> None:
        self._key = key
        self._strength = strength
        self.label = f"{SCHEME}:{key_id(key)}"

    def adjust(self, so_far: str, pieces: Sequence[str], scores: Scores) -> Scores:
        """See `Processor.adjust`. A piece gains δ times the green share of the pairs that it brings or changes."""
        tail = _plain(so_far[-_TAIL:])
        units = list(_UNIT.finditer(tail))
        growing = units.pop()[0] if units and units[-1].end() == len(tail) and not _is_han(tail[-1]) else ""
        before = units[-1][0] if units else ""
        gains = np.fromiter((self._gain(before, growing, piece) for piece in pieces), np.float32, len(pieces))
        return (scores + gains * np.float32(self._strength)).astype(np.float32)

    def _gain(self, before: str, growing: str, piece: str) -> float:
        found = [unit[0] for unit in _UNIT.finditer(growing + _plain(piece))]
        if growing and found and found[0] == growing:  # the word was already there; the piece leaves it as it is
            before, found = growing, found[1:]
        if not found:
            return 0.0
        pairs = zip([before, *found], found, strict=False)
        return sum(_green(self._key, first, second) for first, second in pairs) / len(found)


def key_id(key: bytes) -> str:
    """Public name of a key: eight hexadecimal digits that do not give it away."""
    return hashlib.blake2b(key, digest_size=4, person=b"castalia-key-id").hexdigest()


def detect(text: str, key: bytes) -> Detection:
    """Count green pairs under a key."""
    pairs = set(_pairs(text))
    green = sum(_green(key, first, second) for first, second in pairs)
    return Detection(len(pairs), green, _upper_tail(len(pairs), green))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    before = ""
    for unit in _UNIT.finditer(_plain(text)):
        if before:
            yield before, unit[0]
        before = unit[0]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


def _is_han(letter: str) -> bool:
    return "\u3400" <= letter <= "\u9fff" or letter >= "\U00020000"


@lru_cache(maxsize=1 << 18)
def _green(key: bytes, first: str, second: str) -> bool:
    digest = hashlib.blake2b(f"{first}\x1f{second}".encode("utf-8", "replace"), key=key[:64], digest_size=1).digest()
    return digest[0] < 256 * GREEN_SHARE


def _upper_tail(count: int, successes: int) -> float:
    """P(X ≥ successes) for X ~ Binomial(count, γ), summed exactly."""
    if successes <= 0:
        return 1.0
    terms = [
        math.lgamma(count + 1)
        - math.lgamma(each + 1)
        - math.lgamma(count - each + 1)
        + each * math.log(GREEN_SHARE)
        + (count - each) * math.log(1 - GREEN_SHARE)
        for each in range(successes, count + 1)
    ]
    top = max(terms)
    return min(1.0, math.exp(top) * sum(math.exp(term - top) for term in terms))
