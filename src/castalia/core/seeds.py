"""Randomness is a function of (seed, names): the same call draws the same numbers in any order of calls."""

from __future__ import annotations

import hashlib

import numpy as np

SEED_LIMIT = 2**31
"""Seeds are whole numbers in [0, SEED_LIMIT)."""


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A generator (PCG64) for one named purpose under one seed."""
    key = "/".join(str(name) for name in (seed, *names)).encode()
    return np.random.Generator(np.random.PCG64(int.from_bytes(hashlib.sha256(key).digest()[:16], "little")))


def following(seed: int, attempt: int) -> int:
    """The seed of the attempt-th try: the seed itself, then its successors, wrapping at SEED_LIMIT."""
    return (seed + attempt) % SEED_LIMIT
