"""How much of a picture survives encoder and decoder: `python benchmarks/bench_pictures_autoencoder.py`.

    castalia models pull features     # and the collection as for bench_pictures_prompts.py

Protocol of `reconstruction_valid`: the collection's pictures that were not learned, at the model's side, through the
encoder and the decoder that the studio runs. PSNR in dB over three channels, mean over pictures; `features`: distance
of EfficientNet-Lite0's maps at five levels, each place of length one, mean square over channels and places, mean over
levels (after Zhang et al. 2018, "The unreasonable effectiveness of deep features", without their learned weights).
`bits`: entropy of the latents as whole numbers of an eighth of a deviation, by channel, over all places, divided by
pixels. In one run, the same for JPEG and WebP at the quality whose bytes come nearest to those bits, and for principal
components of the learned pictures, as many numbers a picture as the latents have, which are not rounded.

The benchmark fails (exit 1) below 30 dB.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from _report import emit
from castalia.modalities.image.draw.model import DrawingModel
from castalia.training.collections import find
from castalia.training.features import Features
from castalia.training.images.material import Material

Pixels = NDArray[np.uint8]
LEAST = 30.0


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection", default="emoji")
    parser.add_argument("--model", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = DrawingModel(chosen.model) if chosen.model else DrawingModel.default()
    material, network = Material.of(find(chosen.collection), model.network.side), Features.installed()
    real = [material.pixels[at] for at in material.valid]
    latents = [model.network.encoded(each) for each in real]
    whole = np.round(np.stack(latents) * 8).astype(np.int64)
    bits = sum(entropy(whole[..., channel]) for channel in range(whole.shape[-1])) * whole[0, ..., 0].size
    per_pixel = bits / real[0][..., 0].size
    ours = likeness(network, real, [model.network.pixels(np.float32(each / 8)) for each in whole])
    others = {kind: coded(network, real, bits, kind) for kind in ("JPEG", "WEBP")}
    learned = [material.pixels[at] for at in material.train]
    figures: dict[str, Any] = {
        "model": model.name,
        "digest": model.digest[:12],
        "pictures": len(real),
        "bits_per_pixel": round(per_pixel, 3),
        "ours": ours,
        **{kind.lower(): each for kind, each in others.items()},
        "components": likeness(network, real, projected(learned, real, whole[0].size)),
    }
    emit(
        "pictures_autoencoder", "reconstruction_valid: pictures not learned, encoder and decoder of the studio", figures
    )
    if ours["psnr"] < LEAST:
        sys.exit(1)


def entropy(values: NDArray[np.int64]) -> float:
    """Bits a value, of their own frequencies."""
    _, often = np.unique(values, return_counts=True)
    share = often / often.sum()
    return float(-(share * np.log2(share)).sum())


def likeness(network: Features, real: Sequence[Pixels], made: Sequence[Pixels]) -> dict[str, float]:
    """PSNR and the features' distance, means over pictures."""
    decibels = [psnr(a, b) for a, b in zip(real, made, strict=True)]
    far = [distance(network, a, b) for a, b in zip(real, made, strict=True)]
    return {"psnr": round(float(np.mean(decibels)), 2), "features": round(float(np.mean(far)), 4)}


def psnr(one: Pixels, other: Pixels) -> float:
    """DB."""
    return float(10 * np.log10(255**2 / max(np.mean((one.astype(float) - other) ** 2), 1e-9)))


@torch.no_grad()
def distance(network: Features, one: Pixels, other: Pixels) -> float:
    """See the module."""
    both = torch.from_numpy(np.stack([one, other])).permute(0, 3, 1, 2).float() / 127.5 - 1
    levels = [each / each.norm(dim=1, keepdim=True).clamp_min(1e-6) for each in network.levels(both)]
    return float(np.mean([float((each[0] - each[1]).square().sum(0).mean()) for each in levels]))


def coded(network: Features, real: Sequence[Pixels], bits: float, kind: str) -> dict[str, float]:
    """A format of files at about as many bits a picture."""
    sizes: list[float] = []
    made: list[Pixels] = []
    for each in real:
        picture = Image.fromarray(each)
        tried = [_bytes(picture, kind, quality) for quality in range(1, 96, 3)]
        best = min(tried, key=lambda held: abs(len(held) * 8 - bits))
        sizes.append(len(best) * 8 / each[..., 0].size)
        made.append(np.array(Image.open(io.BytesIO(best)).convert("RGB")))
    return {"bits_per_pixel": round(float(np.mean(sizes)), 3), **likeness(network, real, made)}


def _bytes(picture: Image.Image, kind: str, quality: int) -> bytes:
    held = io.BytesIO()
    picture.save(held, kind, quality=quality)
    return held.getvalue()


def projected(learned: Sequence[Pixels], real: Sequence[Pixels], count: int) -> list[Pixels]:
    """Pictures as sums of the principal components of the learned ones, at most `count`."""
    known = np.stack([each.ravel() for each in learned]).astype(np.float32)
    mean = known.mean(0)
    _, _, directions = np.linalg.svd(known - mean, full_matrices=False)
    kept = directions[:count]
    codes = (np.stack([each.ravel() for each in real]) - mean) @ kept.T
    return [np.clip(np.round(each), 0, 255).astype(np.uint8).reshape(real[0].shape) for each in codes @ kept + mean]


if __name__ == "__main__":
    main()
