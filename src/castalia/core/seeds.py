"""Randomness is a function of (seed, names): the same call draws the same numbers in any order of calls."""

from __future__ import annotations

import hashlib
import secrets

import numpy as np

from castalia.core.errors import UsageError
from castalia.core.language import say

SEED_LIMIT = 2**31
"""Seeds are whole numbers in [0, SEED_LIMIT)."""


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator (PCG64) for one named purpose under one seed."""
    key = "/".join(str(name) for name in (seed, *names)).encode()
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(key).digest()[:16], "little")))


def following(seed: int, attempt: int) -> int:
    """The seed of the attempt-th try: the seed itself, then its successors, wrapping at SEED_LIMIT."""
    return (seed + attempt) % SEED_LIMIT


def chosen(seed: int | None) -> int:
    """The seed that a person gave; None draws one.

    Raises:
        UsageError: it is out of range.
    """
    if seed is None:
        return secrets.randbelow(SEED_LIMIT)
    if not 0 <= seed < SEED_LIMIT:
        raise UsageError(
            say(
                "A seed lies in 0 … {top}, not {seed}.",
                "种子应在 0 … {top} 之间，而不是 {seed}。",
                top=SEED_LIMIT - 1,
                seed=seed,
            )
        )
    return seed
