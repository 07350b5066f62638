"""A stranger's model folder: what is wrong with it is said, before it takes memory or time."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save, save_file

from castalia.core import language
from castalia.core.errors import UsageError
from castalia.modalities.image import Chosen
from castalia.modalities.image.draw.folder import PARTS
from castalia.modalities.image.draw.model import DrawingModel

OWN = DrawingModel.default().path
CARD = json.loads((OWN / "card.json").read_text(encoding="utf-8"))
SAID = json.loads((OWN / "words.json").read_text(encoding="utf-8"))
Weights = dict[str, np.ndarray]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The model that comes along, in a folder of its own; a part that is written takes the place of the link."""
    for part in PARTS:
        (tmp_path / part).symlink_to(OWN / part)
    return tmp_path


def put(folder: Path, part: str, content: bytes) -> None:
    (folder / part).unlink()
    (folder / part).write_bytes(content)


def refused(folder: Path, part: str, within: int = 20_000_000) -> str:
    """Why; the file is named, there is a next step, and no more than these bytes were taken."""
    tracemalloc.start()
    try:
        with pytest.raises(UsageError) as caught:
            Chosen(named=str(folder)).open().draw("a red apple", "", 1, 64)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert part in caught.value.message
    assert len(caught.value.message) < 600
    assert "castalia train image" in caught.value.hint
    assert peak < within
    return caught.value.message


def test_a_copy_draws_what_the_model_draws(folder: Path) -> None:
    made = DrawingModel(folder).draw("a red apple", "", 1, 64)
    assert np.array_equal(made, DrawingModel.default().draw("a red apple", "", 1, 64))


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize("part", PARTS)
def test_a_file_of_a_gigabyte_is_not_read(folder: Path, part: str) -> None:
    (folder / part).unlink()
    with (folder / part).open("wb") as file:
        file.truncate(1_000_000_000)
    assert "1000000000 bytes; at most" in refused(folder, part, within=5_000_000)


# ---------------------------------------------------------------- card and words


@pytest.mark.parametrize(
    "size",
    [{"side": 10**9}, {"side": 0}, {"side": -128}, {"side": 100}, {"side": "128"}, {"side": True}, {"side": 1e400},
     {"width": 10**12}, {"heads": 0}, {"heads": 3}, {"blocks": 10**6}, {"latent": 0}, {"words": 10**9}, {"deep": None}],
    ids=str,
)  # fmt: skip
def test_absurd_sizes_are_refused(folder: Path, size: dict[str, object]) -> None:
    card = json.loads(json.dumps(CARD))
    card["recipe"]["size"] |= size
    put(folder, "card.json", json.dumps(card).encode())
    assert "size" in refused(folder, "card.json")


def test_sizes_in_range_that_are_too_many_weights_together_are_refused(folder: Path) -> None:
    card = json.loads(json.dumps(CARD))
    card["recipe"]["size"] |= {"side": 512, "latent": 64, "words": 8192}
    card["directions"] = []
    put(folder, "card.json", json.dumps(card).encode())
    assert "weights; at most 100000000" in refused(folder, "card.json")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"name": "x"}',
        b'{"name": 1, "styles": [], "recipe": {}}',
    ],
)
def test_a_card_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    put(folder, "card.json", content)
    refused(folder, "card.json")


@pytest.mark.parametrize("vector", [[0.0], ["x"] * 640, [float("nan")] * 640])
def test_a_direction_that_is_none_is_refused(folder: Path, vector: list[object]) -> None:
    told = {"name": "up", "chinese": "上", "vector": vector}
    put(folder, "card.json", json.dumps(CARD | {"directions": [told]}).encode())
    assert "directions" in refused(folder, "card.json")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{" * 100_000, b'{"words": [], "aliases": {}}', b'{"words": [1], "aliases": {}}',
     b'{"words": ["a"], "aliases": []}', b'{"words": ["a"]}', b'{"words": ["a"], "aliases": {"b": "a"}}'],
)  # fmt: skip
def test_words_that_are_none_are_refused(folder: Path, content: bytes) -> None:
    put(folder, "words.json", content)
    refused(folder, "words.json")


# ---------------------------------------------------------------- weights


def tampered(folder: Path, change: Callable[[Weights], object]) -> None:
    weights = load_file(OWN / "weights.safetensors")
    change(weights)
    (folder / "weights.safetensors").unlink()
    save_file(weights, folder / "weights.safetensors")


def fill(name: str, value: float) -> Callable[[Weights], object]:
    def change(weights: Weights) -> None:
        weights[name] = np.full_like(weights[name], value)

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (fill("encoder.enter.bias", np.nan), "encoder.enter.bias is not finite"),
        (fill("mean", np.inf), "mean is not finite"),
        (fill("generator.table.weight.step", -np.inf), "generator.table.weight is not finite"),
        (fill("decoder.leave.weight.step", 1e30), "decoder.leave.weight is not finite, or far too strong"),
        (fill("deviation", 0), "deviation is not positive"),
        (lambda held: held.pop("decoder.leave.bias"), "decoder.leave.bias is not there; wanted: 12"),
        (lambda held: held.pop("decoder.leave.weight.step"), "decoder.leave.weight.step is not there"),
        (lambda held: held.update(more=np.zeros((3, 4), np.float32)), "more is 3 × 4; wanted: not there"),
        (lambda held: held.update(mean=np.zeros((1, 12), np.float32)), "mean is 1 × 12; wanted: 12"),
        (lambda held: held.update({"generator.spread": np.zeros(641, np.float16)}), "generator.spread is 641"),
    ],
)
def test_weights_that_are_not_the_card_s_are_refused(
    folder: Path, change: Callable[[Weights], object], why: str
) -> None:
    tampered(folder, change)
    assert why in refused(folder, "weights.safetensors", within=200_000_000)


def test_another_vocabulary_than_the_weights_is_refused(folder: Path) -> None:
    put(folder, "words.json", json.dumps(SAID | {"words": [*SAID["words"], "zzz"]}).encode())
    assert "generator.table.weight.rounded" in refused(folder, "weights.safetensors")


def header(told: object, rest: bytes = b"") -> bytes:
    text = json.dumps(told).encode()
    return struct.pack("<Q", len(text)) + text + rest


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04.",  # what a pickle begins with
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 90_000_000) + b"{}",
        struct.pack("<Q", 2) + b"{]",
        header({"mean": {"dtype": "F32", "shape": [12], "data_offsets": [0, 48]}}),
        header({"mean": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}}, b"\0" * 48),
        header({"mean": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 48]}}, b"\0" * 48),
        header({"mean": {"dtype": "F99", "shape": [12], "data_offsets": [0, 48]}}, b"\0" * 48),
        header({"mean": {"dtype": "F32", "shape": [12], "data_offsets": [48, 0]}}, b"\0" * 48),
        header({f"x{at}": {"dtype": "F32", "shape": [12], "data_offsets": [0, 48]} for at in range(9)}, b"\0" * 48),
        save({"mean": np.zeros(12, np.float32)})[:-1],
    ],
)
def test_a_header_that_lies_is_refused(folder: Path, content: bytes) -> None:
    put(folder, "weights.safetensors", content)
    refused(folder, "weights.safetensors")


def test_weights_that_lead_nowhere_say_so(folder: Path) -> None:
    def change(weights: Weights) -> None:
        for name, values in weights.items():
            if name.startswith("decoder.") and name.endswith(".step"):
                weights[name] = np.full_like(values, 70)

    tampered(folder, change)
    with pytest.raises(UsageError, match="give no picture") as caught:
        DrawingModel(folder).draw("a red apple", "", 1, 64)
    assert "image_model" in caught.value.hint


# ---------------------------------------------------------------- what was learned


def learned(**changed: np.ndarray) -> bytes:
    with np.load(OWN / "learned.npz") as held:
        arrays = {name: held[name] for name in held} | changed
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize(
    "changed",
    [
        {"names": np.zeros(0, "U4")},
        {"names": np.arange(938)},
        {"thumbnails": np.zeros((938, 8, 8), np.uint8)},
        {"thumbnails": np.zeros((937, 8, 8, 3), np.uint8)},
        {"thumbnails": np.zeros((938, 0, 0, 3), np.uint8)},
        {"words": np.full((938, 12), 60_000, np.uint16)},
        {"words": np.zeros((938, 12), np.float64)},
        {"tags": np.zeros(938, np.uint16)},
        {"names": np.array(["x", object()], object)},
    ],
    ids="-".join,
)
def test_another_record_of_what_was_learned_is_refused(folder: Path, changed: dict[str, np.ndarray]) -> None:
    put(folder, "learned.npz", learned(**changed))
    refused(folder, "learned.npz")


def test_a_record_that_unpacks_to_gigabytes_is_not_unpacked(folder: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("names.npy", "w") as member:
        for _ in range(600):
            member.write(b"\0" * 1_000_000)
    assert len(stream.getvalue()) < 1_000_000
    put(folder, "learned.npz", stream.getvalue())
    assert "600000000 bytes" in refused(folder, "learned.npz")


@pytest.mark.parametrize("shape", [(10**12, 8, 8, 3), (10**9,), (-1, 8)])
def test_a_record_that_promises_more_than_it_holds_is_refused(folder: Path, shape: tuple[int, ...]) -> None:
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": False, "shape": shape})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("names.npy", content.getvalue())
    put(folder, "learned.npz", stream.getvalue())
    refused(folder, "learned.npz", within=20_000_000)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\0", b"\x80\x04."])
def test_what_is_no_archive_is_refused(folder: Path, content: bytes) -> None:
    put(folder, "learned.npz", content)
    refused(folder, "learned.npz")


def test_errors_are_in_chinese_too(folder: Path) -> None:
    put(folder, "card.json", b"[]")
    language.use("zh")
    try:
        assert "不是可用的图片模型文件" in refused_in_chinese(folder)
    finally:
        language.use("en")


def refused_in_chinese(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        DrawingModel(folder)
    return caught.value.message


def test_a_model_that_was_made_before_outlines_were_kept_still_draws_and_compares(folder: Path) -> None:
    with np.load(OWN / "learned.npz") as held:
        arrays = {name: held[name] for name in ("names", "thumbnails", "words", "tags")}
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    put(folder, "learned.npz", stream.getvalue())
    model = DrawingModel(folder)
    made = model.draw("a red apple", "", 1, 64)
    assert model.nearest(made).alike is None
    assert model.nearest(made).apart > 0
    assert model.thumbnail("3d-1st-place-medal.png").shape == (8, 8, 3)


@pytest.mark.parametrize(
    "changed",
    [
        {"outlines": np.zeros((938, 127), np.uint8)},
        {"outlines": np.zeros((938, 128), np.float64)},
        {"ends": np.zeros(938, np.uint32)},
        {"ends": np.full(938, 2**32 - 1, np.uint32)},
        {"ends": np.zeros(937, np.uint32)},
        {"files": np.zeros((1, 1), np.uint8)},
    ],
    ids=lambda changed: f"{next(iter(changed))} {next(iter(changed.values())).shape}",
)
def test_outlines_and_small_pictures_that_are_none_are_refused(folder: Path, changed: dict[str, np.ndarray]) -> None:
    put(folder, "learned.npz", learned(**changed))
    refused(folder, "learned.npz", within=200_000_000)


def test_a_small_picture_that_is_none_is_refused_where_it_is_shown(folder: Path) -> None:
    with np.load(OWN / "learned.npz") as held:
        files = held["files"].copy()
    files[:200] = 0
    put(folder, "learned.npz", learned(files=files))
    with pytest.raises(UsageError, match="cannot be used"):
        DrawingModel(folder).thumbnail("3d-1st-place-medal.png")
