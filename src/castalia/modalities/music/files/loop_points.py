"""Where a WAV file is played round and round: chunk `smpl` (Multimedia Data Standards Update, 1994)."""

from __future__ import annotations

import struct

_MIDDLE_C = 60


def with_loop(content: bytes, samples: int, rate: int) -> bytes:
    """A WAV file with one loop over all of it.

    What is put before the sound later, as an audible label is, moves the loop with it.

    Args:
        content: The file, without such a chunk.
        samples: Of each channel.
        rate: Samples a second.
    """
    loop = struct.pack("<6I", 0, 0, 0, max(0, samples - 1), 0, 0)
    chunk = struct.pack("<9I", 0, 0, round(1e9 / rate), _MIDDLE_C, 0, 0, 0, 1, 0) + loop
    body = content[12:] + struct.pack("<4sI", b"smpl", len(chunk)) + chunk
    return struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WAVE") + body
