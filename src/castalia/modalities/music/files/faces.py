"""The files that a score is given out as."""

from __future__ import annotations

from pathlib import Path

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import Score
from castalia.modalities.music.files.engrave import engrave, engrave_pdf, engrave_png
from castalia.modalities.music.files.loop_points import with_loop
from castalia.modalities.music.files.sound import RATE, SOUNDS, encode_sound, render_sound
from castalia.modalities.music.files.write_abc import write_abc
from castalia.modalities.music.files.write_midi import write_midi
from castalia.modalities.music.files.write_musicxml import write_musicxml
from castalia.modalities.music.files.write_mxl import write_mxl

FACES = ("mid", "musicxml", "mxl", "abc", "wav", "mp3", "flac", "svg", "png", "pdf")
"""Extensions of the files."""


def file_of(score: Score, extension: str, *, soundfont: Path) -> bytes:
    """The score as a file; SVG is its first page.

    Args:
        score: The work.
        extension: One of `FACES`, with or without a dot.
        soundfont: What plays it, where it is sound.

    Raises:
        UsageError: another extension, or a score that this kind of file cannot hold.
    """
    kind = extension.lower().lstrip(".")
    if kind in SOUNDS:
        sound = render_sound(score, soundfont)
        made = encode_sound(sound, RATE, kind)
        return with_loop(made, len(sound), RATE) if score.cyclic and kind == "wav" else made
    match kind:
        case "mid":
            return write_midi(score)
        case "musicxml":
            return write_musicxml(score)
        case "mxl":
            return write_mxl(score)
        case "abc":
            return write_abc(score).encode()
        case "svg":
            return engrave(score)[0].encode()
        case "png":
            return engrave_png(score)
        case "pdf":
            return engrave_pdf(score)
        case _:
            raise UsageError(
                say("Music is not written as .{kind}.", "音乐不能保存为 .{kind}。", kind=kind),
                hint=say("Choose one of {known}.", "请选择：{known}。", known=", ".join(FACES)),
            )
