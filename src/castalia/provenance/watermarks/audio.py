"""The audio watermark: a keyed pattern of small gains in the time-frequency plane that carries 48 bits.

The plane from 200 Hz to 7 kHz is cut into cells of 12 ms and about half a critical band. Each cell has a keyed sign,
and the whole pattern starts anew every 256 cells (3.07 s), so that any piece of that length holds all of it. A fifth of
the cells says where the pattern begins; the others carry the code bits of `payload`. To mark, a cell is made a little
louder or softer (spread spectrum: Cox et al. 1997, "Secure spread spectrum watermarking for multimedia"; on magnitudes,
as patchwork does: Yeo and Kim 2003, "Modified patchwork algorithm"). The gains multiply the sound, so silence stays
silent. How much a cell changes follows the masking of its neighbourhood (`strength`), and all of it together stays a
given distance under the sound. The detector has no original. It flattens the log-powers of the cells, which takes away
most of the sound and leaves the mark, adds up the repetitions, and correlates them with the pattern at every start and
at speeds within ±3 %.

**What a detection proves.** Signs are keyed, so under another key, or on sound that was not marked, each correlation is
a sum of given numbers under independent random signs. Hoeffding's inequality (1963, theorem 2) bounds its tail by
exp(-z²/2) whatever the sound is, and the bound is multiplied by the number of starts, speeds and windows that were
tried (and, for the payload, by the number of payloads). It assumes only that the hash looks random; see `payload`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import MarkError, UsageError
from castalia.provenance.watermarks import payload as code
from castalia.provenance.watermarks.audio_cells import BANDS, CELL, band_powers, filtered, flattened, spectrum, strength

SCHEME = "cells1"
LEAST_SECONDS = 8.0
"""Shortest work that is marked: with a third of it cut off, the payload is still there to be read."""
ALARM = 1e-6
"""False-positive rate at which a payload is handed out."""

_PERIOD = 256
"""Cells until the pattern starts anew."""
_FINE = 3
"""Steps of the search in time for one cell."""
_SYNC_SHARE = 0.2
_SPEEDS = np.round(np.arange(-30, 31) / 1000 + 1, 4)
"""Speeds that are searched; finer ones around the best."""
_SCALE_STEP = 0.005
"""Speeds that share one set of band powers."""
_WINDOW = 16.0
"""Longest piece that is searched at once, seconds: a speed that is off by .0005 shifts its ends by 4 ms."""
_CANDIDATES = 6
"""Places that are decoded, best first."""
_WHOLE = 2
"""Of these, places that are followed through the whole sound."""
_TESTS = 4
"""Tests whose least p-value is taken: the start cells or the code word, in one piece or in the whole sound."""

Floats = NDArray[np.float32]
Integers = NDArray[np.intp]


@dataclass(frozen=True)
class Detection:
    """What the detector sees under one key."""

    payload: bytes | None
    """Six bytes, when they are proved at `ALARM` and their checksum is right."""
    p_value: float
    """Upper bound of the chance that sound without this key's mark looks like it so much, all trials counted."""
    speed: float
    """Speed against the marked original; 1.02 is played two per cent faster. Means nothing without a mark."""
    seconds: float
    """Length of the sound."""
    too_short: bool
    """Whether the sound is shorter than one period of the pattern, so that nothing can be said."""

    @property
    def present(self) -> bool:
        """Whether there is a mark of this key, its payload readable or not."""
        return self.p_value <= ALARM


@dataclass(frozen=True)
class _Place:
    """One way to lay the pattern over a piece of sound."""

    score: float
    """z of the cells that mark the start."""
    piece: int
    speed: float
    start: float
    """Where in the pattern the piece begins, steps of the search."""


class AudioWatermark:
    """Writes and reads the mark of one key.

    Args:
        secret: The key, secret or published, of any length.
        distance: How far the mark stays under the sound over a whole work of ordinary restlessness, dB; it is at least
            this less 2 dB for every work.
    """

    def __init__(self, secret: bytes, distance: float = 25.5) -> None:
        self._distance = distance
        self.label = f"{SCHEME}:{key_id(secret)}"
        self._signs, self._roles = _pattern(secret)
        self._copies = [np.flatnonzero(self._roles.ravel() == bit) for bit in range(code.CODE_BITS)]
        sync = np.where(self._roles < 0, self._signs, 0)
        self._sync = np.fft.rfft(sync, axis=0)  # (frequencies, bands)
        self._mask = np.fft.rfft(np.abs(sync), axis=0)

    def embed(self, samples: Floats, rate: int, payload: bytes) -> Floats:
        """Marked sound.

        Args:
            samples: (n, channels) in [-1, 1]; all channels get the same gains, so that mixing them keeps the mark.
            rate: Samples a second, at least 16,000.
            payload: Six bytes.

        Returns:
            Samples of the same shape. Whether the mark holds is for `detect` to say.

        Raises:
            MarkError: The sound is shorter than `LEAST_SECONDS`, or sampled at less than 16 kHz.
            UsageError: The array has another shape or values outside [-1, 1].
        """
        _check(samples, rate)
        if len(samples) < LEAST_SECONDS * rate:
            raise MarkError(
                f"sound of {len(samples) / rate:.2f} s is too short for a watermark: it needs {LEAST_SECONDS:g} s",
                hint="make the work longer, or label it without a watermark",
            )
        if rate < 16_000:
            raise MarkError(f"sound at {rate} Hz is too dull for a watermark", hint="use 16000 Hz or more")
        power = band_powers(spectrum(samples, rate, CELL), rate, 1.0)  # (cells, bands)
        wanted = np.where(self._roles < 0, 1, code.encode(payload)[self._roles]) * self._signs
        signs = wanted[np.arange(len(power)) % _PERIOD]
        aim = math.sqrt(10 ** (-self._distance / 10))
        gains = signs * strength(power, aim)  # dB
        mark = np.stack([filtered(channel, rate, gains) for channel in samples.T], axis=1)
        loudness, excess = float(np.linalg.norm(samples)), float(np.linalg.norm(mark))
        mark *= min(1.0, 1.26 * aim * loudness / excess) if excess else 0.0
        return np.clip(samples + mark, -1, 1).astype(np.float32)

    def detect(self, samples: Floats, rate: int) -> Detection:
        """Look for this key's mark; `samples` (n, channels), `rate` in Hz. Needs no original."""
        _check(samples, rate)
        seconds = len(samples) / rate
        if seconds < _PERIOD * CELL:
            return Detection(None, 1.0, 1.0, seconds, too_short=True)
        pieces = np.array_split(samples, math.ceil(seconds / _WINDOW))
        best = Detection(None, 1.0, 1.0, seconds, too_short=False)
        places = self._search(pieces, rate)
        tried = len(pieces) * len(_SPEEDS) * _PERIOD * _FINE
        for rank, place in enumerate(places):
            for values, ways in self._gather(pieces, rate, place, tried, whole=rank < _WHOLE):
                reading = code.decode(self._code_values(values))
                proof = _TESTS * reading.chance(ways)
                p_value = min(1.0, proof, _TESTS * _chance(self._sync_score(values), ways))
                payload = reading.payload if reading.intact and proof <= ALARM else None
                if (payload is not None, -p_value) > (best.payload is not None, -best.p_value):
                    best = Detection(payload, p_value, place.speed, seconds, too_short=False)
            if best.payload is not None:
                break
        return best

    def _search(self, pieces: Sequence[Floats], rate: int) -> list[_Place]:
        """Likeliest places of the pattern, best first, no two of them neighbours."""
        found: list[_Place] = []
        for number, piece in enumerate(pieces):
            measured = spectrum(piece, rate, CELL / _FINE)
            scales = np.round(_SPEEDS / _SCALE_STEP) * _SCALE_STEP
            for scale in np.unique(scales):
                values = flattened(band_powers(measured, rate, float(scale)), _FINE)
                for speed in _SPEEDS[scales == scale]:
                    scores = self._scores(values, float(speed))
                    found += [
                        _Place(float(scores[start]), number, float(speed), float(start))
                        for start in np.argsort(-scores, kind="stable")[:_CANDIDATES]
                    ]
        kept: list[_Place] = []
        for place in sorted(found, key=lambda each: -each.score):
            if not any(_near(place, other) for other in kept):
                kept.append(place)
            if len(kept) == _CANDIDATES:
                break
        return kept

    def _scores(self, values: Floats, speed: float) -> Floats:
        """Score z of the start cells with the pattern beginning at each of its steps, shape (period * fine,)."""
        length = _PERIOD * _FINE
        rows = np.round(np.arange(int((len(values) - 1) * speed) + 1) / speed).astype(np.intp)
        padded = np.zeros((-(-len(rows) // length) * length, values.shape[1]), np.float32)
        padded[: len(rows)] = values[rows]
        ring = padded.reshape(-1, length, values.shape[1]).sum(axis=0)  # (steps, bands)
        scores = np.empty((_PERIOD, _FINE), np.float32)
        for shift in range(_FINE):
            part = np.roll(ring, shift, axis=0)[::_FINE]  # (cells, bands)
            hits = np.fft.irfft((self._sync * np.conj(np.fft.rfft(part, axis=0))).sum(axis=1), _PERIOD)
            energy = np.fft.irfft((self._mask * np.conj(np.fft.rfft(part**2, axis=0))).sum(axis=1), _PERIOD)
            scores[:, shift] = hits / np.sqrt(np.maximum(energy, 1e-9 * float(energy.max()) + 1e-30))
        return scores.ravel()

    def _gather(
        self, pieces: Sequence[Floats], rate: int, place: _Place, tried: int, *, whole: bool
    ) -> Iterator[tuple[Floats, int]]:
        """Values of the cells under the pattern, (cells, bands), and in how many ways they could have been chosen.

        First of the piece where the place was found, the speed made finer; then of all the pieces together: the start
        in each follows from its neighbour's and may be off by two steps, because the speed is not known exactly.
        """
        values = self._values(pieces[place.piece], rate, place.speed)
        speeds = place.speed + np.arange(-2, 3) * 0.00025
        starts = place.start + np.arange(-2, 3) * 0.5
        options = [(float(speed), float(start)) for speed in speeds for start in starts]
        sums = [_folded(values, *option) for option in options]
        best = int(np.argmax([self._sync_score(each) for each in sums]))
        total, (speed, own) = sums[best], options[best]
        tried *= len(options)
        yield total, tried
        if not whole or len(pieces) == 1:
            return
        for direction in (1, -1):
            start, number = own, place.piece
            while 0 <= number + direction < len(pieces):
                length = len(pieces[min(number, number + direction)]) / rate / CELL * _FINE * speed
                number, start = number + direction, start + direction * length
                values = self._values(pieces[number], rate, speed)
                options = [(speed, start + step) for step in (-2, -1, 0, 1, 2)]
                sums = [_folded(values, *option) for option in options]
                best = int(np.argmax([self._sync_score(each) for each in sums]))
                total, start, tried = total + sums[best], options[best][1], tried * len(options)
        yield total, tried

    def _values(self, piece: Floats, rate: int, speed: float) -> Floats:
        return flattened(band_powers(spectrum(piece, rate, CELL / _FINE), rate, speed), _FINE)

    def _sync_score(self, values: Floats) -> float:
        """Score z of the cells that mark the start; `values` (cells, bands)."""
        sync = (values * self._signs)[self._roles < 0]
        return float(sync.sum()) / (float(np.linalg.norm(sync)) or 1.0)

    def _code_values(self, values: Floats) -> Floats:
        """Copies of the code word, (copies, code bits), from values (cells, bands)."""
        signed = (values * self._signs).ravel()
        copies = np.zeros((max(map(len, self._copies)), code.CODE_BITS), np.float32)
        for bit, cells in enumerate(self._copies):
            copies[: len(cells), bit] = signed[cells]
        return copies


def key_id(secret: bytes) -> str:
    """Public name of a key: eight hexadecimal digits that do not give it away; the same as the text watermark's."""
    return hashlib.blake2b(secret, digest_size=4, person=b"castalia-key-id").hexdigest()


def _check(samples: Floats, rate: int) -> None:
    if samples.ndim != 2 or not samples.shape[1] or rate <= 0:
        raise UsageError(f"samples of shape (n, channels) and a rate are needed, not {samples.shape} at {rate} Hz")
    if not np.all(np.abs(samples) <= 1.001):  # false for NaN too
        raise UsageError("samples must lie in [-1, 1]", hint="divide them by their largest magnitude")


def _pattern(secret: bytes) -> tuple[Floats, Integers]:
    """Sign of each cell, and which code bit it carries (-1: none, it marks the start); both (cells, bands)."""
    count = _PERIOD * BANDS
    digest = hashlib.shake_256(len(secret).to_bytes(4, "big") + secret + b"audio cells").digest(8 * count)
    order = np.argsort(np.frombuffer(digest, "<u8"), kind="stable")
    starts = round(count * _SYNC_SHARE)
    roles = np.full(count, -1, np.intp)
    roles[order[starts:]] = np.arange(count - starts) % code.CODE_BITS
    signs = code.signs(secret, "audio signs", count)
    return signs.reshape(_PERIOD, BANDS), roles.reshape(_PERIOD, BANDS)


def _chance(score: float, ways: int) -> float:
    """Hoeffding's bound for the best of so many correlations."""
    return math.exp(min(0.0, math.log(ways) - score**2 / 2)) if score > 0 else 1.0


def _near(place: _Place, other: _Place) -> bool:
    length = _PERIOD * _FINE
    apart = abs(place.start - other.start) % length
    same = place.piece == other.piece and abs(place.speed - other.speed) < 0.004
    return same and min(apart, length - apart) <= 6


def _folded(values: Floats, speed: float, start: float) -> Floats:
    """Sum of the repetitions, (cells, bands), of a piece that begins at step `start` of the pattern."""
    first = math.ceil(start / _FINE)
    last = math.floor((start + (len(values) - 1) * speed) / _FINE)
    cells = np.arange(first, last + 1)
    rows = np.clip(np.round((cells * _FINE - start) / speed).astype(np.intp), 0, len(values) - 1)
    padded = np.zeros((-(-len(cells) // _PERIOD) * _PERIOD, values.shape[1]), np.float32)
    padded[: len(cells)] = values[rows]
    ring = padded.reshape(-1, _PERIOD, values.shape[1]).sum(axis=0)
    return np.roll(ring, first % _PERIOD, axis=0)
