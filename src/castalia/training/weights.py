# pyright: basic
"""Weights of trained networks as they are kept in a model's file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import nn

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
