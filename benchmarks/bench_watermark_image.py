"""Whether the picture's watermark is read after attacks: `python benchmarks/bench_watermark_image.py FOLDER`.

FOLDER has `photographs/` and `artwork/` with pictures of any size; each is cut to a square of 512 pixels. The figures
kept beside this file used 8 photographs shipped by scikit-image and scikit-learn and 24 of Debian's mate-backgrounds,
gnome-backgrounds and plasma-workspace-wallpapers; and 24 drawings on white: 14 emoji of the npm package
`@iconify-json/noto`, 8 clip arts of Debian's `openclipart-svg`, and two pages of music drawn by Verovio. On the
8 photographs and 6 of the emoji the constants were chosen.

Protocol: 48 bits, one key, one random payload a picture. An attack is survived when the payload is read with a
chance of a false alarm of at most 1e-6; where nothing is read, the bit accuracy counts .5. Half size is Lanczos, the
crop takes a tenth from each side, the turn is 2° bicubic, noise has a deviation of 8 levels, blur is Gaussian of
radius 1.5. Pairs are all ordered pairs of different attacks. False alarms: turned, scaled and cut pieces of the same
pictures, unmarked; also marked pictures under another key. Milliseconds are processor time of one thread.

`--anchor PYTHON` names an interpreter that has invisible-watermark 0.2, onnxruntime and OpenCV (no torch is needed):
its dwtDct (48 bits) and RivaGAN (32 bits, its most) are attacked in the same way, on fewer pictures; they have
no check of their own, so that their payload counts as read when every bit is right.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

if TYPE_CHECKING:
    from castalia.provenance.watermarks.image import ImageWatermark

Pixels = NDArray[np.uint8]

SIDE, BITS, UNMARKED = 512, 48, 10_000
EVERY = {"pairs": 6, "sizes": 6, "dwtDct": 8, "rivaGan": 16}
"""Only every so-manieth picture, for the time it takes."""
PARTS = ("attacks", "pairs", "sizes", "unmarked", "dwtDct", "rivaGan")
KINDS = ("photographs", "artwork")
SIZES = (128, 192, 256, 1024, 2000)


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        _anchor_worker(Path(sys.argv[2]))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--anchor", help="interpreter with invisible-watermark")
    parser.add_argument("--unmarked", type=int, default=UNMARKED, help="pieces to look at")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop looking at unmarked pieces after so long")
    parser.add_argument("--only", choices=[*PARTS, "report"], action="append", help="report: nothing new")
    asked = parser.parse_args()
    pictures = {kind: [square(path) for path in sorted((asked.folder / kind).iterdir())] for kind in KINDS}
    parts: dict[str, Callable[[], Any]] = {
        "attacks": lambda: {kind: _attacked(pictures[kind], {name: [name] for name in ATTACKS}) for kind in KINDS},
        "pairs": lambda: {kind: _attacked(pictures[kind][:: EVERY["pairs"]], PAIRS) for kind in KINDS},
        "sizes": lambda: {kind: _sizes(pictures[kind][:: EVERY["sizes"]]) for kind in KINDS},
        "unmarked": lambda: _unmarked(list(itertools.chain(*pictures.values())), asked.unmarked, asked.seconds),
        "dwtDct": lambda: {kind: _anchored(asked.anchor, "dwtDct", BITS, pictures[kind]) for kind in KINDS},
        "rivaGan": lambda: {kind: _anchored(asked.anchor, "rivaGan", 32, pictures[kind]) for kind in KINDS},
    }
    from _report import STATE, emit  # the worker's interpreter has no Castalia

    STATE.mkdir(exist_ok=True)
    wanted = asked.only or (PARTS if asked.anchor else PARTS[:4])
    for name in [each for each in PARTS if each in wanted]:
        kept = STATE / f"watermark_image_{name}.json"
        kept.write_text(json.dumps(parts[name]()), encoding="utf-8")
    found = {name: STATE / f"watermark_image_{name}.json" for name in parts}
    counts = ", ".join(f"{len(pictures[kind])} {kind}" for kind in KINDS)
    emit(
        "watermark_image",
        f"{counts}, {SIDE} pixels square, {BITS} bits, p <= 1e-6",
        {name: json.loads(path.read_text(encoding="utf-8")) for name, path in found.items() if path.is_file()},
    )


# ------------------------------------------------------------ attacks


def _saved(picture: Pixels, kind: str, quality: int) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind, quality=quality)
    return np.asarray(Image.open(file).convert("RGB"))


def _half(picture: Pixels) -> Pixels:
    size = (picture.shape[1] // 2, picture.shape[0] // 2)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _cropped(picture: Pixels) -> Pixels:
    down, across = round(picture.shape[0] / 10), round(picture.shape[1] / 10)
    return picture[down:-down, across:-across]


def _turned(picture: Pixels, *, expand: bool = False) -> Pixels:
    return np.asarray(Image.fromarray(picture).rotate(2, Image.Resampling.BICUBIC, expand=expand))


def _scaled(picture: Pixels, factor: float) -> Pixels:
    return np.clip(np.rint(picture * factor), 0, 255).astype(np.uint8)


def _noisy(picture: Pixels) -> Pixels:
    noise = np.random.default_rng(1).normal(0, 8, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def _blurred(picture: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(1.5)))


ATTACKS: dict[str, Callable[[Pixels], Pixels]] = {
    "none": lambda picture: picture,
    "jpeg50": lambda picture: _saved(picture, "JPEG", 50),
    "half": _half,
    "crop10": _cropped,
    "turn2": _turned,
    "turn2_expand": lambda picture: _turned(picture, expand=True),
    "brighter20": lambda picture: _scaled(picture, 1.2),
    "darker20": lambda picture: _scaled(picture, 0.8),
    "noise8": _noisy,
    "blur1.5": _blurred,
    "webp60": lambda picture: _saved(picture, "WEBP", 60),
}
EIGHT = ("jpeg50", "half", "crop10", "turn2", "brighter20", "noise8", "blur1.5", "webp60")
PAIRS = {f"{first}+{second}": [first, second] for first, second in itertools.permutations(EIGHT, 2)}


def _attack(picture: Pixels, names: Sequence[str]) -> Pixels:
    for name in names:
        picture = ATTACKS[name](picture)
    return picture


# ------------------------------------------------------------ ours


def _mark() -> ImageWatermark:
    from castalia.provenance.watermarks.image import ImageWatermark

    return ImageWatermark(b"benchmark of the image watermark")


def _attacked(pictures: Sequence[Pixels], attacks: dict[str, list[str]]) -> dict[str, Any]:
    """Embed in each picture, attack, detect."""
    from _report import interval
    from castalia.core.errors import MarkError

    mark = _mark()
    read: dict[str, list[bool]] = {name: [] for name in attacks}
    bits: dict[str, list[float]] = {name: [] for name in attacks}
    embed, detect, decibels, refused, wrong = [], [], [], 0, 0
    for number, picture in enumerate(pictures):
        payload = np.random.default_rng(number).bytes(BITS // 8)
        start = time.process_time()
        try:
            marked = mark.embed(picture, payload)
        except MarkError:  # counts as lost under every attack
            refused += 1
            for name in attacks:
                read[name].append(False)
                bits[name].append(0.5)
            continue
        embed.append(time.process_time() - start)
        decibels.append(_psnr(picture, marked))
        for name, steps in attacks.items():
            changed = _attack(marked, steps)
            start = time.process_time()
            found = mark.detect(changed)
            detect.append(time.process_time() - start)
            read[name].append(found.payload == payload)
            bits[name].append(_agreeing(found.payload, payload))
            wrong += found.payload not in (None, payload)
    return {
        "pictures": len(pictures),
        "refused": refused,
        "wrong_payloads": wrong,
        "psnr_mean_min": [round(statistics.mean(decibels), 2), round(min(decibels), 2)],
        "embed_ms_median": round(1000 * statistics.median(embed)),
        "detect_ms_median_p95": [round(1000 * float(np.quantile(detect, share))) for share in (0.5, 0.95)],
        "read_all": interval(sum(map(sum, read.values())), sum(map(len, read.values()))),
        "read": {name: interval(sum(each), len(each)) for name, each in read.items()},
        "bit_accuracy": {name: round(statistics.mean(each), 4) for name, each in bits.items()},
    }


def _psnr(picture: Pixels, marked: Pixels) -> float:
    return float(10 * np.log10(255**2 / np.mean((marked.astype(np.float64) - picture) ** 2)))


def _agreeing(found: bytes | None, payload: bytes) -> float:
    if found is None:
        return 0.5
    return 1 - (int.from_bytes(found) ^ int.from_bytes(payload)).bit_count() / BITS


def _sizes(pictures: Sequence[Pixels]) -> dict[str, Any]:
    return {
        str(size): _attacked(
            [np.asarray(Image.fromarray(each).resize((size, size), Image.Resampling.LANCZOS)) for each in pictures],
            {name: [name] for name in ATTACKS},
        )
        for size in SIZES
    }


def _unmarked(pictures: Sequence[Pixels], count: int, seconds: float) -> dict[str, Any]:
    """Pieces without the mark, and marked pictures under another key."""
    from castalia.provenance.watermarks.image import ImageWatermark

    mark, chance = _mark(), np.random.default_rng(7)
    values: list[float] = []
    start = time.monotonic()
    for number in range(count):
        if time.monotonic() - start > seconds:
            break
        picture = Image.fromarray(pictures[number % len(pictures)]).rotate(chance.uniform(-20, 20), expand=False)
        left, top = chance.integers(0, 200, 2)
        side, size = chance.integers(200, 312), int(chance.integers(128, 400))
        piece = picture.crop((left, top, left + side, top + side)).resize((size, size))
        if number % 3 == 0:
            piece = ImageOps.mirror(piece)
        values.append(mark.detect(np.asarray(piece)).p_value)
    other = ImageWatermark(b"another key")
    strange = [mark.detect(other.embed(each, b"others")) for each in pictures[::8]]
    return {
        "pieces": len(values),
        "false_alarms": sum(value <= 1e-6 for value in values),
        "upper_bound_95": round(3 / len(values), 6),
        "smallest_p_value": min(values),
        "below_0.01": sum(value <= 0.01 for value in values),
        "other_key": len(strange),
        "other_key_false_alarms": sum(each.p_value <= 1e-6 for each in strange),
        "theory": "p <= 1e-6 for any picture and a key drawn at random: Hoeffding, summed over code words and places",
    }


def square(path: Path) -> Pixels:
    picture = Image.open(path).convert("RGB")
    return np.asarray(ImageOps.fit(picture, (SIDE, SIDE), Image.Resampling.LANCZOS))


# ------------------------------------------------------------ invisible-watermark, in its own interpreter


def _anchored(python: str, method: str, bits: int, every: Sequence[Pixels]) -> dict[str, Any]:
    """Embed there, attack here, decode there."""
    from _report import interval

    pictures = every[:: EVERY[method]]
    payloads = np.random.default_rng(3).integers(0, 2, (len(pictures), bits))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def ask(pictures: Sequence[Pixels], do: str) -> None:
            np.savez(folder / "ask.npz", *pictures)
            (folder / "ask.json").write_text(json.dumps({"do": do, "method": method}))
            subprocess.run([python, __file__, "--worker", str(folder)], check=True)

        np.save(folder / "payloads.npy", payloads)
        ask(pictures, "encode")
        marked = list(np.load(folder / "answer.npz").values())
        ask([_attack(each, [name]) for each in marked for name in ATTACKS], "decode")
        answer = json.loads((folder / "answer.json").read_text())
    right = [
        float(np.mean(np.array(found) == payloads[number // len(ATTACKS)])) if len(found) == bits else 0.5
        for number, found in enumerate(answer["bits"])
    ]
    shares = {name: right[number :: len(ATTACKS)] for number, name in enumerate(ATTACKS)}
    return {
        "pictures": len(pictures),
        "bits": bits,
        "psnr_mean": round(statistics.mean(map(_psnr, pictures, marked)), 2),
        "embed_decode_ms": [answer["encode_ms"], answer["decode_ms"]],
        "read": {name: interval(sum(each == 1 for each in row), len(row)) for name, row in shares.items()},
        "bit_accuracy": {name: round(statistics.mean(row), 4) for name, row in shares.items()},
    }


def _anchor_worker(folder: Path) -> None:
    """Runs where invisible-watermark is installed; its RivaGAN network is called as its own class calls it."""
    sys.modules["torch"] = types.ModuleType("torch")
    import imwatermark
    import onnxruntime

    asked = json.loads((folder / "ask.json").read_text())
    pictures = [each[:, :, ::-1] for each in np.load(folder / "ask.npz").values()]  # it wants blue, green, red
    payloads = np.load(folder / "payloads.npy")
    place = Path(imwatermark.__file__).parent
    part = "encoder" if asked["do"] == "encode" else "decoder"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(place / f"rivagan_{part}.onnx"), options)

    def frame(picture: Pixels) -> NDArray[np.float32]:
        return (picture.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None, :, None]

    def encode(picture: Pixels, payload: NDArray[np.int64]) -> Pixels:
        if asked["method"] == "rivaGan":
            got = session.run(None, {"frame": frame(picture), "data": payload[None].astype(np.float32)})[0]
            return ((np.clip(np.asarray(got), -1, 1)[0, :, 0].transpose(1, 2, 0) + 1) * 127.5).astype(np.uint8)
        encoder = imwatermark.WatermarkEncoder()
        encoder.set_watermark("bits", payload.tolist())
        return encoder.encode(np.ascontiguousarray(picture), "dwtDct")

    def decode(picture: Pixels) -> list[int]:
        if asked["method"] == "rivaGan":
            return (session.run(None, {"frame": frame(picture)})[0][0] > 0.52).astype(int).tolist()
        decoder = imwatermark.WatermarkDecoder("bits", payloads.shape[1])
        try:
            return np.asarray(decoder.decode(np.ascontiguousarray(picture), "dwtDct")).astype(int).tolist()
        except RuntimeError:  # it refuses pictures below 256 × 256
            return []

    start = time.process_time()
    answer = folder / "answer.json"
    figures = json.loads(answer.read_text()) if answer.is_file() else {}
    if asked["do"] == "encode":
        marked = [encode(each, payload)[:, :, ::-1] for each, payload in zip(pictures, payloads, strict=True)]
        np.savez(folder / "answer.npz", *marked)
    else:
        figures["bits"] = [decode(each) for each in pictures]
    figures[f"{asked['do']}_ms"] = round(1000 * (time.process_time() - start) / len(pictures))
    answer.write_text(json.dumps(figures))


if __name__ == "__main__":
    main()
