"""Prints the words of the PDF on standard input.

A process of its own, because a hostile file keeps a reader busy for ever, or eats memory.
"""

from __future__ import annotations

import io
import sys
from contextlib import suppress

from castalia.provenance.embed.pdf import PATIENCE, without_label
from castalia.provenance.embed.plain import LONGEST_TEXT

_MEMORY = 2**31
"""Bytes."""
_PAGES = 500


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits; the time-out holds there too
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))


def _main() -> None:
    from pypdf import PdfReader

    _limit()
    length = 0
    for number, page in enumerate(PdfReader(io.BytesIO(sys.stdin.buffer.read())).pages[:_PAGES]):
        if number == 0:
            without_label(page)
        text = page.extract_text()
        length += len(text)
        sys.stdout.buffer.write(text.encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()
        if length > LONGEST_TEXT:
            return


if __name__ == "__main__":
    _main()
