"""What a file of music holds that its score does not: repeats that are not played out, grace notes, bends, tempi."""

from __future__ import annotations

import re
from collections.abc import Iterator

from castalia.core.language import say
from castalia.modalities.music.files.read_midi import bends_and_tempi

_ABC_REPEAT = re.compile(r"\|:|:\||::|\[[12]|\|[12]|![DdSs]\.?[CcSs]\.?!")
_ABC_GRACE = re.compile(r"\{/?[_=^]{0,2}[A-Ga-g]")
_ABC_QUOTED = re.compile(r'"[^"\n]{0,200}"')
_XML_REPEAT = re.compile(rb"<repeat\b|<ending\b|\b(?:dacapo|dalsegno)\s*=")
_XML_GRACE = re.compile(rb"<grace\b")
_KERN_REPEAT = re.compile(rb"^=\S*(?::\||\|:|:!|!:)", re.MULTILINE)
_KERN_GRACE = re.compile(rb"^[^!*=\n]*[0-9a-gA-G]q", re.MULTILINE)


def left_out(content: bytes, kind: str) -> tuple[str, ...]:
    """What is left out of a score that was read, a sentence each.

    Args:
        content: The file; of a packed one, what it packs.
        kind: Its extension, see `recognise`.
    """
    found = {"abc": _of_abc, "mid": _of_midi, "krn": _of_kern}.get(kind, _of_musicxml)
    return tuple(dict.fromkeys(found(content)))


def _repeats() -> str:
    return say(
        "repeats are not played out: each passage is taken once, as it stands on paper",
        "反复记号未展开：各段按谱面只取一次",
    )


def _graces() -> str:
    return say("grace notes are left out", "倚音已略去")


def _of_abc(content: bytes) -> Iterator[str]:
    lines = content.decode("utf-8", "replace").splitlines()
    tunes = sum(line.startswith("X:") for line in lines)
    if tunes > 1:
        yield say("the first of {n} tunes is taken", "共 {n} 首曲调，只取第一首", n=tunes)
    for line in lines:
        music = _ABC_QUOTED.sub("", line)
        if re.match(r"[A-Za-z]:|%", music):
            continue
        if _ABC_REPEAT.search(music):
            yield _repeats()
        if _ABC_GRACE.search(music):
            yield _graces()


def _of_musicxml(content: bytes) -> Iterator[str]:
    if _XML_REPEAT.search(content):
        yield _repeats()
    if _XML_GRACE.search(content):
        yield _graces()


def _of_kern(content: bytes) -> Iterator[str]:
    if _KERN_REPEAT.search(content):
        yield _repeats()
    if _KERN_GRACE.search(content):
        yield _graces()


def _of_midi(content: bytes) -> Iterator[str]:
    bends, tempi = bends_and_tempi(content)
    if bends:
        yield say("pitch bends are left out: each note stands on its semitone", "弯音已略去：各音取其半音位置")
    if tempi > 1:
        yield say("of {n} tempi the one that lasts longest is taken", "共 {n} 种速度，取持续最久者", n=tempi)
