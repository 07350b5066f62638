"""Forty-eight bits of payload, coded to survive a noisy channel: shared by the marks of pictures and of sound.

A checksum of eight bits (CRC-8, polynomial 0x2F of AUTOSAR) follows the payload, and the 56 bits go through a
tail-biting convolutional code of rate 1/3 and constraint length 9, generators 557, 663, 711 octal, free distance 18
(Larsen 1973, "Short convolutional codes with maximal free distance for rates 1/2, 1/3 and 1/4", table II): 168 code
bits. Tail biting spends no bits on closing the trellis, which at this length is 14 % of the energy. The decoder is the
Viterbi algorithm run round the ring (Shao, Lin and Fossorier 2003, "Two decoding algorithms for tailbiting codes"); of
the likeliest closed paths it takes the first whose checksum is right.

**What a correlation proves.** Give each code bit a sign that depends on the key and on nothing in the picture or sound
(`signs`), and multiply the measured values by those signs before `decode`. Under a key that the content was not marked
with, the correlation with any one code word is a sum of the measured values under independent random signs, and
Hoeffding's inequality (1963, theorem 2) bounds it whatever those values are: P(z ≥ t) ≤ exp(-t²/2), where z is the
correlation over the Euclidean norm of the values. Summed over all 2⁴⁸ code words and over everything else that was
tried (positions, sizes, angles), that is `Reading.chance`. Nothing is assumed about pictures or sounds, only that the
signs of a keyed hash look random. Each copy of a code bit needs a sign of its own; z is at most the square root of the
number of values, so that many copies with a little energy each prove more than few with much.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

PAYLOAD_BYTES = 6
INFORMATION_BITS = 8 * PAYLOAD_BYTES + 8
"""Payload and checksum."""
RATE = 3
"""Code bits an information bit."""
CODE_BITS = RATE * INFORMATION_BITS

_GENERATORS = (0o557, 0o663, 0o711)
_MEMORY = 8
_STATES = 1 << _MEMORY
_CRC = 0x2F
_LIST = 16
"""End states whose paths are traced back and tried against the checksum."""

_TAPS = np.array([[generator >> (_MEMORY - delay) & 1 for delay in range(_MEMORY + 1)] for generator in _GENERATORS])
_WINDOW = (np.arange(INFORMATION_BITS) - np.arange(_MEMORY + 1)[:, None]) % INFORMATION_BITS
"""Which information bits are in the register at each step, (9, information bits), newest first."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """The likeliest code word for a row of measured values."""

    payload: bytes
    """Six bytes."""
    intact: bool
    """Whether the checksum is right; a payload without it must not be handed on."""
    score: float
    """z: correlation of the values with the code word over their norm; noise alone stays near 0 for any one word."""
    agreement: float
    """Share of code bits, copies summed, whose sign the values have right."""

    def chance(self, tried: int) -> float:
        """Upper bound of the chance to see this score, under a wrong key, in any of `tried` sets of values."""
        words = 8 * PAYLOAD_BYTES if self.intact else INFORMATION_BITS
        return math.exp(min(0.0, words * math.log(2) + math.log(tried) - self.score**2 / 2))


def least_score(chance: float, tried: int) -> float:
    """The score from which on `Reading.chance` of an intact payload is at most this."""
    return math.sqrt(2 * (8 * PAYLOAD_BYTES * math.log(2) + math.log(tried) - math.log(chance)))


def encode(payload: bytes) -> Floats:
    """Code bits of six bytes as ±1, shape (168,); bit 0 is +1."""
    if len(payload) != PAYLOAD_BYTES:
        raise ValueError(f"the payload has {PAYLOAD_BYTES} bytes, not {len(payload)}")
    checked = np.frombuffer(payload + bytes([_checksum(payload)]), np.uint8)
    return _convolve(np.unpackbits(checked))


def decode(soft: NDArray[np.float32] | NDArray[np.float64]) -> Reading:
    """Likeliest payload of measured code bits.

    Args:
        soft: Copies of the code word, shape (168,) or (copies, 168), positive for bit 0; the scale does not matter, the
            ratios should be likelihood ratios. A value of 0 is a bit that was lost.
    """
    copies = np.atleast_2d(soft.astype(np.float32))
    if copies.shape[1:] != (CODE_BITS,):
        raise ValueError(f"rows of {CODE_BITS} values are needed, not an array of shape {copies.shape}")
    values = copies.sum(axis=0)
    best: tuple[bool, float, NDArray[np.uint8]] | None = None
    for bits in _closed_paths(values.reshape(INFORMATION_BITS, RATE)):
        candidate = (_intact(bits), score(copies, _convolve(bits)), bits)
        if best is None or candidate[:2] > best[:2]:
            best = candidate
    assert best is not None
    intact, highest, bits = best
    agreement = int(np.count_nonzero(values * _convolve(bits) > 0)) / CODE_BITS
    return Reading(np.packbits(bits)[:PAYLOAD_BYTES].tobytes(), intact, highest, agreement)


def score(copies: Floats, word: Floats) -> float:
    """Correlation of measured values, (copies, 168), with one code word over their norm (see `Reading.score`)."""
    return float(copies.sum(axis=0) @ word) / (float(np.linalg.norm(copies)) or 1.0)


def signs(secret: bytes, purpose: str, count: int) -> Floats:
    """Keyed ±1, shape (count,): SHAKE-256 over the secret and the purpose."""
    digest = hashlib.shake_256(len(secret).to_bytes(4, "big") + secret + purpose.encode()).digest(-(-count // 8))
    return (1 - 2 * np.unpackbits(np.frombuffer(digest, np.uint8))[:count].astype(np.float32)).astype(np.float32)


def _checksum(payload: bytes) -> int:
    register = 0xFF
    for byte in payload:
        register ^= byte
        for _ in range(8):
            register = ((register << 1) ^ (_CRC if register & 0x80 else 0)) & 0xFF
    return register ^ 0xFF


def _intact(bits: NDArray[np.uint8]) -> bool:
    packed = np.packbits(bits).tobytes()
    return _checksum(packed[:PAYLOAD_BYTES]) == packed[PAYLOAD_BYTES]


def _convolve(bits: NDArray[np.uint8]) -> Floats:
    """Tail-biting code word as ±1, shape (168,): the register starts with the last bits."""
    parity = (_TAPS @ bits[_WINDOW].astype(np.int64)) & 1  # (3, information bits)
    return (1 - 2 * parity.T.reshape(-1)).astype(np.float32)


@cache
def _trellis() -> tuple[NDArray[np.intp], Floats]:
    """Predecessors (states, 2) and the code bits as ±1 of the steps from them (states, 2, 3).

    A state holds the last eight bits, the newest in its highest place; a step shifts right and brings a new bit in.
    """
    state = np.arange(_STATES)
    before = np.stack([(state << 1) & (_STATES - 1), (state << 1) & (_STATES - 1) | 1], axis=1)
    register = (state >> (_MEMORY - 1))[:, None] << _MEMORY | before  # nine bits, newest highest
    parity = np.stack([_odd(register & generator) for generator in _GENERATORS], axis=-1)
    return before, (1 - 2 * parity).astype(np.float32)


def _odd(values: NDArray[np.intp]) -> NDArray[np.intp]:
    """Parity of the bits of each number below 512."""
    for shift in (8, 4, 2, 1):
        values = values ^ values >> shift
    return values & 1


def _closed_paths(values: Floats) -> list[NDArray[np.uint8]]:
    """Information bits of the likeliest paths round the ring, (information bits,) each.

    Three rounds: the first finds the weights with which the second may start, so that what the start was forgotten;
    the bits are traced back over the third round's end, one ring length long.
    """
    before, code = _trellis()
    gains = np.einsum("tr,spr->tsp", values, code)  # (information bits, states, 2)
    weight = np.zeros(_STATES, np.float32)
    choices = np.empty((3 * INFORMATION_BITS, _STATES), np.int8)
    every = np.arange(_STATES)
    for step in range(3 * INFORMATION_BITS):
        options = weight[before] + gains[step % INFORMATION_BITS]
        choice = options[:, 1] > options[:, 0]
        choices[step] = choice
        weight = options[every, choice.astype(np.intp)]
    paths: list[NDArray[np.uint8]] = []
    for state in np.argsort(-weight, kind="stable")[:_LIST]:
        bits = np.empty(INFORMATION_BITS, np.uint8)
        for back in range(INFORMATION_BITS):
            bits[INFORMATION_BITS - 1 - back] = state >> (_MEMORY - 1)
            state = before[state, choices[3 * INFORMATION_BITS - 1 - back, state]]  # noqa: PLW2901
        paths.append(bits)
    return paths
