"""Which soundfont plays: the one the user names, else the one that comes along."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from castalia.core.errors import UsageError
from castalia.core.language import say

_OWN = "FluidR3Mono.sf3"
"""Fluid R3 Mono by Frank Wen and Michael Cowgill, MIT (NOTICE): the General MIDI instruments in 14.6 MB."""
_SMALLEST = 1_000
"""Bytes."""


def find_soundfont(named: str = "") -> Path:
    """The soundfont to play with.

    Args:
        named: Path of an SF2 or SF3 file from the settings; empty takes the one that comes along.

    Raises:
        UsageError: the one named is not a soundfont.
    """
    if not named:
        return Path(str(files("castalia") / "data" / "music" / _OWN))
    path = Path(named).expanduser()
    if not _is_soundfont(path):
        raise UsageError(
            say("{path} is not a soundfont.", "{path} 不是音色库。", path=path),
            hint=say("Name a file .sf2 or .sf3.", "请指定 .sf2 或 .sf3 文件。"),
        )
    return path


def _is_soundfont(path: Path) -> bool:
    """Whether the file begins as RIFF of form sfbk and is not cut off at once."""
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
            return head[:4] == b"RIFF" and head[8:] == b"sfbk" and path.stat().st_size > _SMALLEST
    except OSError:
        return False
