"""Log-probabilities of a reply's tokens, as OpenAI's clients read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from castalia.core.ports import DrawnToken


def logged(tokens: Sequence[DrawnToken], before: int) -> list[dict[str, Any]]:
    """Each token with `at`, its first character's place in the text, and `to`, where the next one begins.

    Args:
        tokens: In their order.
        before: Characters of the text before them.
    """
    found: list[dict[str, Any]] = []
    raw, start = b"", before
    for each in tokens:
        raw += each.piece
        # a character counts once its last byte is there
        end = before + len(raw.decode(errors="ignore"))
        others = [_named(piece, value) for piece, value in each.likeliest]
        found.append({**_named(each.piece, each.log_probability), "at": start, "to": end, "others": others})
        start = end
    return found


def between(tokens: Sequence[Mapping[str, Any]], begin: int, end: int, most: int) -> dict[str, Any]:
    """Those of a piece of the text: what stands at a `logprobs`.

    Args:
        tokens: As `logged` made them.
        begin: The piece's first character.
        end: The character after it.
        most: Others to name beside each.
    """
    chosen = [each for each in tokens if begin <= each["at"] < end]
    names = ("token", "bytes", "logprob")
    return {
        "content": [{**{name: each[name] for name in names}, "top_logprobs": each["others"][:most]} for each in chosen],
        "refusal": None,
    }


def _named(piece: bytes, value: float) -> dict[str, Any]:
    # JSON has no infinity: OpenAI's own value for what is out of reach
    logprob = value if math.isfinite(value) else -9999.0
    return {"token": piece.decode(errors="replace"), "bytes": list(piece), "logprob": logprob}
