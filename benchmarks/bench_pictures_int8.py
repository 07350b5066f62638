"""What fewer bits a weight cost a picture model.

    castalia models pull features
    castalia train image --collection NAME --out FOLDER
    python benchmarks/bench_pictures_int8.py --run FOLDER --collection NAME

The weights of a finished run's stages, in single precision, are drawn with as they are, as halves and as 8 bits, by the
studio's own engine. 64 captions of learned pictures are spread evenly over the collection; each is drawn from its
words alone, without chance.

Protocol: `psnr` is that of a picture against the one of single precision, mean and least, levels of 255; `features`
the `unlikeness` of both (EfficientNet-Lite0). `kernel` is the distance of the 64 drawn from the 64 learned pictures
themselves; `floor` that of 64 others. `seconds`: median of a picture, by the
processor's clock, one thread; all three compute in single precision, so that only loading differs (`load`). `bytes` of
the file.

The benchmark fails (exit 1) where 8 bits are below 30 dB.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from _report import emit
from castalia.core.rounded import restored, rounded
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.draw.network import Network
from castalia.training import find
from castalia.training.feature_distance import kernel
from castalia.training.features import Features, features_of, unlikeness
from castalia.training.images.autoencode import tensor
from castalia.training.images.material import Material

COUNT, LEAST = 64, 30.0
"""Pictures; dB."""
BITS = (32, 16, 8)
Weights = Mapping[str, NDArray[Any]]


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--collection", required=True)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model, seen = DrawingModel(chosen.run), Features.installed()
    material = Material.of(find(chosen.collection), model.network.side)
    evenly = [int(at) for at in np.linspace(0, model.count - 2, COUNT)]
    whole = trained(chosen.run)
    figures: dict[str, Any] = {}
    drawn: dict[int, list[NDArray[np.uint8]]] = {}
    real, others = (
        features_of(seen, [material.pixels[material.train[at + far]] for at in evenly], side=128) for far in (0, 1)
    )
    for bits in BITS:
        size, load, network = kept(whole, bits, model.card["recipe"]["size"])
        drawn[bits], taken = made(network, [model.taught(at) for at in evenly])
        far = [psnr(*pair) for pair in zip(drawn[BITS[0]], drawn[bits], strict=True)]
        with torch.no_grad():
            unlike = unlikeness(seen, tensor(np.stack(drawn[bits])), tensor(np.stack(drawn[BITS[0]])))
        figures[str(bits)] = {
            "bytes": size,
            "load": round(load, 3),
            "seconds": round(taken, 4),
            "psnr_mean": round(float(np.mean(far)), 2) if bits != BITS[0] else None,
            "psnr_least": round(min(far), 2) if bits != BITS[0] else None,
            "features": round(float(unlike), 5),
            "kernel": round(kernel(real, features_of(seen, drawn[bits], side=128)), 2),
        }
    about = {"model": model.name, "digest": model.digest[:12], "pictures": COUNT}
    figures["floor"] = {"kernel": round(kernel(real, others), 2)}
    emit("pictures_int8", "64 learned captions, drawn without chance; against single precision", {**about, **figures})
    if figures["8"]["psnr_mean"] < LEAST:
        sys.exit(1)


def trained(run: Path) -> Weights:
    """The weights of a finished run as they were trained, by the names of an exported model."""
    stages = {name: load_file(run / f"{name}.safetensors") for name in ("autoencoder", "generator", "decoder")}
    found: dict[str, NDArray[Any]] = {}
    for stage, inside, name in (
        ("autoencoder", "mean/encoder.", "encoder."),
        ("decoder", "mean/", "decoder."),
        ("generator", "mean/", "generator."),
    ):
        held = stages[stage]
        found |= {name + key.removeprefix(inside): held[key] for key in held if key.startswith(inside)}
    model = load_file(run / "weights.safetensors")
    return found | {name: model[name] for name in ("mean", "deviation")}


def kept(whole: Weights, bits: int, size: Mapping[str, int]) -> tuple[int, float, Network]:
    """(bytes of the file, seconds of loading it, what draws)."""
    held: dict[str, NDArray[Any]] = {}
    for name, value in whole.items():
        if bits == 8 and value.ndim > 1:
            held |= rounded(name, value)
        else:
            held[name] = value if bits == 32 or name in ("mean", "deviation") else value.astype(np.float16)
    with tempfile.TemporaryDirectory() as folder:
        save_file(held, path := Path(folder) / "weights.safetensors")
        began = time.process_time()
        network = Network(restored(load_file(path)), size)
        return path.stat().st_size, time.process_time() - began, network


def made(network: Network, asked: Sequence[Sequence[int]]) -> tuple[list[NDArray[np.uint8]], float]:
    """Pictures, and the median of the seconds that each took."""
    found: list[NDArray[np.uint8]] = []
    taken: list[float] = []
    for words in asked:
        began = time.process_time()
        found.append(network.pixels(network.latents(words, network.meant(words))))
        taken.append(time.process_time() - began)
    return found, float(np.median(taken))


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """In dB."""
    return float(10 * np.log10(255**2 / max(float(np.mean((one.astype(float) - other) ** 2)), 1e-9)))


if __name__ == "__main__":
    main()
