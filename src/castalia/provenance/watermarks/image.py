"""The image watermark: 48 bits in the luma of a picture, found again without the original.

The picture is looked at in a canonical size (area 256², sides in proportion), so that resizing changes nothing. The
mark is a tile of 96 × 96 canonical pixels, repeated over the picture, and each spatial frequency of the tile between
`LOWEST` and `HIGHEST` carries two signs, one in its cosine and one in its sine (spread spectrum: Cox et al. 1997,
"Secure spread spectrum watermarking for multimedia"; repeated tiles: Kutter 1998, "Watermarking resistant to
translation, rotation and scaling"). A seventh of the frequencies are pilots with known signs; the others carry the
code word of `payload.py` seventeen times. A keyed sign multiplies each.

*Finding the place.* A periodic tile has a line spectrum, so a picture that was turned, enlarged and shifted has the
tile's coefficients at turned and spread lattice points of its spectrum. The detector reads the pilots there for a grid
of angles and sizes, and an inverse transform of the readings gives the correlation for all shifts at once: tens of
microseconds for each angle and size, against milliseconds for turning the picture.

*Host interference.* The picture itself is the main noise. The detector takes the local mean away, divides by the local
contrast, and divides the spectrum by its local power (whitening); the pilots then show how much of the mark survived at
each radius, and the code bits are weighted by that. The embedder knows the picture, so it gives more energy to those
code bits that the picture happens to contradict (informed embedding: Malvar and Florêncio 2003, "Improved spread
spectrum").

*Which frequencies.* A codec throws the faint fine detail of flat artwork away, so there the mark must be coarse; the
coarse detail of grass or gravel is far louder than any mark, so there it must be fine. The embedder
rehearses JPEG, in full and at half the size, with three profiles, and takes the one that comes through best.

*What was measured on the way.* A tile of 64 had too few coarse frequencies for flat artwork: the score of `payload.py`
is at most the square root of the number of values. An even amplitude shows as mottling in every clear sky; one in
proportion to the local contrast (Weber's law) is erased there by codecs; its square root (`canvas.tolerance`) halves
the mottling and loses nothing. Cancelling the picture's interference at each frequency spent the energy on the
loudest; lifting whole code bits pays. A second mark over a first one fails in four pictures of ten, and estimating the
first to take it out leaves a third of it; so a mark that is there stays.

*How loud.* From 45 dB, and as much louder as rehearsals lack, up to 40: as far as the picture hides it (the busier, the
farther), until what is written is read at half the size after WebP of quality 60 and after JPEG of quality 50; from
there on WebP may be at full size. At 40 dB half of all drawings hold the hardest pair, and all of them show it.

*What is proved.* The pilots choose a few places without looking at the other signs; of these places alone a payload is
read, and `Reading.chance` bounds the chance of a false one for any picture whatsoever (see `payload.py`).

The file is long because writing and finding share one lattice; a quarter of it is this account.

*What it does not survive.* Angles and crops beyond `TURN` and `LARGEST`, mirroring, unequal resizing of the two sides,
and brightening until everything but black ink is white: what was in the paper is then gone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia.core.errors import MarkError
from castalia.provenance.watermarks import payload as code
from castalia.provenance.watermarks.canvas import (
    Floats,
    Pixels,
    added,
    calm,
    canonical,
    coded,
    evened,
    luma_of,
    rehearsed,
    resized,
    tolerance,
    within_range,
)
from castalia.provenance.watermarks.spectrum import TILE, Spectrum, folded, sampled, summit, tiled, whitened
from castalia.provenance.watermarks.text import key_id

SCHEME = "tiles1"
ALARM = 1e-6
"""A payload is handed out when the chance of a false alarm is at most this."""

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
        return self.turn * np.arange(-count, count + 1, dtype=np.float64)

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
"""Places of each search that are looked at more closely; the chance of a false alarm is multiplied by all of them."""
_TRIED = 1 + PLACES * len(SEARCHES)
"""Places that are read."""
PILOT_SHARE = 0.22
"""Share of pilots among the frequencies that the searches look at; above, what the code word leaves."""
PILOT_GAIN = 1.6
"""Amplitude of a pilot against that of a code bit at the same radius."""

_LOUDEST = 4.95
"""Decibels by which a mark that does not hold may be made louder, in at most `_PASSES` passes; 40 dB are left."""
_PASSES = 4
_STEP = 0.4
"""Decibels added to a step so that it is the last."""
_LONGEST_STEP = 2.5
"""Decibels; where even the pilots are lost the score does not tell how many lack."""
_REHEARSED = 1024
"""Longer side of a picture in rehearsals, pixels."""
_PROOF = 1e-15
"""Chance of a false alarm to which rehearsals must come down, so that something is left for another attack."""
_PLENTY = 500.0
"""Energy of the received code bits over the noise beyond which more is not worth anything."""


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

    def __init__(self, secret: bytes, psnr: float = 45.0) -> None:
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
        """Mark a picture; louder by up to 5 dB where it would not survive `_rehearsal`.

        Args:
            pixels: Shape (height, width), (height, width, 3) or, with alpha, (height, width, 4).
            payload: Six bytes.

        Raises:
            MarkError: The picture is too small, too blank or too busy: the mark does not read back.
        """
        shape = pixels.shape[:2]
        canvas = canonical(luma_of(pixels))
        hidden, lost, loudness = tolerance(canvas), 0.0, 0.0
        wanted, amplitudes = self._planned(canvas, hidden, payload, shape, 0.0)
        hidable = _LOUDEST * (1 - calm(canvas))
        marked = pixels
        for _ in range(_PASSES):
            loudness = min(loudness + lost, _LOUDEST)
            if loudness == _LOUDEST:  # what holds here holds barely: planned for this loudness, not grown to it
                wanted, amplitudes = self._planned(canvas, hidden, payload, shape, loudness)
            allowed = 255**2 / 10 ** ((self._psnr - loudness) / 10)  # mean square error
            grown = 1.0 if loudness == _LOUDEST else 10 ** (loudness / 20)
            louder = (grown * amplitudes * wanted).astype(np.float32)
            change = within_range(canvas, hidden * tiled(self._lattice, louder, canvas.shape))
            marked = added(pixels, resized(change, shape), allowed)
            if loudness == _LOUDEST:
                break
            hard = loudness < hidable
            lost = next(filter(None, (self._lacking(each, payload) for each in _rehearsal(marked, hard=hard))), 0.0)
            lost = min(lost, hidable - loudness) if hard else lost
            if not lost:
                return marked
        if self.detect(marked).payload == payload:
            return marked
        raise MarkError(
            f"the picture of {shape[1]} × {shape[0]} pixels does not hold a watermark at {self._psnr - _LOUDEST:g} dB",
            hint="it is too small, too blank or too busy; enlarge it, or lower `psnr`",
        )

    def _lacking(self, pixels: Pixels, payload: bytes) -> float:
        """Decibels by which the mark of a picture that was not moved is too quiet for `_PROOF`; 0 where it is not."""
        soft, *_ = self._soft(_looked_at(pixels), SEARCHES[0], 0.0, 1.0)
        score, least = code.score(soft, code.encode(payload)), code.least_score(_PROOF, _TRIED)
        return min(_STEP + 20 * math.log10(least / max(score, 1.0)), _LONGEST_STEP) if score < least else 0.0

    def _planned(
        self, canvas: Floats, hidden: Floats, payload: bytes, shape: tuple[int, ...], louder: float
    ) -> tuple[Floats, Floats]:
        """Signs and amplitudes, (frequencies, 2) each, of a mark in the profile that rehearses best.

        Args:
            canvas: The canonical picture.
            hidden: How much change each of its places hides (`canvas.tolerance`).
            payload: Six bytes.
            shape: Height and width of the picture itself.
            louder: Decibels above the mark at `psnr`.
        """
        wanted = self._signs.copy()
        wanted[self._data] *= np.tile(code.encode(payload), COPIES).reshape(-1, 2)
        error = 255 / 10 ** ((self._psnr - louder) / 20)
        unit = error / math.sqrt(len(wanted))  # even amplitude with the error that is allowed
        finest = 0.42 * TILE * shape[0] / len(canvas)  # a little below the picture's own Nyquist frequency

        def change(amplitudes: Floats) -> Floats:
            return within_range(canvas, hidden * tiled(self._lattice, amplitudes * wanted, canvas.shape))

        def response(picture: Floats) -> Floats:
            return folded(evened(picture), self._lattice) * wanted

        def shaped(profile: str) -> Floats:
            even = np.repeat(_profile(profile, self._radius, finest)[:, None], 2, axis=1)
            even[self._pilots] *= PILOT_GAIN
            return (even / np.sqrt(np.mean(even**2)) * unit).astype(np.float32)

        rehearsals: list[tuple[float, Floats, Floats, Floats]] = []
        for profile in PROFILES:
            trial = shaped(profile)
            seen = [response(each) for each in rehearsed(canvas + change(trial), shape)]
            came = [self._received(each, trial) for each in seen]
            energies = [float(np.sum((gain * trial / noise)[self._data] ** 2)) for gain, noise in came]
            worth = sum(math.log(min(energy, _PLENTY)) for energy in energies)
            rehearsals.append((worth, trial, *came[int(np.argmin(energies))]))
        _, even, gain, noise = max(rehearsals, key=lambda rehearsal: rehearsal[0])
        amplitudes = even
        for _ in range(2):
            received = response(canvas + change(amplitudes))
            amplitudes = self._informed(received, amplitudes, even, gain / noise**2)
        return wanted, amplitudes

    def _ring(self, values: Floats) -> Floats:
        """Each frequency's value replaced by the mean of those at about its radius."""
        return _by_ring(self._radius, values, self._radius)

    def _received(self, seen: Floats, amplitudes: Floats) -> tuple[Floats, Floats]:
        """Response for a unit of amplitude, and noise, at each coefficient: both smooth in the radius."""
        gain = np.maximum(self._ring((seen / amplitudes).mean(axis=1)), 1e-3)[:, None]
        rest = seen - gain * amplitudes
        noise = np.sqrt(self._ring(np.mean(rest**2, axis=1)))[:, None] + 1e-6
        return gain, noise.astype(np.float32)

    def _informed(self, seen: Floats, amplitudes: Floats, shape: Floats, weight: Floats) -> Floats:
        """Amplitudes of the shape's energy that lift the weakest code bits: one factor a bit for all its copies.

        Args:
            seen: Response to `amplitudes`, (frequencies, 2), positive where it is as wanted.
            amplitudes: What was written.
            shape: Amplitudes that pay no heed to the picture.
            weight: How the detector will weigh a response, (frequencies, 1).
        """
        gain = np.maximum(self._ring((seen / amplitudes).mean(axis=1)), 1e-3)[:, None]
        own = np.bincount(self._groups.ravel(), (weight * (seen - gain * amplitudes)).ravel())
        each = np.bincount(self._groups.ravel(), (weight * gain * shape).ravel())
        result, low, high = shape, 0.0, 8.0
        for _ in range(20):
            target = (low + high) / 2
            result = (shape * np.clip(target - own / each, 0.4, 3.0)[self._groups]).astype(np.float32)
            low, high = (low, target) if np.sum(result**2) > np.sum(shape**2) else (target, high)
        return result

    # ------------------------------------------------------------ finding

    def detect(self, pixels: Pixels) -> Detection:
        """Look for the mark of this key; shapes as for `embed`."""
        spectrum = _looked_at(pixels)
        best: tuple[code.Reading, float, float] | None = None
        for search, angle, size in self._places(spectrum):
            soft, *place = self._soft(spectrum, search, angle, size)
            reading = code.decode(soft)
            if best is None or (reading.intact, reading.score) > (best[0].intact, best[0].score):
                best = (reading, place[0], place[1])
            if reading.intact and reading.chance(_TRIED) <= ALARM:
                break
        assert best is not None
        reading, angle, size = best
        chance = reading.chance(_TRIED)
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
        values = sampled(spectrum, angles, sizes, self._lattice[which])
        norm = np.sqrt(np.mean(np.abs(values) ** 2, axis=1) * len(which) / 2)[:, None, None] + 1e-9
        signs = self._signs[which, 0] + 1j * self._signs[which, 1]
        readings = np.zeros((len(angles), grid, grid // 2 + 1), np.complex64)
        readings[:, self._lattice[which, 0], self._lattice[which, 1]] = values * signs / math.sqrt(2)
        readings[:, :, 0] *= 2  # the other columns are counted twice, for their mirror images
        return np.fft.irfft2(readings, (grid, grid)).astype(np.float32) * (grid**2 / 2) / norm

    def _soft(self, spectrum: Spectrum, search: _Search, angle: float, size: float) -> tuple[Floats, float, float]:
        """Refine one place and read there: copies of the code word, angle, size."""
        steps = np.arange(-2, 3) / 4
        turns, growths = (each.ravel() for each in np.meshgrid(steps, steps, indexing="ij"))
        angles = angle + turns * search.turn
        sizes = size * np.exp(growths * search.growth)
        correlation = self._correlate(spectrum, angles, sizes, self._pilots, TILE)
        best, row, column = np.unravel_index(correlation.argmax(), correlation.shape)
        shift = summit(correlation[best], int(row), int(column)) / TILE
        values = sampled(spectrum, angles[best : best + 1], sizes[best : best + 1], self._lattice)[0]
        values = values * np.exp(2j * np.pi * (self._lattice @ shift))
        seen = np.stack([values.real, -values.imag], axis=1) * self._signs  # (frequencies, 2)
        pilots = seen[self._pilots].mean(axis=1)
        weight = np.maximum(_by_ring(self._radius[self._pilots], pilots, self._radius), 0.01)
        soft = (seen * weight[:, None])[self._data].reshape(COPIES, code.CODE_BITS)
        return soft, float(angles[best]), float(sizes[best])


def _looked_at(pixels: Pixels) -> Spectrum:
    return whitened(evened(canonical(luma_of(pixels))))


def _rehearsal(marked: Pixels, *, hard: bool) -> Iterator[Pixels]:
    """What a mark should survive before it is handed out: WebP, and JPEG at half the size; if hard, both at half.

    A large picture is shrunk before, which is harder still; WebP takes no side beyond 16,383 pixels.
    """
    picture = Image.fromarray(marked[..., :3] if marked.ndim == 3 else marked)
    picture.thumbnail((_REHEARSED, _REHEARSED))
    half = picture.resize((max(1, picture.width // 2), max(1, picture.height // 2)))
    yield coded(np.asarray(half if hard else picture), "WEBP", 60)
    yield coded(np.asarray(half), "JPEG", 50)


def _profile(name: str, radius: Floats, finest: float) -> Floats:
    """Relative amplitude at each radius; next to nothing above the finest frequency that the picture can show."""
    if name == "high":
        level = np.where(radius < min(18.0, 0.55 * finest), 0.3, 1.0)
    else:
        level = np.exp(-0.5 * (radius / (15.0 if name == "middle" else 9.0)) ** 2)
    return (np.where(radius > finest, 0.0, level) + 0.02).astype(np.float32)


def _by_ring(radius: Floats, values: Floats, wanted: Floats) -> Floats:
    """Mean of the values at about the same radius, for each wanted radius."""
    kernel = np.array([1, 2, 3, 2, 1])
    rings = np.rint(radius).astype(np.intp)
    length = int(HIGHEST) + 2
    sums = np.convolve(np.bincount(rings, values, length), kernel, "same")
    counts = np.convolve(np.bincount(rings, minlength=length), kernel, "same")
    return (sums / np.maximum(counts, 1))[np.rint(wanted).astype(np.intp)].astype(np.float32)
