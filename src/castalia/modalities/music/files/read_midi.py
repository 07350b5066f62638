"""Standard MIDI file → Score.

A part is what one channel plays in one track. Files written by notation programs lie on our grid and are taken as they
are; played ones are drawn to the nearest sixteenth, triplet or thirty-second where they come near one. Pitch bends
(microtones), pedals and controllers are left out, and so are changes of tempo: the one that lasts longest stands.
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
from collections import Counter, deque
from collections.abc import Iterator
from typing import Any

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.score import ChordSymbol, Metre, Note, Part, Score
from castalia.modalities.music.files.midi_grid import Grid, Played, metres_of, notes_of, overlaps
from castalia.modalities.music.files.write_midi import DRUMS, Message

LARGEST = 20_000_000
"""Bytes of a file."""
MOST_TRACKS = 256
MOST_NOTES = 200_000
LONGEST = 4 * 3600
"""Seconds."""
_MOST_READS = 3_000_000
"""Calls of read by mido, about three an event: bounds its time (seconds) and memory (some hundred MB)."""
_DEFAULT = 500_000
"""Microseconds of a quarter note when the file names none."""
_KEYS = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR_KEYS = ("Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#")
_LONGEST_NAME = 200
File = Track = Any
"""Of mido, which has no types."""
_BENDS = re.compile(rb"[\xe0-\xef][\x00-\x7f]{2}")
_TEMPO = b"\xff\x51\x03"
_KEY_SIGNATURE = re.compile(rb"\xff\x59\x02(..)", re.DOTALL)


class _Bounded(io.BytesIO):
    """Bytes that are read a limited number of times, because mido has no limit of its own."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._left = _MOST_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self._left -= 1
        if self._left < 0:
            raise _too_much(say("events", "事件数"), _MOST_READS // 3)
        return super().read(size)


def read_midi(content: bytes) -> Score:
    """The score of a MIDI file.

    Raises:
        UsageError: it is no MIDI file, it is damaged, or goes beyond one of the limits above.
    """
    if len(content) > LARGEST:
        raise _too_much(say("bytes", "字节数"), LARGEST)
    if content[:4] == b"RIFF" and content[8:12] == b"RMID":
        content = content[20:]
    if content[:4] != b"MThd" or len(content) < 14:
        raise UsageError(
            say("This is not a MIDI file: it does not begin with MThd.", "这不是 MIDI 文件：开头不是 MThd。"),
            hint=say("Export it as a standard MIDI file (.mid).", "请导出为标准 MIDI 文件（.mid）。"),
        )
    _, tracks, division = struct.unpack(">HHh", content[8:14])
    if tracks > MOST_TRACKS:
        raise _too_much(say("tracks", "音轨数"), MOST_TRACKS)
    read: File = _read(content)
    tempos, changes = _tempos(read, division)
    grid = Grid(division if division > 0 else _frames(division) // 2 or 1)
    played = [found for track in read.tracks for found in _channels(track)]
    if sum(len(one.notes) for one in played) > MOST_NOTES:
        raise _too_much(say("notes", "音符数"), MOST_NOTES)
    _check_length(max((end for one in played for _, end, _, _ in one.notes), default=0), tempos, grid.division)
    grid.judge(played)
    metas = [message for track in read.tracks for message in _timed(track)]
    metres, pickup = metres_of(changes, grid)
    fifths, minor = _key(metas)
    return Score(
        title=_title(read),
        parts=tuple(_part(one, number, grid) for number, one in enumerate(played, 1)),
        fifths=fifths,
        mode="minor" if minor else "major",
        metres=metres,
        pickup=pickup,
        tempo=_tempo(tempos, grid.division),
        chords=tuple(
            ChordSymbol(grid.snap(time), _text(message.text))
            for time, message in metas
            if message.type == "marker" and message.text[:1] in set("ABCDEFGN") and len(message.text) < 16
        ),
    )


def bends_and_tempi(content: bytes) -> tuple[bool, int]:
    """Of a file that `read_midi` has read: whether a pitch is bent, and how many tempi it names."""
    content = content[20:] if content[:4] == b"RIFF" else content
    if not _BENDS.search(content) and content.count(_TEMPO) < 2:
        return False, 1  # which is most files, without reading them again
    messages = [message for track in _read(content).tracks for message in track]
    bends = any(message.type == "pitchwheel" and message.pitch for message in messages)
    return bends, len({message.tempo for message in messages if message.type == "set_tempo"})


def _read(content: bytes) -> File:
    from mido import KeySignatureError, MidiFile

    content = _KEY_SIGNATURE.sub(_possible, content)
    try:
        return MidiFile(file=_Bounded(content), clip=True)
    except KeySignatureError as error:
        raise _damaged(str(error)[:100]) from error
    except EOFError as error:
        raise _damaged(say("it ends in the middle", "文件在中途结束")) from error
    except (OSError, ValueError, KeyError, IndexError, TypeError, struct.error) as error:
        raise _damaged(str(error)[:100] or type(error).__name__) from error


def _possible(found: re.Match[bytes]) -> bytes:
    """The key signature, or C major where programs wrote one that cannot be, for which mido gives up a whole file."""
    sharps, minor = found[1][0], found[1][1]
    return found[0] if (sharps <= 7 or sharps >= 249) and minor <= 1 else b"\xff\x59\x02\x00\x00"


def _timed(track: Track) -> Iterator[tuple[int, Message]]:
    now = 0
    for message in track:
        now += message.time
        yield now, message


def _frames(division: int) -> int:
    """Ticks of a second where the header counts film frames (SMPTE)."""
    return max(1, -(division >> 8)) * max(1, division & 255)


def _channels(track: Track) -> list[Played]:
    """What each channel of a track plays, in the order in which they come in."""
    made: dict[int, Played] = {}
    held: dict[tuple[int, int], deque[tuple[int, int]]] = {}
    programs: dict[int, int] = {}
    name = ""
    lyrics: dict[int, str] = {}
    now = 0
    for now, message in _timed(track):
        if message.type == "track_name":
            name = name or _text(message.name)
        elif message.type == "lyrics":
            lyrics.setdefault(now, _text(message.text).strip())
        elif message.type == "program_change":
            programs.setdefault(message.channel, message.program)
        elif message.type == "note_on" and message.velocity:
            made.setdefault(message.channel, Played(message.channel))
            held.setdefault((message.channel, message.note), deque()).append((now, message.velocity))
        elif message.type in ("note_on", "note_off") and (waiting := held.get((message.channel, message.note))):
            start, velocity = waiting.popleft()
            made[message.channel].notes.append((start, now, message.note, velocity))
    for (channel, pitch), waiting in held.items():  # notes without an end stop where the track does
        made[channel].notes.extend((start, now, pitch, velocity) for start, velocity in waiting)
    for channel, one in made.items():
        one.program = programs.get(channel, 0)
        one.name = f"{name} {channel + 1}" if name and len(made) > 1 else name
        one.lyrics = lyrics
    return list(made.values())


def _part(one: Played, number: int, grid: Grid) -> Part:
    name = one.name[:_LONGEST_NAME] or say("Part {number}", "声部 {number}", number=number)
    notes: list[Note] = notes_of(one, grid)
    low = sum(note.pitch for note in notes) < 57 * len(notes)
    if one.channel == DRUMS:
        return Part(name=name, program=one.program, kind="drums", clef="percussion", notes=tuple(notes))
    kind = "chords" if overlaps(notes) else "voice"
    if 32 <= one.program < 40 and kind == "voice":
        kind = "bass"
    return Part(name=name, program=one.program, kind=kind, clef="bass" if low else "treble", notes=tuple(notes))


def _title(read: File) -> str:
    first: Track = read.tracks[0] if read.tracks else ()
    if any(message.type == "note_on" for message in first):
        return ""
    return next((_text(message.name)[:_LONGEST_NAME] for message in first if message.type == "track_name"), "")


def _key(metas: list[tuple[int, Message]]) -> tuple[int, bool]:
    """Sharps of the first key signature, and whether it is minor."""
    for _, message in metas:
        if message.type == "key_signature":
            name, minor = message.key.removesuffix("m"), message.key.endswith("m")
            names = _MINOR_KEYS if minor else _KEYS
            return (names.index(name) - 7 if name in names else 0), minor
    return 0, False


def _tempos(read: File, division: int) -> tuple[list[tuple[int, int]], list[tuple[int, Metre]]]:
    """Changes of tempo (MIDI tick, microseconds a quarter) and of metre, each in order of time."""
    tempos, metres = [(0, _DEFAULT)], [(0, Metre(0, 4, 4))]
    for track in read.tracks:
        for now, message in _timed(track):
            if message.type == "set_tempo" and message.tempo > 0 and division > 0:
                tempos.append((now, message.tempo))
            elif message.type == "time_signature":
                metres.append((now, Metre(0, message.numerator, message.denominator)))
    return sorted(dict(sorted(tempos, key=lambda pair: pair[0])).items()), sorted(dict(metres).items())


def _check_length(last: int, tempos: list[tuple[int, int]], division: int) -> None:
    ends = [time for time, _ in tempos[1:]] + [last]
    seconds = sum(
        (min(end, last) - start) / division * tempo / 1e6
        for (start, tempo), end in zip(tempos, ends, strict=True)
        if start < last
    )
    if seconds > LONGEST or last / division > LONGEST * 7:
        raise _too_much(say("seconds", "秒数"), LONGEST)


def _tempo(tempos: list[tuple[int, int]], division: int) -> float:
    """Quarter notes a minute for the longest time; the last change counts a bar."""
    spans: Counter[int] = Counter()
    ends = [time for time, _ in tempos[1:]] + [tempos[-1][0] + 4 * division]
    for (start, tempo), end in zip(tempos, ends, strict=True):
        spans[tempo] += end - start
    return min(400.0, max(10.0, round(60e6 / max(spans, key=lambda tempo: spans[tempo]), 3)))


def _text(text: str) -> str:
    """Mido reads Latin-1, which keeps the bytes; most programs write UTF-8."""
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return "".join(letter for letter in text if letter.isprintable())


def _too_much(what: str, most: int) -> UsageError:
    return UsageError(
        say("The MIDI file is too large: more {what} than {most:,}.", "MIDI 文件过大：{what}超过 {most:,}。",
            what=what, most=most),
        hint=say("Cut it into shorter pieces.", "请将其分成较短的片段。"),
    )  # fmt: skip


def _damaged(why: str) -> UsageError:
    return UsageError(
        say("The MIDI file is damaged: {why}.", "MIDI 文件已损坏：{why}。", why=why),
        hint=say("Export it again from the program that made it.", "请从制作它的程序重新导出。"),
    )
