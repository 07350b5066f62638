"""One checkpoint file, safetensors or GGUF, as a picture engine: stable-diffusion.cpp in a process of its own."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.engines.drawing_process import DrawingProcess

KINDS = (".safetensors", ".gguf")
"""What is read; a `.ckpt` is a pickle, and is not."""
_MOST_HEADER = 100_000_000
"""Bytes, by the format's own rule."""


def open_checkpoint(
    path: Path,
    *,
    digest: Callable[[], str],
    side: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    progress: Progress | None = None,
) -> DrawingProcess:
    """A picture engine over one file; see `DrawingProcess`.

    Args:
        path: The file. A damaged one that looks whole ends the process alone.
        digest: Makes its SHA-256 when it is wanted.
        side: Pixels a side; 0 takes 512.
        steps: Of denoising; 0 takes 20.
        guidance: How closely it keeps to the words; None takes 7.
        progress: Told after each step.

    Raises:
        UsageError: it is damaged, or no such file.
    """
    _check(path)
    return DrawingProcess(
        "castalia.engines.checkpoint_worker",
        path.resolve(),
        digest=digest,
        install="pip install 'castalia[sd]'",
        side=side,
        steps=steps,
        guidance=guidance,
        progress=progress,
    )


def _check(path: Path) -> None:
    """That a GGUF file begins as one, and a safetensors file is whole: every tensor lies in it."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            if path.suffix.lower() == ".gguf":
                if stream.read(4) != b"GGUF":
                    raise ValueError(say("it is no GGUF file", "不是 GGUF 文件"))
                return
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > min(_MOST_HEADER, size):
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(stream.read(length))
        ends = [int(each["data_offsets"][1]) for name, each in header.items() if name != "__metadata__"]
        if not ends or max(ends) + 8 + length > size:
            raise ValueError(say("it is cut off", "文件不完整"))
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, struct.error, RecursionError) as why:
        raise UsageError(
            say("{path} is no usable checkpoint: {why}.", "{path} 不是可用的检查点：{why}。", path=path, why=why),
            hint=say("Fetch it again.", "请重新获取。"),
        ) from why
