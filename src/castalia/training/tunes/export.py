# pyright: basic
"""Write a trained tune model: weights, counts and card for the studio."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from castalia.training.tunes.batches import Tunes
from castalia.training.tunes.network import Network
from castalia.training.weights import Bits, weights_of, write_weights


def export(members: Sequence[Network], tunes: Tunes, folder: Path, card: Mapping[str, Any], bits: Bits = 8) -> None:
    """Write `weights.safetensors` (of that many bits), `counts.npz` and `card.json` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = {str(number): member for number, member in enumerate(members)}
    write_weights(save_file, weights_of(networks, bits), folder / "weights.safetensors")
    arrays: dict[str, Any] = tunes.experts.arrays()
    np.savez_compressed(folder / "counts.npz", **arrays)
    text = json.dumps({**card, "members": len(members)}, ensure_ascii=False, indent=1)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")
