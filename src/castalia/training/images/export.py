# pyright: basic
"""Write a trained picture model for the studio: weights, words, thumbnails of what it learned, and its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from castalia.core.files import write_atomic
from castalia.modalities.image.draw.layers import ROUNDED, STEP
from castalia.training.images.captions import filled
from castalia.training.images.generate import Latents
from castalia.training.images.material import Material

THUMBNAIL = 8
"""Pixels a side of what is kept of each picture that was learned."""


def export(
    networks: Mapping[str, nn.Module], latents: Latents, material: Material, folder: Path, card: Mapping[str, Any],
    *, bits: int,
) -> None:  # fmt: skip
    """Write `weights.safetensors`, `words.json`, `learned.npz` and `card.json` into a folder.

    Args:
        networks: `encoder`, `decoder` and `generator`.
        latents: Their mean and deviation belong to the model.
        material: What was learned: words, and thumbnails of the pictures.
        folder: Of the model.
        card: What it is.
        bits: Of a weight: 16 are halves, 8 are whole numbers with a step for each output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    flat: dict[str, Tensor] = {"mean": latents.mean, "deviation": latents.deviation}
    for name, network in networks.items():
        for key, value in network.state_dict().items():
            flat |= rounded(f"{name}.{key}", value) if bits == 8 and value.ndim > 1 else {f"{name}.{key}": value.half()}
    save_file({name: value.contiguous() for name, value in flat.items()}, folder / "weights.safetensors")
    vocabulary = material.captions.vocabulary
    words = {"words": list(vocabulary.words), "aliases": {key: list(each) for key, each in vocabulary.aliases.items()}}
    write_atomic(folder / "words.json", json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode())
    learned: dict[str, Any] = {
        "names": np.array([material.names[at] for at in material.train]),
        "thumbnails": np.stack([thumbnail(material.pixels[at]) for at in material.train]),
        "words": filled([material.captions.whole(at) for at in material.train]).astype(np.uint16),
    }
    np.savez_compressed(folder / "learned.npz", **learned)
    _write(folder, card)


def add_to_card(folder: Path, more: Mapping[str, Any]) -> None:
    """Add to the card of an exported model what can only be found with it."""
    _write(folder, json.loads((folder / "card.json").read_text(encoding="utf-8")) | more)


def _write(folder: Path, card: Mapping[str, Any]) -> None:
    text = json.dumps(card, ensure_ascii=False, indent=1)
    write_atomic(folder / "card.json", (text + "\n").encode())


def rounded(name: str, weight: Tensor) -> dict[str, Tensor]:
    """A weight (out, …) as whole numbers of 8 bits and the step of each output, so that the largest is 127 steps."""
    flat = weight.flatten(1)
    step = (flat.abs().amax(1) / 127).clamp_min(1e-8)
    whole = (flat / step[:, None]).round().to(torch.int8).view(weight.shape)
    return {name + ROUNDED: whole, name + STEP: step.float()}


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(THUMBNAIL, THUMBNAIL, 3), means of fields."""
    return np.array(Image.fromarray(pixels).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX))
