"""Sound as cells of time and frequency, and back: what the audio watermark writes on.

A cell is 12 ms long and about half a critical band wide, between 200 Hz and 7 kHz. `spectrum` and `band_powers` measure
cells, `flattened` takes the sound out of them as far as it can be foretold from the neighbours, `strength` says how
much each may change unheard, and `filtered` makes the changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

CELL = 0.012
"""Length of a cell, seconds; the analysis windows are twice as long."""
_LOW, _HIGH = 200.0, 7000.0
"""Where the mark lies, Hz."""
_KEPT = 0.8
"""Share of a change that is left when windows overlap (measured)."""
_CALM = 2.5
"""Spread of the flattened levels, dB, at which a work gets the strength that was asked for."""
_MOST = 2.0
"""Largest change of a cell, dB."""

Floats = NDArray[np.float32]
Integers = NDArray[np.intp]


def _edges() -> NDArray[np.float64]:
    """Band edges, Hz: half an equivalent rectangular bandwidth (Glasberg and Moore 1990), 125 Hz at least."""
    edges = [_LOW]
    while edges[-1] < _HIGH:
        edges.append(edges[-1] + max(125.0, 0.5 * (24.7 + 0.108 * edges[-1])))
    return np.array(edges)


_EDGES = _edges()
BANDS = len(_EDGES) - 1
_WIDTHS = np.diff(_EDGES)


# ------------------------------------------------------------ from sound to cells


def _size(rate: int) -> int:
    """Samples of an analysis window: two cells, rounded up to an even product of 2, 3 and 5."""
    size = math.ceil(2 * CELL * rate)
    while size % 2 or not _smooth(size):
        size += 1
    return size


def _smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1


def _frames(channel: Floats, rate: int, step: float) -> Iterator[tuple[Integers, Floats]]:
    """Windows centred on 0, step, 2 step … seconds, in blocks: starts in the sound, and samples (frames, size)."""
    size = _size(rate)
    padded = np.pad(channel, (size // 2, size))
    views = np.lib.stride_tricks.sliding_window_view(padded, size)
    starts = np.round(np.arange(int(len(channel) / rate / step) + 1) * step * rate).astype(np.intp)
    for at in range(0, len(starts), 1024):
        block = starts[at : at + 1024]
        yield block - size // 2, views[block]


def spectrum(samples: Floats, rate: int, step: float) -> NDArray[np.float64]:
    """Running sum over frequency of the power of all channels, (frames, bins + 1), to a little above the highest band.

    Channels that differ are added as powers: each brings its own sound to hide the mark in, and all the same mark.
    """
    size = _size(rate)
    window = np.hanning(size + 1)[:-1].astype(np.float32)
    top = min(size // 2 + 1, math.ceil(1.05 * _EDGES[-1] * size / rate) + 1)
    total = np.zeros(1)
    for channel in samples.T:
        bins = (np.fft.rfft(frames * window, axis=1)[:, :top] for _, frames in _frames(channel, rate, step))
        total = total + np.concatenate([np.cumsum(each.real**2 + each.imag**2, axis=1, dtype=float) for each in bins])
    return np.pad(total, ((0, 0), (1, 0)))


def band_powers(spectrum: NDArray[np.float64], rate: int, scale: float) -> Floats:
    """Power of each band, its edges multiplied by `scale`, (frames, bands)."""
    places = np.minimum(_EDGES * scale * _size(rate) / rate + 0.5, spectrum.shape[1] - 1.001)
    below = places.astype(np.intp)
    share = places - below
    sums = spectrum[:, below] * (1 - share) + spectrum[:, below + 1] * share
    return np.maximum(np.diff(sums, axis=1), 0).astype(np.float32)


def flattened(power: Floats, step: int) -> Floats:
    """Evidence of each cell: its level against its neighbours'; `power` (frames, bands), `step` frames a cell.

    Limited to 1.5 times the spread of such values in the neighbourhood, and smaller where the sound is restless or so
    faint that noise may have covered it: the faintest twentieth of the sound is taken for white noise.
    """
    level, spread = _against_neighbours(power, step)
    noise = 2 * _WIDTHS * float(np.percentile(power / _WIDTHS, 5)) + 1e-20
    near = _mean(power, step, 0)
    return (np.clip(level / spread, -1.5, 1.5) / np.hypot(spread, 1.5) * (near / (near + noise))).astype(np.float32)


def _against_neighbours(power: Floats, step: int) -> tuple[Floats, Floats]:
    """Levels minus the mean of the four neighbours in time, then of the two in frequency, and their spread, dB."""
    level = _level(power)
    moved = np.pad(level, ((2 * step, 2 * step), (0, 0)), mode="edge")
    count = len(level)
    around = sum(moved[(2 + cells) * step : (2 + cells) * step + count] for cells in (-2, -1, 1, 2))
    level = level - around / 4
    beside = np.pad(level, ((0, 0), (1, 1)), mode="reflect")
    level = (level - (beside[:, :-2] + beside[:, 2:]) / 2).astype(np.float32)
    return level, np.maximum(1.25 * _mean(np.minimum(np.abs(level), 8), 6 * step, 3), 0.3)


def _level(power: Floats) -> Floats:
    """Decibels over a floor 70 dB under the mean, so that rounding noise in pauses counts little."""
    floor = 1e-7 * float(power.mean()) + 1e-20
    return (10 * np.log10(power + floor)).astype(np.float32)


def _mean(values: Floats, rows: int, columns: int) -> Floats:
    """Mean over the rectangle of ± rows and ± columns around each value, edges repeated."""
    for axis, radius in ((0, rows), (1, columns)):
        wide = np.pad(values, [(radius + 1, radius) if axis == each else (0, 0) for each in (0, 1)], mode="edge")
        sums = np.cumsum(wide, axis=axis, dtype=np.float64)
        width = 2 * radius + 1
        upper, lower = (sums[width:], sums[:-width]) if axis == 0 else (sums[:, width:], sums[:, :-width])
        values = ((upper - lower) / width).astype(np.float32)
    return values


# ------------------------------------------------------------ from cells to sound


def strength(power: Floats, aim: float) -> Floats:
    """Change of each cell, dB, so that the mark's power is about aim² of the sound's; `power` (cells, bands).

    A cell beside louder ones is masked by them and may change more (simultaneous and temporal masking: Johnston 1988,
    "Transform coding of audio signals using perceptual noise criteria", here the root of the ratio); so may, a little,
    a cell that is faint for its band. Where levels fluctuate by themselves a change is heard less and read with more
    difficulty (noise masks better than tones do: Hellman 1972, "Asymmetry of masking between noise and tone"), so
    restless sound gets more than calm sound, by up to 2 dB over a whole work.
    """
    floor = 1e-9 * float(power.mean()) + 1e-20
    beside = 10 * np.log10((_mean(power, 1, 3) + floor) / (power + floor))
    level = 10 * np.log10(power + floor)
    faint = np.clip(np.percentile(level, 90, axis=0) - level, -10, 25)
    change = np.minimum(10 ** ((0.5 * beside + 0.15 * faint) / 20), 4)
    share = float(np.sum((change * math.log(10) / 20) ** 2 * power)) / (float(power.sum()) or 1.0)
    restless = np.sqrt(_against_neighbours(power, 1)[1] / _CALM)
    return np.clip(change * restless * aim / _KEPT / math.sqrt(share or 1.0), 0.1, _MOST).astype(np.float32)


def filtered(channel: Floats, rate: int, gains: Floats) -> Floats:
    """What the gains, dB (cells, bands), add to a channel (n,): overlapping sine windows, a cell apart."""
    size = _size(rate)
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size).astype(np.float32)
    band = np.searchsorted(_EDGES, np.arange(size // 2 + 1) * rate / size, side="right") - 1
    inside = (band >= 0) & (band < BANDS)
    factors = np.zeros((len(gains), BANDS + 1), np.float32)  # the last column for bins outside the bands
    factors[:, :BANDS] = 10 ** (gains / 20) - 1
    columns = np.where(inside, band, BANDS)
    total = np.zeros(len(channel) + 3 * size, np.float32)
    at = 0
    for starts, frames in _frames(channel, rate, CELL):
        bins = np.fft.rfft(frames * window, axis=1) * factors[at : at + len(frames), columns]
        for start, frame in zip(starts + size, np.fft.irfft(bins, size, axis=1) * window, strict=True):
            total[start : start + size] += frame
        at += len(frames)
    return total[size : size + len(channel)]
