"""Which files a work is given out as, and those that are more than its text: of its score, of its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from castalia import provenance
from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.ports import Plan
from castalia.core.values import Content
from castalia.modalities import image, music

_DESCRIBED = ("txt", "json")
"""Those that hold a picture's description alone."""


def choose(plan: Plan, wanted: Sequence[str], *, genre: str) -> tuple[str, ...]:
    """The formats of a work that is still to be made, a picture's always with a picture: its marks are in the pixels.

    Args:
        plan: Of the work.
        wanted: Extensions; none takes `png` of a picture, else `txt`.
        genre: Its name.

    Raises:
        UsageError: works of the genre are not written as one of them.
    """
    possible = (*plan.faces, *_known(score=bool(plan.music), picture=image.FACES if plan.pictures else ()))
    for each in wanted:
        _check(each, possible, genre)
    if not plan.pictures:
        return tuple(wanted) or ("txt",)
    pixels = [each for each in wanted if provenance.format_of(each).extension in image.PIXELS]
    return (*wanted, *(() if pixels else image.PIXELS[:1]))


def known(content: Content) -> tuple[str, ...]:
    """The formats that a finished work is written as, by extension."""
    picture = image.faces_of(content.picture) if content.picture is not None else ()
    return _known(score=content.score is not None, picture=picture)


def check(face: str, content: Content, *, genre: str) -> None:
    """Raise `UsageError` where a finished work is not written as such a file."""
    _check(face, known(content), genre)


def made(content: Content, wanted: Sequence[str], *, soundfont: str) -> Mapping[str, bytes]:
    """The files that are more than the work's text, unmarked, by extension.

    Args:
        content: The work.
        wanted: Extensions; of those that are written as text there is none.
        soundfont: The setting: what plays a score, where it is sound.
    """
    if content.picture is not None:
        possible = image.faces_of(content.picture)
        pictures = [each for each in wanted if provenance.format_of(each).extension in possible]
        return {face: image.file_of(content.picture, face) for face in pictures}
    if content.score is not None:
        font = music.find_soundfont(soundfont)
        return {face: music.file_of(content.score, face, soundfont=font) for face in wanted if face in music.FACES}
    return {}


def _known(*, score: bool, picture: Sequence[str]) -> tuple[str, ...]:
    if picture:
        return (*picture, *_DESCRIBED)
    return (*(music.FACES if score else ()), *provenance.FACES)


def _check(face: str, possible: Sequence[str], genre: str) -> None:
    if face not in possible and provenance.format_of(face).extension not in possible:
        raise UsageError(
            say("{genre} is not written as .{face}.", "{genre} 不能保存为 .{face}。", genre=genre, face=face),
            hint=say("Use one of: {faces}.", "可用：{faces}。", faces=", ".join(possible)),
        )
