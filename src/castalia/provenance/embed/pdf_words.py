"""The words of a PDF, found in a process of its own: a hostile file may keep a reader busy for ever, or eat memory."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import suppress

from castalia.provenance.embed.plain import LONGEST_TEXT

_PATIENCE = 20
"""Seconds; a book of 300 pages takes about ten."""
_MEMORY = 2**31
"""Bytes."""
_PAGES = 500


def words(content: bytes) -> str:
    """The words of a PDF without the label at its head; those of the first pages where patience or memory ends."""
    with suppress(subprocess.SubprocessError, OSError):
        child = subprocess.run(
            [sys.executable, "-m", "castalia.provenance.embed.pdf_words"],
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=_PATIENCE + 10,
        )
        return child.stdout.decode("utf-8", "replace").replace("\0", "").strip()
    return ""


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits; the time-out holds there too
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (_PATIENCE, _PATIENCE))


def _main() -> None:
    from pypdf import PdfReader

    from castalia.provenance.embed.pdf import without_label

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
