"""The image watermark: 48 bits in the luma of a picture, found again without the original.

The picture is looked at in a canonical size (area 256², sides in proportion), so that resizing changes nothing. The
mark is a tile of 64 × 64 canonical pixels, repeated over the picture, and each spatial frequency of the tile between
`LOWEST` and `HIGHEST` cycles carries two signs, one in its cosine and one in its sine (spread spectrum: Cox et al.
1997, "Secure spread spectrum watermarking for multimedia"; repeated tiles: Kutter 1998). A quarter of the frequencies
are pilots with known signs; the others carry the code word of `payload.py` several times. A keyed sign multiplies each.

*Finding the place.* A periodic tile has a line spectrum, so a picture that was turned, enlarged and shifted has the
tile's coefficients at turned and scaled lattice points of its spectrum. The detector reads the pilots there for a grid
of angles and sizes, and an inverse transform of the readings gives the correlation for all shifts at once. That costs
about 10 µs for each angle and size, against milliseconds for turning the picture.

*Host interference.* The picture itself is the main noise. The detector takes the local mean away, divides by the local
contrast, and divides the spectrum by its local power (whitening); the pilots then show how much of the mark survived at
each radius, and the code bits are weighted by that. The embedder knows the picture, so it gives more energy to those
code bits that the picture happens to contradict (informed embedding: Malvar and Florêncio 2003, "Improved spread
spectrum").

*Which frequencies.* The embedder rehearses an attack (half size, JPEG at quality 50) with an even spectrum, and then
gives each radius energy by how well it came through: low frequencies in flat artwork, whose faint detail a codec throws
away, high ones in textures, whose low frequencies are loud.

*What is proved.* The pilots choose a few places without looking at the other signs; of these places alone a payload is
read, and `Reading.chance` bounds the chance of a false one for any picture whatsoever (see `payload.py`).
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia.core.errors import MarkError
from castalia.provenance.watermarks import payload as code
from castalia.provenance.watermarks.text import key_id

SCHEME = "tiles1"
ALARM = 1e-6
"""A payload is handed out when the chance of a false alarm is at most this."""

SIDE = 256
"""Canonical pixels: square root of the canonical picture's area."""
TILE = 96
"""Canonical pixels a tile's side."""
LOWEST, HIGHEST = 4.5, 33.0
"""Frequencies that carry the mark, cycles a tile."""
COPIES = 17
"""Copies of the code word."""
PROFILES = ("low", "middle", "high")
"""How the mark's energy may lie over the frequencies; see `_profile`."""


@dataclass(frozen=True)
class _Search:
    """A grid of angles and magnifications, fine enough for the pilots it looks at."""

    lowest: float
    highest: float
    """Frequencies of its pilots, cycles a tile."""
    turn: float
    """Step of the angle, radians."""
    growth: float
    """Step of the logarithm of the magnification."""
    shifts: int
    """Shifts that are told apart along each axis."""

    @property
    def angles(self) -> NDArray[np.float64]:
        """Up to `TURN` to both sides, 0 among them."""
        count = math.floor(TURN / self.turn)
        return np.arange(-count, count + 1) * self.turn

    @property
    def sizes(self) -> NDArray[np.float64]:
        """From `SMALLEST` to `LARGEST`, 1 among them."""
        first, last = math.floor(math.log(SMALLEST) / self.growth), math.ceil(math.log(LARGEST) / self.growth)
        return np.exp(np.arange(first, last + 1) * self.growth)


TURN = math.radians(3.6)
"""Largest angle that is searched."""
SMALLEST, LARGEST = 0.95, 1.40
"""Searched magnifications in canonical pixels: a turned picture on a larger canvas, to 29 % cropped from a side."""
SEARCHES = (_Search(LOWEST, 18.0, math.radians(0.6), 0.011, 48), _Search(14.0, 25.0, math.radians(0.45), 0.0075, 72))
PLACES = 3
PILOT_SHARE = 0.22
"""Share of pilots among the frequencies that the searches look at; above, what the code word leaves."""
PILOT_GAIN = 1.6
"""Amplitude of a pilot against that of a code bit at the same radius."""

_MEAN, _CONTRAST = 2.5, 1.8
"""Widths (standard deviations) of the windows of the local mean and contrast, canonical pixels."""
_FLOOR = 0.5
"""Contrast below which a place counts as flat, levels."""
_LIMIT = 1.5
"""Local deviations, in units of the local contrast, are clipped here, so that edges do not shout."""
_HEADROOM = 0.5
"""How far paper white and ink black move inwards, in units of the mark's amplitude there."""
_PLENTY = 500.0
"""Energy of the received code bits over the noise beyond which more is not worth anything."""
_MARGIN = 24
"""Columns of negative frequencies kept beside the half spectrum, so that turned lattice points fall on it."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Spectrum = NDArray[np.complex64]


@dataclass(frozen=True)
class Detection:
    """What the detector sees under one key."""

    payload: bytes | None
    """Six bytes, or None where no mark was found or its payload is damaged."""
    p_value: float
    """Upper bound of the chance that a picture without this key's mark looks like this."""
    bit_agreement: float
    """Share of the code bits that agree with the payload read; about .75 where there is no mark."""
    angle: float
    """Degrees by which the picture seems to have been turned."""
    size: float
    """Magnification relative to the whole picture: 1.25 after cropping a tenth from each side."""


class ImageWatermark:
    """Writes and finds the mark of one key.

    Args:
        secret: Secret or published, any length.
        psnr: Peak signal-to-noise ratio of the marked picture, decibel; lower is stronger and more visible.
    """

    def __init__(self, secret: bytes, psnr: float = 40.3) -> None:
        self.label = f"{SCHEME}:{key_id(secret)}"
        self._psnr = psnr
        rows, columns = np.meshgrid(np.arange(-TILE // 2, TILE // 2), np.arange(TILE // 2), indexing="ij")
        radius = np.hypot(rows, columns)
        kept = ((columns > 0) | (rows > 0)) & (radius >= LOWEST) & (radius <= HIGHEST)
        order = np.argsort(radius[kept], kind="stable")
        self._lattice = np.stack([rows[kept], columns[kept]], axis=1)[order]  # (frequencies, 2), cycles a tile
        self._radius = radius[kept][order].astype(np.float32)
        count = len(order)
        shuffle = np.random.Generator(np.random.PCG64(np.packbits(code.signs(secret, "order", 256) > 0).tolist()))
        pilots = count - COPIES * code.CODE_BITS // 2
        low = int(np.searchsorted(self._radius, SEARCHES[1].highest))
        below, above = shuffle.permutation(low)[: round(low * PILOT_SHARE)], low + shuffle.permutation(count - low)
        self._pilots = np.sort(np.concatenate([below, above[: pilots - len(below)]]))
        data = np.setdiff1d(np.arange(count), self._pilots).reshape(COPIES, -1)  # a copy has its own ring of radii
        self._data = np.concatenate([shuffle.permutation(ring) for ring in data])
        self._signs = code.signs(secret, "signs", 2 * count).reshape(count, 2)  # of cosine and sine
        self._groups = np.empty((count, 2), np.intp)  # which amplitude each coefficient shares
        self._groups[self._data] = np.tile(np.arange(code.CODE_BITS), COPIES).reshape(-1, 2)
        self._groups[self._pilots] = code.CODE_BITS + np.arange(2 * pilots).reshape(-1, 2) // COPIES

    # ------------------------------------------------------------ writing

    def embed(self, pixels: Pixels, payload: bytes) -> Pixels:
        """Mark a picture.

        Args:
            pixels: Shape (height, width), (height, width, 3) or, with alpha, (height, width, 4).
            payload: Six bytes.

        Raises:
            MarkError: The picture is too small, too blank or too busy: the mark does not read back.
        """
        marked = self._write(pixels, payload)
        if self.detect(marked).payload != payload:
            height, width = pixels.shape[:2]
            raise MarkError(
                f"the picture of {width} × {height} pixels does not hold a watermark at {self._psnr:g} dB",
                hint="it is too small, too blank or too busy; enlarge it, or lower `psnr`",
            )
        return marked

    def _write(self, pixels: Pixels, payload: bytes) -> Pixels:
        luma = _luma(pixels)
        canvas = _canonical(luma)
        wanted = self._signs.copy()
        wanted[self._data] *= np.tile(code.encode(payload), COPIES).reshape(-1, 2)
        allowed = 255**2 / 10 ** (self._psnr / 10)  # mean square error
        unit = math.sqrt(allowed / len(wanted))  # even amplitude with this error

        def change(amplitudes: Floats) -> Floats:
            return _within_range(canvas, _tile(self._lattice, amplitudes * wanted, canvas.shape))

        def response(picture: Floats) -> Floats:
            return _fold(_normalise(picture), self._lattice) * wanted

        def shaped(profile: str) -> Floats:
            even = np.repeat(_profile(profile, self._radius)[:, None], 2, axis=1)
            even[self._pilots] *= PILOT_GAIN
            return (even / np.sqrt(np.mean(even**2)) * unit).astype(np.float32)

        best, shape, gain, noise = -np.inf, shaped("high"), wanted, wanted
        for profile in PROFILES:
            trial = shaped(profile)
            written = canvas + change(trial)
            came = [self._received(response(seen), trial) for seen in _rehearsed(written, luma.shape)]
            energies = [float(np.sum((each * trial / loss)[self._data] ** 2)) for each, loss in came]
            worth = sum(math.log(min(energy, _PLENTY)) for energy in energies)
            if worth > best:
                best, shape, (gain, noise) = worth, trial, came[int(np.argmin(energies))]
        amplitudes = shape
        for _ in range(2):
            seen = response(canvas + change(amplitudes))
            amplitudes = self._informed(seen, amplitudes, shape, gain / noise, noise, unit)
        pattern = _resized(change(amplitudes), luma.shape)
        return _added(pixels, pattern, allowed)

    def _ring(self, values: Floats) -> Floats:
        return _by_ring(self._radius, values, self._radius)

    def _received(self, seen: Floats, amplitudes: Floats) -> tuple[Floats, Floats]:
        """Response for a unit of amplitude, and noise, at each coefficient: both smooth in the radius."""
        gain = np.maximum(self._ring((seen / amplitudes).mean(axis=1)), 1e-3)[:, None]
        rest = seen - gain * amplitudes
        noise = np.sqrt(self._ring(np.mean(rest**2, axis=1)))[:, None] + 1e-6
        return np.broadcast_to(gain, seen.shape), np.broadcast_to(noise, seen.shape)

    def _informed(
        self, seen: Floats, amplitudes: Floats, shape: Floats, weight: Floats, noise: Floats, unit: float
    ) -> Floats:
        """Amplitudes of the same energy that lift the weakest code bits: one factor a bit for all its copies."""
        gain = np.maximum(self._ring((seen / amplitudes).mean(axis=1)), 1e-3)[:, None]
        own = np.bincount(self._groups.ravel(), (weight / noise * (seen - gain * amplitudes)).ravel())
        each = np.bincount(self._groups.ravel(), (weight / noise * gain * shape).ravel())
        low, high = 0.0, 8.0
        factors = np.ones_like(own)
        for _ in range(20):
            target = (low + high) / 2
            factors = np.clip(target - own / each, 0.4, 3.0)
            result = (shape * factors[self._groups]).astype(np.float32)
            low, high = (low, target) if np.mean(result**2) > unit**2 else (target, high)
        return (shape * factors[self._groups]).astype(np.float32)

    # ------------------------------------------------------------ finding

    def detect(self, pixels: Pixels) -> Detection:
        """Look for the mark of this key; shapes as for `embed`."""
        spectrum = _whitened(_normalise(_canonical(_luma(pixels))))
        tried = 1 + PLACES * len(SEARCHES)
        best: tuple[code.Reading, float, float] | None = None
        for search, angle, size in self._places(spectrum):
            reading, *place = self._read(spectrum, search, angle, size)
            if best is None or (reading.intact, reading.score) > (best[0].intact, best[0].score):
                best = (reading, place[0], place[1])
            if reading.intact and reading.chance(tried) <= ALARM:
                break
        assert best is not None
        reading, angle, size = best
        chance = reading.chance(tried)
        found = reading.payload if reading.intact and chance <= ALARM else None
        return Detection(found, chance, reading.agreement, math.degrees(angle), size)

    def _places(self, spectrum: Spectrum) -> Iterator[tuple[_Search, float, float]]:
        """The whole picture as it is; then each search's likeliest places, no two neighbours, the likeliest first."""
        yield SEARCHES[0], 0.0, 1.0
        places: list[tuple[float, int, float, float]] = []
        for number, search in enumerate(SEARCHES):
            radius = self._radius[self._pilots]
            which = self._pilots[(radius >= search.lowest) & (radius <= search.highest)]
            angles, sizes = (each.ravel() for each in np.meshgrid(search.angles, search.sizes, indexing="ij"))
            peaks = np.empty(len(angles))
            for at in range(0, len(angles), 128):
                part = slice(at, at + 128)
                peaks[part] = self._correlate(spectrum, angles[part], sizes[part], which, search.shifts).max((1, 2))
            table = peaks.reshape(len(search.angles), len(search.sizes))
            for _ in range(PLACES):
                row, column = np.unravel_index(table.argmax(), table.shape)
                places.append((-table[row, column], number, search.angles[row], search.sizes[column]))
                table[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = -np.inf
        yield from ((SEARCHES[number], angle, size) for _, number, angle, size in sorted(places))

    def _correlate(
        self,
        spectrum: Spectrum,
        angles: NDArray[np.float64],
        sizes: NDArray[np.float64],
        which: NDArray[np.intp],
        grid: int,
    ) -> Floats:
        """Correlation with the pilots at all shifts, shape (places, grid, grid)."""
        values = _sample(spectrum, angles, sizes, self._lattice[which])
        norm = np.sqrt(np.mean(np.abs(values) ** 2, axis=1) * len(which) / 2)[:, None, None] + 1e-9
        signs = self._signs[which, 0] + 1j * self._signs[which, 1]
        readings = np.zeros((len(angles), grid, grid // 2 + 1), np.complex64)
        readings[:, self._lattice[which, 0], self._lattice[which, 1]] = values * signs / math.sqrt(2)
        readings[:, :, 0] *= 2  # the other columns are counted twice, for their mirror images
        return np.fft.irfft2(readings, (grid, grid)).astype(np.float32) * (grid**2 / 2) / norm

    def _read(
        self, spectrum: Spectrum, search: _Search, angle: float, size: float
    ) -> tuple[code.Reading, float, float]:
        """Refine one place and decode there: reading, angle, size."""
        steps = np.arange(-2, 3) / 4
        turns, growths = (each.ravel() for each in np.meshgrid(steps, steps, indexing="ij"))
        angles = angle + turns * search.turn
        sizes = size * np.exp(growths * search.growth)
        correlation = self._correlate(spectrum, angles, sizes, self._pilots, TILE)
        best, row, column = np.unravel_index(correlation.argmax(), correlation.shape)
        shift = _summit(correlation[best], int(row), int(column)) / TILE
        values = _sample(spectrum, angles[best : best + 1], sizes[best : best + 1], self._lattice)[0]
        values = values * np.exp(2j * np.pi * (self._lattice @ shift))
        seen = np.stack([values.real, -values.imag], axis=1) * self._signs  # (frequencies, 2)
        pilots = seen[self._pilots].mean(axis=1)
        weight = np.maximum(_by_ring(self._radius[self._pilots], pilots, self._radius), 0.01)
        soft = (seen * weight[:, None])[self._data].reshape(COPIES, code.CODE_BITS)
        return code.decode(soft), float(angles[best]), float(sizes[best])


# ---------------------------------------------------------------- pictures


def _luma(pixels: Pixels) -> Floats:
    """Levels 0 to 255, shape (height, width)."""
    return pixels.astype(np.float32) if pixels.ndim == 2 else pixels[..., :3].astype(np.float32) @ _LUMA


def _resized(picture: Floats, shape: tuple[int, ...]) -> Floats:
    """Resample to (height, width); shrinking averages."""
    way = Image.Resampling.BICUBIC if shape[0] > picture.shape[0] else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(picture).resize((shape[1], shape[0]), way))


def _canonical(luma: Floats) -> Floats:
    height, width = luma.shape
    scale = SIDE / math.sqrt(height * width)
    return _resized(luma, (max(8, round(height * scale)), max(8, round(width * scale))))


def _rehearsed(canvas: Floats, shape: tuple[int, ...]) -> Iterator[Floats]:
    """The canonical picture after hard attacks: JPEG at quality 25 in its own size, and at 50 in half of it."""
    for quality, part, most in ((25, 1.0, 2.0), (50, 0.5, 1.0)):
        factor = min(part * shape[0] / canvas.shape[0], most)
        size = tuple(max(8, round(length * factor)) for length in canvas.shape)
        small = np.clip(np.rint(_resized(canvas, size)), 0, 255).astype(np.uint8)
        file = io.BytesIO()
        Image.fromarray(small).save(file, "JPEG", quality=quality)
        yield _resized(np.asarray(Image.open(file), np.float32), canvas.shape)


def _within_range(canvas: Floats, change: Floats) -> Floats:
    """The change with room made for it at black and white, and clipped where that is not enough."""
    room = np.minimum(_HEADROOM * np.sqrt(_smooth(change**2, 4.0)), 20)
    return np.clip(np.clip(canvas, room, 255 - room) + change, 0, 255) - canvas


def _added(pixels: Pixels, pattern: Floats, allowed: float) -> Pixels:
    """Add a pattern to all colours, scaled until the mean square error is `allowed`."""
    colours = pixels[..., None] if pixels.ndim == 2 else pixels[..., :3]
    marked, scale = colours, 1.0
    for _ in range(3):
        marked = np.clip(np.rint(colours + scale * pattern[..., None]), 0, 255).astype(np.uint8)
        error = float(np.mean((marked.astype(np.float32) - colours) ** 2)) + 1e-9
        if abs(error / allowed - 1) < 0.01:
            break
        scale *= math.sqrt(allowed / error)
    if pixels.ndim == 2:
        return marked[..., 0]
    return np.concatenate([marked, pixels[..., 3:]], axis=2)


# ---------------------------------------------------------------- signals


def _profile(name: str, radius: Floats) -> Floats:
    """Relative amplitude at each radius."""
    if name == "high":
        return np.where(radius < 18, 0.3, 1.0).astype(np.float32)
    width = 15.0 if name == "middle" else 9.0
    return (np.exp(-0.5 * (radius / width) ** 2) + 0.02).astype(np.float32)


def _smooth(picture: Floats, width: float) -> Floats:
    """Gaussian average of this standard deviation, the edges repeated outwards."""
    reach = math.ceil(3 * width)
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    taps = (taps / taps.sum()).astype(np.float32)
    for _ in range(2):  # down the columns, then the same on the transpose
        padded = np.pad(picture, ((reach, reach), (0, 0)), "edge")
        length = len(picture)
        result = taps[reach] * picture
        for step in range(reach):
            result += taps[step] * (padded[step : step + length] + padded[2 * reach - step :][:length])
        picture = np.ascontiguousarray(result.T)
    return picture


def _by_ring(radius: Floats, values: Floats, wanted: Floats) -> Floats:
    """Mean of the values at about the same radius, for each wanted radius."""
    kernel = np.array([1, 2, 3, 2, 1])
    rings = np.rint(radius).astype(np.intp)
    length = int(HIGHEST) + 2
    sums = np.convolve(np.bincount(rings, values, length), kernel, "same")
    counts = np.convolve(np.bincount(rings, minlength=length), kernel, "same")
    return (sums / np.maximum(counts, 1))[np.rint(wanted).astype(np.intp)].astype(np.float32)


def _normalise(canvas: Floats) -> Floats:
    """Deviation from the local mean in units of the local contrast."""
    rest = canvas - _smooth(canvas, _MEAN)
    contrast = np.sqrt(np.maximum(_smooth(rest**2, _CONTRAST), 0)) + _FLOOR
    return np.clip(rest / contrast, -_LIMIT, _LIMIT)


def _tile(lattice: NDArray[np.intp], amplitudes: Floats, shape: tuple[int, ...]) -> Floats:
    """Pattern with these amplitudes (frequencies, 2) of cosine and sine, repeated over (height, width)."""
    spectrum = np.zeros((TILE, TILE), np.complex128)
    spectrum[lattice[:, 0], lattice[:, 1]] = amplitudes[:, 0] - 1j * amplitudes[:, 1]
    tile = (np.fft.ifft2(spectrum).real * TILE**2).astype(np.float32)
    return np.tile(tile, (-(-shape[0] // TILE), -(-shape[1] // TILE)))[: shape[0], : shape[1]]


def _fold(values: Floats, lattice: NDArray[np.intp]) -> Floats:
    """Coefficients (frequencies, 2) of cosine and sine of the sum of all tiles."""
    height, width = (-(-length // TILE) for length in values.shape)
    whole = np.zeros((height * TILE, width * TILE), np.float32)
    whole[: values.shape[0], : values.shape[1]] = values
    spectrum = np.fft.fft2(whole.reshape(height, TILE, width, TILE).sum((0, 2)))[lattice[:, 0], lattice[:, 1]]
    return np.stack([spectrum.real, -spectrum.imag], axis=1).astype(np.float32)


def _whitened(values: Floats) -> Spectrum:
    """Spectrum at half bins, the centre as origin, over its local power; first `_MARGIN` columns below 0."""
    height, width = values.shape
    rows, columns = _transform_length(2 * height), _transform_length(2 * width)
    padded = np.zeros((rows, columns), np.float32)
    padded[:height, :width] = values
    half = np.fft.rfft2(np.roll(padded, (-(height // 2), -(width // 2)), (0, 1)))
    negative = np.conj(half[-np.arange(rows) % rows, 1 : _MARGIN + 1])[:, ::-1]
    spectrum = np.concatenate([negative, half], axis=1).astype(np.complex64)
    power = _boxed(_boxed(spectrum.real**2 + spectrum.imag**2).T).T
    return (spectrum / np.sqrt(power + 1e-3 * power.mean())).astype(np.complex64)


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


def _sample(
    spectrum: Spectrum, angles: NDArray[np.float64], sizes: NDArray[np.float64], lattice: NDArray[np.intp]
) -> Spectrum:
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


def _summit(values: Floats, row: int, column: int) -> NDArray[np.float64]:
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
