"""Laws of the audio watermark on sound made here: marked, attacked and read again; nothing found where nothing is."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from castalia.core.errors import MarkError, UsageError
from castalia.provenance.watermarks.audio import ALARM, LEAST_SECONDS, AudioWatermark

Sound = NDArray[np.float32]
SECRET = b"a key for tests, thirty-two long"
PAYLOAD = bytes.fromhex("0123456789ab")
MARK = AudioWatermark(SECRET)
RATES = {"speech": 16_000, "music": 44_100}
SECONDS = 9.0


def speech(seed: int, seconds: float = SECONDS) -> Sound:
    """Harmonics of a gliding voice under three moving formants, syllables with pauses and hisses, (n, 1) at 16 kHz."""
    chance, rate = np.random.default_rng(seed), RATES["speech"]
    time = np.arange(int(seconds * rate)) / rate
    knots = np.arange(0, seconds + 0.2, 0.2)  # a syllable every 0.2 s

    def glide(low: float, high: float) -> NDArray[np.float64]:
        return np.interp(time, knots, chance.uniform(low, high, len(knots)))

    pitch, loud = glide(95, 150), np.interp(time, knots, chance.choice([0, 0.4, 1, 1], len(knots)))
    formants = [(glide(300, 800), 90), (glide(900, 2300), 140), (glide(2400, 3400), 250)]
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    sound = np.zeros_like(time)
    for harmonic in range(1, 50):
        height = sum(1 / (1 + ((harmonic * pitch - centre) / width) ** 2) for centre, width in formants)
        sound += height / harmonic**0.5 * np.sin(harmonic * phase) * (harmonic * pitch < 7000)
    hiss = np.diff(chance.normal(size=len(time) + 1)) * np.interp(time, knots, chance.choice([0, 0, 0.1], len(knots)))
    sound = loud * sound + hiss
    return (0.6 * sound / np.abs(sound).max()).astype(np.float32)[:, None]


def music(seed: int, seconds: float = SECONDS) -> Sound:
    """Plucked chords and a melody with decaying partials, spread over two channels, (n, 2) at 44.1 kHz."""
    chance, rate = np.random.default_rng(seed), RATES["music"]
    sound = np.zeros((int(seconds * rate), 2))
    for beat in range(int(seconds * 4)):
        notes = [60 + chance.choice([0, 2, 4, 7, 9]) + 12 * chance.integers(2)]
        notes += [48 + root + chance.choice([0, 5, 7]) for root in (0, 4, 7)] if beat % 4 == 0 else []
        start = beat * rate // 4
        time = np.arange(min(len(sound) - start, rate * 3 // 2)) / rate
        for note in notes:
            pitch, side = 440 * 2 ** ((note - 69) / 12), chance.uniform(0.3, 0.7)
            for partial in range(1, 13):
                stretched = partial * pitch * (1 + 0.0003 * partial**2)
                if stretched < 12_000:
                    decay = np.exp(-time * (1.5 + 0.6 * partial)) * np.minimum(time / 0.004, 1)
                    wave = decay * np.sin(2 * np.pi * stretched * time + chance.uniform(0, 6)) / partial**1.2
                    sound[start : start + len(time)] += wave[:, None] * [side, 1 - side]
    sound += 2e-4 * chance.normal(size=sound.shape)  # the room
    return (0.7 * sound / np.abs(sound).max()).astype(np.float32)


@cache
def plain(kind: str) -> Sound:
    return {"speech": speech, "music": music}[kind](7)


@cache
def marked(kind: str) -> Sound:
    return MARK.embed(plain(kind), RATES[kind], PAYLOAD)


def noisy(sound: Sound, rate: int) -> tuple[Sound, int]:
    noise = np.random.default_rng(1).normal(size=sound.shape) * np.sqrt(np.mean(sound**2)) * 10 ** (-30 / 20)
    return np.clip(sound + noise, -1, 1).astype(np.float32), rate


def faster(sound: Sound, rate: int, factor: float) -> tuple[Sound, int]:
    """Played at another speed, the pitch with it: resampled by zero-padding or cutting the spectrum."""
    count = round(len(sound) / factor)
    bins = np.fft.rfft(sound, axis=0)[: count // 2 + 1]
    return np.clip(np.fft.irfft(bins, count, axis=0) * count / len(sound), -1, 1).astype(np.float32), rate


def at_16k(sound: Sound, rate: int) -> tuple[Sound, int]:
    return faster(sound, rate, rate / 16_000)[0], 16_000


def coarse(sound: Sound, rate: int) -> tuple[Sound, int]:
    """A stand-in for a lossy coder: spectra of 23 ms rounded to steps 14 dB under each neighbourhood's level."""
    size = 1024 if rate > 30_000 else 384
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size)[:, None]
    result = np.zeros_like(sound)
    for at in range(0, len(sound) - size, size // 2):
        bins = np.fft.rfft(sound[at : at + size] * window, axis=0)
        power = np.apply_along_axis(np.convolve, 0, np.abs(bins) ** 2, np.ones(9) / 9, mode="same")
        step = np.sqrt(12 * power / 2 * 10**-1.4) + 1e-9
        rounded = step * (np.round(bins.real / step) + 1j * np.round(bins.imag / step))
        result[at : at + size] += (np.fft.irfft(rounded, size, axis=0) * window).astype(np.float32)
    return np.clip(result, -1, 1), rate


def head_cut(sound: Sound, rate: int) -> tuple[Sound, int]:
    return sound[len(sound) // 3 + 137 :], rate


ATTACKS: dict[str, Callable[[Sound, int], tuple[Sound, int]]] = {
    "as written": lambda sound, rate: (sound, rate),
    "head cut off": head_cut,
    "tail cut off": lambda sound, rate: (sound[: len(sound) * 2 // 3 - 91], rate),
    "quieter": lambda sound, rate: (0.3 * sound, rate),
    "16 bits": lambda sound, rate: ((np.round(sound * 32767) / 32767).astype(np.float32), rate),
    "mixed to one channel": lambda sound, rate: (sound.mean(axis=1, keepdims=True, dtype=np.float32), rate),
    "noise at 30 dB": noisy,
    "resampled to 16 kHz": at_16k,
    "2 % faster": lambda sound, rate: faster(sound, rate, 1.02),
    "2 % slower": lambda sound, rate: faster(sound, rate, 0.98),
    "coarsely coded": coarse,
    "cut and slower": lambda sound, rate: faster(*head_cut(sound, rate), 0.985),
    "faster and noisy": lambda sound, rate: noisy(*faster(sound, rate, 1.013)),
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("kind", RATES)
def test_payload_survives(kind: str, attack: str) -> None:
    seen = MARK.detect(*ATTACKS[attack](marked(kind), RATES[kind]))
    assert seen.payload == PAYLOAD
    assert seen.p_value <= ALARM


@pytest.mark.parametrize("kind", RATES)
def test_speed_is_told(kind: str) -> None:
    assert MARK.detect(*faster(marked(kind), RATES[kind], 1.02)).speed == pytest.approx(1.02, abs=0.002)


@pytest.mark.parametrize("kind", RATES)
def test_another_key_finds_nothing(kind: str) -> None:
    for number in range(2):
        seen = AudioWatermark(bytes([number]) * 32).detect(marked(kind), RATES[kind])
        assert (seen.payload, seen.present) == (None, False)


@pytest.mark.parametrize("kind", RATES)
def test_unmarked_sound_shows_nothing(kind: str) -> None:
    sound = plain(kind)
    for piece in (sound, noisy(sound, RATES[kind])[0][: len(sound) // 2]):
        seen = MARK.detect(piece, RATES[kind])
        assert (seen.payload, seen.present) == (None, False)


def test_score_has_the_spread_that_the_bound_assumes() -> None:
    chance = np.random.default_rng(3)
    values = chance.normal(size=MARK._signs.shape).astype(np.float32) ** 3  # any values will do
    scores = np.array([AudioWatermark(number.to_bytes(4, "big"))._sync_score(values) for number in range(300)])
    assert abs(scores.mean()) < 0.25
    assert 0.85 < scores.std() < 1.15
    for limit in (1, 1.5, 2, 2.5):
        assert np.mean(scores >= limit) <= np.exp(-(limit**2) / 2)


@pytest.mark.parametrize("kind", RATES)
def test_mark_stays_under_the_sound(kind: str) -> None:
    sound, change = plain(kind), marked(kind) - plain(kind)
    assert 10 * np.log10(np.sum(sound**2) / np.sum(change**2)) >= 23.5
    assert np.all(np.abs(marked(kind)) <= 1)


def test_silence_stays_silent() -> None:
    sound = plain("speech").copy()
    sound[40_000:80_000] = 0
    change = MARK.embed(sound, RATES["speech"], PAYLOAD) - sound
    assert not change[40_400:79_600].any()
    nothing = np.zeros((160_000, 1), np.float32)
    assert not MARK.embed(nothing, 16_000, PAYLOAD).any()
    seen = MARK.detect(nothing, 16_000)
    assert (seen.payload, seen.p_value, seen.present, seen.too_short) == (None, 1.0, False, False)


def test_same_input_same_bytes_other_payload_other_bytes() -> None:
    sound = plain("speech")
    assert (
        MARK.embed(sound, 16_000, PAYLOAD).tobytes() == AudioWatermark(SECRET).embed(sound, 16_000, PAYLOAD).tobytes()
    )
    assert MARK.embed(sound, 16_000, PAYLOAD).tobytes() != MARK.embed(sound, 16_000, bytes(6)).tobytes()


def test_two_keys_share_one_sound() -> None:
    other = AudioWatermark(b"another")
    both = other.embed(marked("music"), RATES["music"], b"second")
    assert MARK.detect(both, RATES["music"]).payload == PAYLOAD
    assert other.detect(both, RATES["music"]).payload == b"second"


def test_long_sound_is_read_over_its_pieces() -> None:
    sound = MARK.embed(speech(11, 24.0), 16_000, PAYLOAD)
    seen = MARK.detect(*faster(*noisy(sound, 16_000), 1.007))
    assert seen.payload == PAYLOAD
    spliced = np.concatenate([speech(12, 8.0), sound[100_000:260_000], speech(13, 6.0)])
    assert MARK.detect(spliced, 16_000).payload == PAYLOAD


def test_too_short_is_said() -> None:
    with pytest.raises(MarkError, match="too short"):
        MARK.embed(plain("speech")[: int(16_000 * LEAST_SECONDS) - 1], 16_000, PAYLOAD)
    assert MARK.detect(plain("speech")[:40_000], 16_000).too_short
    assert not MARK.detect(plain("speech")[:60_000], 16_000).too_short


def test_wrong_arrays_and_rates_are_refused() -> None:
    with pytest.raises(UsageError, match="shape"):
        MARK.detect(plain("speech")[:, 0], 16_000)
    with pytest.raises(UsageError, match="lie in"):
        MARK.embed(3 * plain("speech"), 16_000, PAYLOAD)
    with pytest.raises(MarkError, match="8000 Hz"):
        MARK.embed(np.zeros((80_000, 1), np.float32), 8_000, PAYLOAD)


def test_label_names_scheme_and_key() -> None:
    assert MARK.label == AudioWatermark(SECRET).label != AudioWatermark(b"another").label
    assert MARK.label.startswith("cells1:")
