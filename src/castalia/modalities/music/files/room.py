"""A small hall: what plays sounds in a room and not in a cupboard."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_SEED = 1750
_DECAY = 1.5
"""Seconds until the echo is 60 dB down."""
_DELAY = 0.018
"""Seconds before it begins."""
_SHARE = 0.13
"""Energy of the echo to that of the sound, for noise."""
_BLOCK = 1 << 17


def in_hall(sound: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """The sound with its echo, as long as before.

    Args:
        sound: (samples, 2).
        rate: Samples a second.
    """
    echo = _echo(rate)
    size = 1 << int(np.ceil(np.log2(_BLOCK + len(echo))))
    made = sound.copy()
    for channel in range(sound.shape[1]):
        answer = np.fft.rfft(echo[:, channel % echo.shape[1]], size)
        for start in range(0, len(sound), _BLOCK):
            block = sound[start : start + _BLOCK, channel]
            if not block.any():
                continue
            heard = np.fft.irfft(np.fft.rfft(block, size) * answer, size)[: len(block) + len(echo)]
            end = min(len(sound), start + len(heard))
            made[start:end, channel] += heard[: end - start].astype(np.float32)
    return made


def _echo(rate: int) -> NDArray[np.float64]:
    """(samples, 2): noise that dies away, the high of it sooner, after Moorer, "About This Reverberation Business"."""
    count = int(rate * (_DECAY + _DELAY))
    chance = np.random.default_rng(_SEED)
    noise = chance.standard_normal((count, 2))
    time = np.arange(count) / rate
    dark = np.empty_like(noise)
    smooth = np.hanning(max(3, rate // 4000 * 2 + 1))
    for channel in range(2):
        dark[:, channel] = np.convolve(noise[:, channel], smooth / smooth.sum(), "same")
    mixed = noise * 10 ** (-3 * time / (_DECAY * 0.35))[:, None] * 0.35 + dark * 10 ** (-3 * time / _DECAY)[:, None]
    mixed[: int(rate * _DELAY)] = 0
    rise = np.clip((time - _DELAY) / 0.01, 0, 1)[:, None]
    mixed = mixed * rise
    return mixed * np.sqrt(_SHARE / (mixed**2).sum(axis=0))
