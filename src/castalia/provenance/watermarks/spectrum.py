"""Spectra of tiled patterns: written as a tile, read at the points of a lattice that may be turned and spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TILE = 96
"""Canonical pixels a tile's side."""
_MARGIN = 24
"""Columns of negative frequencies kept beside the half spectrum, so that turned lattice points fall on it."""

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complex64]
Lattice = NDArray[np.intp]
"""Frequencies, shape (frequencies, 2): cycles a tile down and across, the second never negative."""


def tiled(lattice: Lattice, amplitudes: Floats, shape: tuple[int, ...]) -> Floats:
    """Pattern with these amplitudes (frequencies, 2) of cosine and sine, repeated over (height, width)."""
    spectrum = np.zeros((TILE, TILE), np.complex128)
    spectrum[lattice[:, 0], lattice[:, 1]] = amplitudes[:, 0] - 1j * amplitudes[:, 1]
    tile = (np.fft.ifft2(spectrum).real * TILE**2).astype(np.float32)
    return np.tile(tile, (-(-shape[0] // TILE), -(-shape[1] // TILE)))[: shape[0], : shape[1]]


def folded(values: Floats, lattice: Lattice) -> Floats:
    """Coefficients (frequencies, 2) of cosine and sine of the sum of all tiles."""
    height, width = (-(-length // TILE) for length in values.shape)
    whole = np.zeros((height * TILE, width * TILE), np.float32)
    whole[: values.shape[0], : values.shape[1]] = values
    spectrum = np.fft.fft2(whole.reshape(height, TILE, width, TILE).sum((0, 2)))[lattice[:, 0], lattice[:, 1]]
    return np.stack([spectrum.real, -spectrum.imag], axis=1).astype(np.float32)


def whitened(values: Floats) -> Spectrum:
    """Spectrum at half bins, the centre as origin, over its local power; first `_MARGIN` columns below 0."""
    height, width = values.shape
    rows, columns = _transform_length(2 * height), _transform_length(2 * width)
    padded = np.zeros((rows, columns), np.float32)
    padded[:height, :width] = values
    half = np.fft.rfft2(np.roll(padded, (-(height // 2), -(width // 2)), (0, 1)))
    negative = np.conj(half[-np.arange(rows) % rows, 1 : _MARGIN + 1])[:, ::-1]
    spectrum = np.concatenate([negative, half], axis=1).astype(np.complex64)
    power = _boxed(_boxed(spectrum.real**2 + spectrum.imag**2).T).T
    return (spectrum / np.sqrt(power + 1e-3 * power.mean() + 1e-12)).astype(np.complex64)


def _boxed(power: Floats, width: int = 9) -> Floats:
    """Running mean down the columns, wrapping round."""
    reach = width // 2
    sums = np.cumsum(np.concatenate([power[-reach - 1 :], power, power[:reach]]), axis=0, dtype=np.float64)
    return ((sums[width:] - sums[:-width]) / width).astype(np.float32)


def _transform_length(at_least: int) -> int:
    """Next length whose only prime factors are 2, 3 and 5."""
    length = at_least
    while True:
        rest = length
        for factor in (2, 3, 5):
            while rest % factor == 0:
                rest //= factor
        if rest == 1 and length % 2 == 0:
            return length
        length += 1


def sampled(spectrum: Spectrum, angles: NDArray[np.float64], sizes: NDArray[np.float64], lattice: Lattice) -> Spectrum:
    """Spectrum at the lattice turned by each angle and spread by each size, bilinear, (places, frequencies)."""
    rows, columns = spectrum.shape
    width = 2 * (columns - _MARGIN - 1)
    cosine, sine = (np.cos(angles) / sizes / TILE)[:, None], (np.sin(angles) / sizes / TILE)[:, None]
    row = (cosine * lattice[:, 0] + sine * lattice[:, 1]) * rows
    column = (cosine * lattice[:, 1] - sine * lattice[:, 0]) * width + _MARGIN
    column = np.clip(column, 0, columns - 2)
    top, left = np.floor(row).astype(np.intp), np.floor(column).astype(np.intp)
    down, right = (row - top).astype(np.float32), (column - left).astype(np.float32)
    flat = spectrum.ravel()
    upper, lower = top % rows * columns + left, (top + 1) % rows * columns + left
    above = flat[upper] * (1 - right) + flat[upper + 1] * right
    below = flat[lower] * (1 - right) + flat[lower + 1] * right
    return above * (1 - down) + below * down


def summit(values: Floats, row: int, column: int) -> NDArray[np.float64]:
    """Position of a peak between the grid's points, by a parabola along each axis."""
    size = len(values)
    top = float(values[row, column])

    def offset(before: float, after: float) -> float:
        bend = before - 2 * top + after
        return 0.5 * (before - after) / bend if bend < 0 else 0.0

    return np.array(
        [
            row + offset(float(values[row - 1, column]), float(values[(row + 1) % size, column])),
            column + offset(float(values[row, column - 1]), float(values[row, (column + 1) % size])),
        ]
    )
