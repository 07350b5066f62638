"""Loudness and true peak by ITU-R BS.1770-4 (annexes 1 and 2), and sound brought to a loudness.

The weighting's coefficients at any sample rate are computed from the analogue filters behind the standard's table for
48 kHz, as libebur128 (MIT) does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]
"""(samples, channels), full scale 1."""
SILENCE = -70.0
"""LUFS: the absolute gate, and what silence is said to have."""
TARGET = -18.0
"""LUFS of a rendered work."""
CEILING = -1.0
"""dBTP, decibels of true peak."""
_BLOCK = 1 << 17
_OVERSAMPLED = 4
_TAPS = 24
"""Of each phase of the interpolator; the standard's example has 12."""
_PASSES = 2
"""The limiter takes loudness away; the second pass gives it back."""
_WINDOW = 0.006
"""Seconds over which the limiter closes and opens."""


def loudness(sound: Sound, rate: int) -> float:
    """Integrated loudness, LUFS; `SILENCE` below the gate and for less than 0.4 s.

    Args:
        sound: One or two channels.
        rate: Samples a second, 8,000 to 192,000.
    """
    hop = rate // 10
    energies = _energies(sound, _weighting(rate), hop)
    if len(energies) < 4:
        return SILENCE
    summed = np.concatenate([[0.0], np.cumsum(energies)])
    powers = (summed[4:] - summed[:-4]) / (4 * hop)
    above = powers[powers > _power(SILENCE)]
    if not above.size:
        return SILENCE
    gated = above[above > _power(_level(float(above.mean())) - 10)]
    return _level(float(gated.mean()))


def true_peak(sound: Sound) -> float:
    """Highest level between the samples too, dBTP; -inf for silence."""
    peak = _envelope(sound, max(1, len(sound))).max(initial=0.0)
    return float(20 * np.log10(peak)) if peak > 0 else -np.inf


def normalise(sound: Sound, rate: int, *, target: float = TARGET, ceiling: float = CEILING) -> Sound:
    """The sound at the target's loudness, with a limiter where a peak would rise above the ceiling.

    Args:
        sound: (samples, channels).
        rate: Samples a second.
        target: LUFS.
        ceiling: dBTP, at most 0.
    """
    limit = 10 ** (ceiling / 20)
    made = sound
    for _ in range(_PASSES):
        level = loudness(made, rate)
        if level <= SILENCE:
            return sound
        made = made * np.float32(10 ** ((target - level) / 20))
        made, limited = _limited(made, limit, max(16, int(rate * _WINDOW)))
        if not limited:
            return made
    peak = 10 ** (true_peak(made) / 20)
    if peak > limit:
        made *= np.float32(limit / peak * 0.9999)
    return made


def _weighting(rate: int) -> NDArray[np.complex128]:
    """Frequency response of the K weighting for blocks of 2 `_BLOCK`: a high shelf, then a high pass."""
    z = np.exp(-2j * np.pi * np.arange(_BLOCK + 1) / (2 * _BLOCK))
    k, q = np.tan(np.pi * 1681.974450955533 / rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    above = (high + band * k / q + k * k) + 2 * (k * k - high) * z + (high - band * k / q + k * k) * z**2
    shelf = above / ((1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2)
    k, q = np.tan(np.pi * 38.13547087602444 / rate), 0.5003270373238773
    below = 1 + 2 * (k * k - 1) / (1 + k / q + k * k) * z + (1 - k / q + k * k) / (1 + k / q + k * k) * z**2
    return shelf * (1 - z) ** 2 / below


def _energies(sound: Sound, weighting: NDArray[np.complex128], hop: int) -> NDArray[np.float64]:
    """Energy of the weighted channels in each whole tenth of a second, block after block."""
    count = len(sound) // hop
    energy = np.zeros(count)
    for channel in range(sound.shape[1]):
        carried = np.zeros(_BLOCK)
        for start in range(0, len(sound), _BLOCK):
            block = sound[start : start + _BLOCK, channel]
            filtered = np.fft.irfft(np.fft.rfft(block, 2 * _BLOCK) * weighting, 2 * _BLOCK)
            squares = (filtered[:_BLOCK] + carried)[: len(block)] ** 2
            carried = filtered[_BLOCK:]
            places = np.arange(start, start + len(block)) // hop
            sums = np.bincount(places - places[0], squares)
            first = int(places[0])
            kept = sums[: max(0, count - first)]
            energy[first : first + len(kept)] += kept
    return energy


def _interpolator() -> NDArray[np.float64]:
    """(phases, taps): a windowed sinc for each quarter of a sample."""
    phases = np.arange(_OVERSAMPLED)[:, None] / _OVERSAMPLED
    taps = np.arange(_TAPS)[None, :] - _TAPS // 2 + 1 - phases
    return np.sinc(taps) * (0.5 + 0.5 * np.cos(np.pi * taps / (_TAPS // 2)))


def _envelope(sound: Sound, window: int) -> NDArray[np.float64]:
    """Highest true peak of all channels in each window of samples."""
    filters: list[NDArray[np.float64]] = list(_interpolator())
    made = np.zeros(-(-len(sound) // window))
    margin = _TAPS
    for first in range(0, len(sound), _BLOCK):
        for channel in range(sound.shape[1]):
            low = max(0, first - margin)
            block = sound[low : first + _BLOCK + margin, channel]
            if not block.any():
                continue
            peaks = np.abs(block[first - low : first - low + _BLOCK]).astype(np.float64)
            for phase in filters[1:]:
                between: NDArray[np.float64] = np.abs(np.convolve(block, phase, "same"))
                np.maximum(peaks, between[first - low : first - low + len(peaks)], out=peaks)
            places = np.arange(first, first + len(peaks)) // window
            begins = np.flatnonzero(np.diff(places, prepend=-1))
            made[places[begins]] = np.maximum(made[places[begins]], np.maximum.reduceat(peaks, begins))
    return made


def _limited(sound: Sound, limit: float, window: int) -> tuple[Sound, bool]:
    """Turned down around each peak above the limit, smoothly over three windows on either side."""
    peaks = _envelope(sound, window)
    if not (peaks > limit).any():
        return sound, False
    gain = np.minimum(1.0, limit * 0.995 / np.maximum(peaks, 1e-9))
    padded = np.pad(gain, 3, constant_values=1.0)
    lowest = np.min([padded[shift : shift + len(gain)] for shift in range(1, 6)], axis=0)
    smooth = np.convolve(np.pad(lowest, 1, mode="edge"), [0.25, 0.5, 0.25], "valid")
    centres = (np.arange(len(gain)) + 0.5) * window
    made = sound.copy()
    for first in range(0, len(sound), _BLOCK):
        places = np.arange(first, min(first + _BLOCK, len(sound)))
        made[places[0] : places[-1] + 1] *= np.interp(places, centres, smooth)[:, None].astype(np.float32)
    return made, True


def _power(level: float) -> float:
    return float(10 ** ((level + 0.691) / 10))


def _level(power: float) -> float:
    return float(-0.691 + 10 * np.log10(power))
