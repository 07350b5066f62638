# pyright: basic
"""Weights of trained networks as they are kept in a model's file."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import nn

from castalia.core.files import storage_error
from castalia.core.rounded import rounded

Bits = Literal[8, 16]


def weights_of(networks: Mapping[str, nn.Module], bits: Bits) -> dict[str, NDArray[np.generic]]:
    """The weights of all networks, under `<network>.<name>`.

    Args:
        networks: By name.
        bits: Of a weight: 16 are halves; 8 are whole numbers with a step for each output, but for biases and the like.
    """
    flat: dict[str, NDArray[np.generic]] = {}
    for name, network in networks.items():
        for key, value in network.state_dict().items():
            held, full = value.detach().contiguous().numpy(), f"{name}.{key}"
            flat |= rounded(full, held) if bits == 8 and held.ndim > 1 else {full: held.astype(np.float16)}
    return flat


def write_weights(save: Callable[[Any, Path], None], held: Mapping[str, Any], path: Path) -> None:
    """Write weights whole or not at all.

    Args:
        save: `save_file` of the kind of numbers that they are.
        held: By name.
        path: Of the file; one that is there stays until the new one is whole.

    Raises:
        StorageError: the disk is full, or the folder cannot be written.
    """
    partial = path.with_suffix(".partial")
    try:
        save(held, partial)
        os.replace(partial, path)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        full = next((number for number in (errno.ENOSPC, errno.EDQUOT) if f"os error {number}" in str(error)), None)
        if isinstance(error, OSError):
            raise storage_error(error, path) from error
        if full is not None:
            raise storage_error(OSError(full, str(error)), path) from error
        raise
