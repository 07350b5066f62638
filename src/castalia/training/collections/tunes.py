"""Tunes for a collection: melodies of one voice, their key, metre and kind as the file says, cleaned."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import CastaliaError
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.core.score import Score
from castalia.modalities.music import melody_of, read_score
from castalia.modalities.music.tunes.encode import tune_of
from castalia.modalities.music.tunes.fingerprint import SAME, fingerprint
from castalia.modalities.music.tunes.tune import LENGTHS, METRES, SILENCE, Setting, Tune
from castalia.training.collections.books import field, tunes_in
from castalia.training.collections.sources import Part, corpus_of, files_in

FEWEST, MOST = 4, 160
"""Bars."""
ODD = 0.02
"""Share of notes of unusual length, or across a barline, from which a tune is thought to be misread."""
_WORDS = (
    ("slip jig", r"slip ?jig|hop ?jig"),
    ("jig", r"\bjig|jigg"),
    ("reel", r"\breel"),
    ("hornpipe", r"hornpipe|\bclog"),
    ("strathspey", r"strathspe|strathsy|\bfling"),
    ("march", r"\bmarch|quick ?step|\bregt\b"),
    ("waltz", r"waltz|valse"),
    ("polka", r"polka"),
    ("air", r"\bairs?\b|planxty|lament|lullaby"),
)
_SLOW = re.compile(r"slow|andante|tender|plaintive|with feeling|mournful|larg|adagio", re.IGNORECASE)


class Tunes:
    """How tunes are taken in; see `Intake`."""

    kind = "tune"
    stored = "<i8"
    same = SAME
    apart = 0.0

    def read(
        self, source: str, dropped: dict[str, str], progress: Progress | None
    ) -> Iterator[tuple[str, Tune, Part | None]]:
        """See `Intake.read`."""
        corpora = source.partition(":")[2].split("+") if source.startswith("music21:") else []
        titles: set[str] = set()
        for place in [str(corpus_of(each)) for each in corpora] or [source]:
            for name, file in files_in(place, dropped, progress):
                suffix = file.suffix.lstrip(".").lower()
                content = file.read_bytes()
                found = tunes_in(content) if suffix == "abc" else [(name, "")]
                for number, (title, text) in enumerate(found):
                    numbered = f"{name} {number + 1}"
                    said = f"{title} ({numbered})" if title in titles else title or numbered
                    titles.add(said)
                    try:
                        score = read_score(text.encode() if text else content, suffix)
                        yield said, cleaned(score, kind_of(text, f"{title} {name}")), None
                    except (CastaliaError, _UnfitError) as error:
                        dropped[said] = error.message if isinstance(error, CastaliaError) else str(error)

    def unfit(self, piece: Tune) -> str:
        """See `Intake.unfit`."""
        bars = piece.setting.length / piece.setting.bar
        if not FEWEST <= bars <= MOST:
            return say(
                "{n:.0f} bars; {least} to {most} are taken",
                "{n:.0f} 小节；可收 {least} 至 {most} 小节",
                n=bars,
                least=FEWEST,
                most=MOST,
            )
        if len({int(pitch) for pitch in piece.notes[:, 1]}) < 4:
            return say("fewer than four pitches", "不足四个音高")
        return ""

    def prints(self, piece: Tune) -> frozenset[str]:
        """See `Intake.prints`."""
        return fingerprint(piece)

    def proof(self, piece: Tune) -> None:
        """See `Intake.proof`: prints are enough."""

    def part(self, piece: Tune, prints: frozenset[str]) -> Part:
        """See `Intake.part`: a tenth is for validation, a tenth for tests."""
        said = min(prints) if prints else hashlib.sha256(piece.notes.tobytes()).hexdigest()[:12]
        parts: tuple[Part, ...] = ("valid", "test")
        number = int(said, 16) % 10
        return parts[number] if number < len(parts) else "train"

    def pack(self, piece: Tune) -> tuple[NDArray[np.int64], Mapping[str, Any]]:
        """See `Intake.pack`."""
        return piece.notes, asdict(piece.setting)

    def unpack(self, stored: NDArray[np.int64], said: Mapping[str, Any]) -> Tune:
        """See `Intake.unpack`."""
        return Tune(Setting(**{name: said[name] for name in Setting.__dataclass_fields__}), stored)


class _UnfitError(Exception):
    """Why a score is no tune."""


def cleaned(score: Score, kind: str) -> Tune:
    """The melody of a score, in whole bars.

    Raises:
        _UnfitError: it has no melody, an unusual metre, or bars that do not add up.
    """
    if len({metre.bar for metre in score.metres}) > 1:
        raise _UnfitError(say("its metre changes", "拍号有变化"))
    metre = score.metres[0]
    if (metre.beats, metre.unit) not in (*METRES, (2, 2)):
        raise _UnfitError(say("metre {beats}/{unit}", "拍号 {beats}/{unit}", beats=metre.beats, unit=metre.unit))
    notes = melody_of(score)
    bar, pickup = metre.bar, score.pickup if score.pickup < metre.bar else 0
    left = (notes[-1].start + notes[-1].length - pickup) % bar
    whole = {0, (bar - pickup) % bar}
    if left not in whole and (bar - left) % bar not in (12, 24, 48, 72, 96):  # a last rest may be missing
        raise _UnfitError(say("the last bar is not full", "最后一小节不完整"))
    tune = tune_of(notes, score, kind)
    begins = np.cumsum(tune.notes[:, 0]) - tune.notes[:, 0]
    ends = begins + tune.notes[:, 0]
    across = ((begins - pickup) // bar != (ends - 1 - pickup) // bar).mean()
    odd = 1 - np.isin(tune.notes[:, 0], LENGTHS).mean()
    if across > ODD or odd > ODD:
        unlike = say("unusual lengths", "时值不常见")
        raise _UnfitError(say("bars that do not add up", "小节时值不合") if across > ODD else unlike)
    if (tune.notes[:, 1] == SILENCE).mean() > 0.1:
        raise _UnfitError(say("more rests than a melody has", "休止多于旋律所有"))
    return tune


def kind_of(text: str, title: str) -> str:
    """The kind of tune that a field `R:`, else a title or file name, else a slow tempo names; empty for none."""
    for said in (field(text, "R"), title):
        for kind, pattern in _WORDS:
            if re.search(pattern, said, re.IGNORECASE):
                return kind
    return "air" if _SLOW.search(field(text, "N")) or _SLOW.search(field(text, "Q")) else ""
