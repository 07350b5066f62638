"""Why a rule turned a pitch down, in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from castalia.core.language import say
from castalia.core.score import Score
from castalia.modalities.music.files.spelling import spelled
from castalia.modalities.music.voices.grid import VOICES
from castalia.modalities.music.voices.leading import RANGES


class Seen(NamedTuple):
    """What a rule looked at."""

    now: NDArray[np.int64]
    """Pitches of the voices in this sixteenth as far as they were known (voices,), 0 for unknown and silent."""
    before: NDArray[np.int64]
    """Of the sixteenth before (voices,)."""


def voice_name(voice: int) -> str:
    """Of four, from 0."""
    return (say("soprano", "女高音"), say("alto", "女低音"), say("tenor", "男高音"), say("bass", "男低音"))[voice]


def rule_name(rule: str) -> str:
    """As a heading."""
    names = {
        "range": say("range", "音域"),
        "leaps": say("leaps", "跳进"),
        "spacing": say("spacing", "间距"),
        "crossing": say("crossing", "声部交叉"),
        "parallels": say("parallels", "平行"),
        "leading-note": say("leading note", "导音"),
        "rest": say("rests", "休止"),
        "repeats": say("repeated notes", "同音反复"),
        "ending": say("ends of phrases", "乐句结束音"),
        "plan": say("planned chord", "预定和弦"),
    }
    return names.get(rule, rule)


def reason(rule: str, voice: int, pitch: int, seen: Seen, score: Score) -> str:
    """Why a voice may not sing a pitch.

    Args:
        rule: One of those that `rule_name` knows.
        voice: 0 soprano … 3 bass.
        pitch: MIDI number, 0 for a rest.
        seen: What the rule looked at.
        score: Tells how pitches are spelled.
    """
    others = [other for other in range(VOICES) if other != voice and seen.now[other] > 0]
    match rule:
        case "parallels":
            return _joined(others, voice, pitch, seen)
        case "crossing":
            met = [other for other in others if (other < voice) == bool(seen.now[other] < pitch)]
            return say(
                "crosses the {voices}", "与{voices}交叉", voices=_names([o for o in met if seen.now[o] != pitch])
            )
        case "spacing":
            far = [other for other in others if abs(other - voice) == 1 and abs(int(seen.now[other]) - pitch) > 12]
            return say("more than an octave from the {voices}", "与{voices}相距超过八度", voices=_names(far))
        case "leading-note":
            same = [other for other in others if (int(seen.now[other]) - pitch) % 12 == 0]
            return say("doubles the leading note of the {voices}", "与{voices}重复导音", voices=_names(same))
        case "leaps":
            size = abs(pitch - int(seen.before[voice]))
            return say("a leap of {n} semitones", "跳进 {n} 个半音", n=size)
        case "range":
            low, high = (spelled(each, score) for each in RANGES[voice])
            return say("outside {low}–{high}", "超出 {low}–{high}", low=low, high=high)
        case "rest":
            return say("the voice would fall silent", "该声部将休止")
        case _:
            return say("the plan asks for another chord here", "此处的构思要求另一和弦")


def _joined(others: list[int], voice: int, pitch: int, seen: Seen) -> str:
    found: dict[int, list[int]] = {}
    for other in others:
        was, mine = int(seen.before[other]), int(seen.before[voice])
        interval = abs(was - mine) % 12
        moved = was > 0 and mine > 0 and seen.now[other] != was and pitch != mine
        if moved and interval in (0, 7) and interval == abs(int(seen.now[other]) - pitch) % 12:
            found.setdefault(interval, []).append(other)
    if not found:
        return say("would lead into parallels with a note that is given", "将与后面给定的音形成平行")
    names = {7: say("parallel fifths", "平行五度"), 0: say("parallel octaves", "平行八度")}
    return say(", ", "，").join(
        say("{what} with the {voices}", "与{voices}{what}", what=names[interval], voices=_names(which))
        for interval, which in found.items()
    )


def _names(voices: list[int]) -> str:
    return say(" and ", "、").join(voice_name(voice) for voice in voices)
