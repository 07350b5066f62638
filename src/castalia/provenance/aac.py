"""AAC in M4A files, decoded and encoded by the ffmpeg that the user has installed.

A program of its own, because no wheel with a free licence encodes AAC; it reads files alone, never an address.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from castalia.provenance.embed.face import MalformedError

_PATIENCE = 60
"""Seconds; a quarter of an hour of sound takes about ten."""
_MOST = 300_000_000
"""Bytes of decoded sound."""


@cache
def available() -> bool:
    """Whether there is an ffmpeg."""
    return shutil.which("ffmpeg") is not None


def decoded(content: bytes) -> bytes:
    """The first sound track of an M4A file as WAV of 32-bit floats.

    Raises:
        MalformedError: it cannot be decoded.
    """
    return _run(content, "mov", "out.wav", "-map", "0:a:0", "-c:a", "pcm_f32le", "-fs", str(_MOST))


def encoded(wave: bytes, bits: float) -> bytes:
    """A WAV file as M4A.

    Args:
        wave: The file.
        bits: Of the result, per second.

    Raises:
        MalformedError: it cannot be encoded.
    """
    rate = min(320_000, max(48_000, round(bits)))
    return _run(wave, "wav", "out.m4a", "-c:a", "aac", "-b:a", str(rate), "-f", "ipod", "-movflags", "+faststart")


def _run(content: bytes, form: str, target: str, *options: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in").write_bytes(content)
        quiet = ("ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-bitexact", "-protocol_whitelist", "file")
        try:
            done = subprocess.run(
                [*quiet, "-f", form, "-i", "in", *options, "-map_metadata", "-1", "-fflags", "+bitexact", target],
                cwd=folder,
                capture_output=True,
                check=False,
                timeout=_PATIENCE,
            )
            if done.returncode == 0:
                return Path(folder, target).read_bytes()
            why = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        except (subprocess.SubprocessError, OSError) as error:
            why = [str(error)]
    raise MalformedError(f"a sound that ffmpeg does not take ({''.join(why)[:200]})")
