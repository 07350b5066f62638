"""Prints the score on standard input (MusicXML or Humdrum, as the argument says) as JSON.

A process of its own, because a hostile file keeps verovio, which is C++, busy for ever, eats memory, or breaks it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from castalia.modalities.music.files.mei import score_of
from castalia.modalities.music.files.read_notation import PATIENCE

_MEMORY = 3 * 2**30
"""Bytes."""


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits; the time-out holds there too
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))


def _main() -> int:
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    _limit()
    kit: Any = verovio.toolkit()
    kit.setOptions({"inputFrom": sys.argv[1], "breaks": "none", "expandNever": True, "header": "none"})
    if not kit.loadData(sys.stdin.buffer.read().decode()):
        return 1
    mei = str(kit.getMEI())
    times = kit.renderToTimemap({"includeMeasures": True, "includeRests": False})
    score = score_of(mei, times, lambda name: int(kit.getMIDIValuesForElement(name).get("pitch", -1)))
    sys.stdout.buffer.write(score.model_dump_json().encode())
    return 0


if __name__ == "__main__":
    sys.exit(_main())
