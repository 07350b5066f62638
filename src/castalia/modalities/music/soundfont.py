"""Which soundfont plays: the one the user names, one in the models folder, or the system's."""

from __future__ import annotations

import os
from pathlib import Path

from castalia.core.errors import MissingError, UsageError
from castalia.core.language import say

VARIABLE = "CASTALIA_SOUNDFONT"
"""Environment variable with the path of a soundfont."""
_SYSTEM = (Path("/usr/share/sounds/sf3"), Path("/usr/share/sounds/sf2"), Path("/usr/share/soundfonts"))
_ENDINGS = (".sf3", ".sf2")
_SMALLEST = 1_000
"""Bytes."""


def find_soundfont(folder: Path, named: str = "") -> Path:
    """The soundfont to play with, SF3 before SF2.

    Args:
        folder: The models folder.
        named: Path from the settings, which `CASTALIA_SOUNDFONT` goes over; empty for none.

    Raises:
        UsageError: the one named is not a soundfont.
        MissingError: there is none; the hint has the command that fetches one.
    """
    if chosen := os.environ.get(VARIABLE) or named:
        path = Path(chosen).expanduser()
        if not _is_soundfont(path):
            raise UsageError(
                say("{path} is not a soundfont.", "{path} 不是音色库。", path=path),
                hint=say("Name a file .sf2 or .sf3.", "请指定 .sf2 或 .sf3 文件。"),
            )
        return path
    for place in (folder, *_SYSTEM):
        for ending in _ENDINGS:
            for path in _files(place, ending):
                if _is_soundfont(path):
                    return path
    raise MissingError(
        say("No soundfont is installed, so nothing can be played.", "未安装音色库，无法演奏。"),
        hint="castalia models pull fluidr3-mono",
    )


def _files(folder: Path, ending: str) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix.lower() == ending)
    except OSError:
        return []


def _is_soundfont(path: Path) -> bool:
    """Whether the file begins as RIFF of form sfbk and is not cut off at once."""
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
            return head[:4] == b"RIFF" and head[8:] == b"sfbk" and path.stat().st_size > _SMALLEST
    except OSError:
        return False
