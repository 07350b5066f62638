"""From tokens to text: characters may be spread over several tokens."""

from __future__ import annotations

UNFINISHED = "\ufffd"
"""Stands for a character whose first bytes are there and whose last are not."""


def piece_after(pending: bytes, raw: bytes) -> tuple[str, bytes] | None:
    """The text that a token adds after bytes still waiting.

    Args:
        pending: Bytes of an unfinished character, at most three.
        raw: The token's bytes, at least one.

    Returns:
        (text, bytes now waiting); the text is `UNFINISHED` alone while a character is incomplete; None when the bytes
        cannot become UTF-8.
    """
    data = pending + raw
    try:
        return data.decode(), b""
    except UnicodeDecodeError as error:
        # Only an incomplete character at the very end, with nothing before it, can be waited for.
        incomplete = error.reason == "unexpected end of data" and error.start == 0 and len(data) < 4
        return (UNFINISHED, data) if incomplete else None
