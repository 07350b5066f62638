"""Any file of music → Score, and the melody of a score."""

from __future__ import annotations

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import Note, Score
from castalia.modalities.music.files import read_notation as notation
from castalia.modalities.music.files.left_out import left_out
from castalia.modalities.music.files.read_abc import read_abc
from castalia.modalities.music.files.read_midi import read_midi
from castalia.modalities.music.files.recognise import recognise
from castalia.modalities.music.hear.melody import hear
from castalia.modalities.music.hear.recording import EXTENSIONS as RECORDED

MIDI = ("mid", "midi", "kar", "rmi")
READABLE = (*MIDI, *notation.EXTENSIONS, "abc", *RECORDED)
"""Extensions of files that can be read; of a recording, the melody that is heard in it."""


def read_score(content: bytes, extension: str) -> Score:
    """The score of a file.

    Args:
        content: The file, of at most 20 MB; a recording may be longer, see `hear.recording`.
        extension: One of `READABLE`, with or without a dot; content that is plainly of another kind is read as that.

    Raises:
        UsageError: another extension, or the file is empty, too large or damaged, or holds no melody that is heard.
        MissingError: a recording is given, and onnxruntime is not installed.
    """
    kind = recognise(content, extension.lower().lstrip("."))
    if not content:
        raise UsageError(
            say("The file is empty.", "文件是空的。"), hint=say("Choose another file.", "请选择另一个文件。")
        )
    if kind in MIDI:
        return read_midi(content)
    if kind == "abc":
        return read_abc(content)
    if kind in RECORDED:
        return hear(content).score
    if kind in notation.EXTENSIONS:
        return notation.read_notation(content, kind)
    raise UsageError(
        say("No file of music has the extension .{kind}.", "没有扩展名为 .{kind} 的音乐文件。", kind=kind)
        if kind
        else say("The file has no extension, and is no music that is known.", "文件没有扩展名，也不是已知的音乐格式。"),
        hint=say("Choose one of {known}.", "请选择：{known}。", known=", ".join(READABLE)),
    )


def read_score_and_rest(content: bytes, extension: str) -> tuple[Score, tuple[str, ...]]:
    """The score of a file that is no recording, and what of the file it leaves out; see `read_score`."""
    score = read_score(content, extension)
    kind = recognise(content, extension.lower().lstrip("."))
    kind = "mid" if kind in MIDI else kind
    return score, left_out(notation.unpacked(content) if kind == "mxl" else content, kind)


def melody_of(score: Score) -> tuple[Note, ...]:
    """The top line: of the first part for a voice, else the highest note at each moment of all that is pitched.

    Raises:
        UsageError: there are no notes, or percussion only.
    """
    pitched = [part for part in score.parts if part.kind != "drums" and part.notes]
    if not pitched:
        drums = any(part.notes for part in score.parts)
        raise UsageError(
            say("There is no melody: only percussion plays.", "没有旋律：只有打击乐。")
            if drums
            else say("There is no melody: the score has no notes.", "没有旋律：乐谱中没有音符。"),
            hint=say("Give a file in which a voice or an instrument plays.", "请提供有人声或乐器演奏的文件。"),
        )
    voice = next((part for part in pitched if part.kind == "voice"), None)
    return voice.notes if voice else _skyline([note for part in pitched if part.kind != "bass" for note in part.notes]
                                              or [note for part in pitched for note in part.notes])  # fmt: skip


def _skyline(notes: list[Note]) -> tuple[Note, ...]:
    """The highest note that begins at each moment, unless a higher one still sounds; the next one ends it."""
    made: list[Note] = []
    for note in sorted(notes, key=lambda note: (note.start, -note.pitch)):
        if made and note.start == made[-1].start:
            continue
        if made and note.start < made[-1].start + made[-1].length:
            if note.pitch < made[-1].pitch:
                continue
            made[-1] = made[-1]._replace(length=note.start - made[-1].start)
        made.append(note)
    return tuple(made)
