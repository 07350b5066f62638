# pyright: basic
"""Write a trained picture model for the studio: weights, words, thumbnails of what it learned, and its card."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from torch import nn

from castalia.core.files import write_atomic
from castalia.modalities.image.draw.outline import outline
from castalia.training.images.captions import filled
from castalia.training.images.generate import Latents
from castalia.training.images.material import Material
from castalia.training.weights import Bits, weights_of, write_weights

THUMBNAIL, SHOWN = 8, 32
"""Pixels a side of what is kept of each picture that was learned: to compare with, and to show."""


def export(
    networks: Mapping[str, nn.Module], latents: Latents, material: Material, folder: Path, card: Mapping[str, Any],
    *, bits: Bits,
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
    own = {"mean": latents.mean.numpy(), "deviation": latents.deviation.numpy()}
    write_weights(save_file, own | weights_of(networks, bits), folder / "weights.safetensors")
    vocabulary = material.captions.vocabulary
    words = {"words": list(vocabulary.words), "aliases": {key: list(each) for key, each in vocabulary.aliases.items()}}
    write_atomic(folder / "words.json", json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode())
    files = [in_small(material.pixels[at]) for at in material.train]
    learned: dict[str, Any] = {
        "names": np.array([material.names[at] for at in material.train]),
        "thumbnails": np.stack([thumbnail(material.pixels[at]) for at in material.train]),
        "outlines": np.stack([np.rint(255 * outline(material.pixels[at])) for at in material.train]).astype(np.uint8),
        "files": np.frombuffer(b"".join(files), np.uint8),
        "ends": np.cumsum([len(each) for each in files]).astype(np.uint32),
        "words": filled([material.captions.whole(at) for at in material.train]).astype(np.uint16),
        "tags": filled([material.captions.tags_of(at) for at in material.train]).astype(np.uint16),
    }
    np.savez_compressed(folder / "learned.npz", **learned)
    _write(folder, card)


def add_to_card(folder: Path, more: Mapping[str, Any]) -> None:
    """Add to the card of an exported model what can only be found with it."""
    _write(folder, json.loads((folder / "card.json").read_text(encoding="utf-8")) | more)


def _write(folder: Path, card: Mapping[str, Any]) -> None:
    text = json.dumps(card, ensure_ascii=False, indent=1)
    write_atomic(folder / "card.json", (text + "\n").encode())


def in_small(pixels: NDArray[np.uint8]) -> bytes:
    """A picture of SHOWN pixels a side as WebP, a third of a kilobyte of an emoji."""
    stream = io.BytesIO()
    small = Image.fromarray(pixels).resize((SHOWN, SHOWN), Image.Resampling.LANCZOS)
    small.save(stream, "WEBP", quality=70, method=6)
    return stream.getvalue()


def thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(THUMBNAIL, THUMBNAIL, 3), means of fields."""
    return np.array(Image.fromarray(pixels).resize((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX))
