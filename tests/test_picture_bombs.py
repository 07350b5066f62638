"""Hostile pictures and collections: no bomb goes off, and what is odd is taken as it is or refused with a reason."""

from __future__ import annotations

import gzip
import io
import json
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from castalia.core.errors import UsageError
from castalia.core.files import folders
from castalia.modalities.image import read_picture
from castalia.training.collections import Collection, add
from castalia.training.collections.again import Known
from castalia.training.collections.pictures import Captioned, Pictures, squared

NOISE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)


def saved(kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(NOISE).save(stream, kind, **options)  # type: ignore[arg-type]
    return stream.getvalue()


def patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) >= 1
    return content.replace(old, new, 1)


def webp() -> bytes:
    """An extended file whose canvas is 16,383 pixels a side, with a frame of 80 × 60 in it."""
    inside = saved("WEBP", lossless=True)[12:]
    header = b"VP8X" + struct.pack("<I", 10) + bytes(4) + (16_382).to_bytes(3, "little") * 2
    return b"RIFF" + struct.pack("<I", 4 + len(header) + len(inside)) + b"WEBP" + header + inside


BOMBS = {
    "a GIF's screen": patched(saved("GIF"), struct.pack("<HH", 80, 60), struct.pack("<HH", 65_535, 65_535)),
    "a GIF's frame": patched(
        saved("GIF"), b"," + struct.pack("<4H", 0, 0, 80, 60), b"," + struct.pack("<4H", 0, 0, 65_000, 65_000)
    ),
    "a JPEG": patched(saved("JPEG"), struct.pack(">HH", 60, 80), struct.pack(">HH", 65_000, 65_000)),
    "a BMP": patched(saved("BMP"), struct.pack("<ii", 80, 60), struct.pack("<ii", 2**30, 2**30)),
    "a PPM": patched(saved("PPM"), b"80 60", b"99999 99999"),
    "a WebP": patched(saved("WEBP"), struct.pack("<HH", 80, 60), struct.pack("<HH", 16_383, 16_383)),
    "a WebP's canvas": webp(),
    "an AVIF": patched(
        saved("AVIF"),
        b"ispe\0\0\0\0" + struct.pack(">II", 80, 60),
        b"ispe\0\0\0\0" + struct.pack(">II", 65_000, 65_000),
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_picture_that_says_it_is_huge_is_refused_before_its_pixels_are_made(name: str) -> None:
    tracemalloc.start()
    with pytest.raises(UsageError) as caught:
        read_picture(BOMBS[name], "bomb")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert any(why in caught.value.message for why in ("at most 40 megapixels", "damaged", "none that is read"))
    assert caught.value.hint
    assert peak < 5_000_000


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_words_packed_in_a_png_do_not_unpack_to_gigabytes(kind: bytes) -> None:
    packed = zlib.compress(b"a" * 100_000_000, 9)
    data = b"x\0\1\0\0\0" + packed if kind == b"iTXt" else b"x\0\0" + packed
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    whole = saved("PNG")
    content = whole[:33] + chunk + whole[33:]
    tracemalloc.start()
    try:
        assert np.array_equal(read_picture(content, "x").pixels, NOISE)
    except UsageError as error:
        assert "damaged" in error.message  # noqa: PT017 - either is right
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000


BILLION = (
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{at} "{f"&a{at - 1};" * 10}">' for at in range(1, 10))
    + ']><svg xmlns="http://www.w3.org/2000/svg"><text>&a9;</text></svg>'
)


@pytest.mark.parametrize(
    "content", [BILLION.encode(), gzip.compress(BILLION.encode()), gzip.compress(bytes(50_000_000))]
)
def test_drawings_of_entities_within_entities_are_not_unfolded(content: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(UsageError, match="SVG"):
        read_picture(content, "laughs.svg")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


# ---------------------------------------------------------------- collections


@pytest.fixture(autouse=True)
def pictures(home: Path, tmp_path: Path) -> Path:
    """An empty folder for pictures, and a home of its own."""
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


def spotted(seed: int, side: int = 56) -> np.ndarray:
    """Soft spots of colour on white."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), np.uint8)
    made = np.array(Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC))
    made[:6] = made[:, :6] = 255
    return made


def save(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels).save(path)


def taken(source: Path) -> Collection[Captioned]:
    return add("mine", str(source), kind="picture", owner="Me", licence="own work")


def test_bombs_in_a_zip_are_dropped_and_the_others_read(pictures: Path, tmp_path: Path) -> None:
    save(pictures / "good.png", spotted(1))
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(pictures / "good.png", "blue thing.png")
        for name in ("huge.png", "captions.jsonl"):
            with archive.open(name, "w") as member:
                for _ in range(60):
                    member.write(b"\0" * 1_000_000)
        archive.writestr("lies.png", b"\0" * 4_000_000)
        archive.writestr("short.png", b"\0" * 4_000_000)
    content = bytearray((tmp_path / "all.zip").read_bytes())
    for name, told in ((b"lies.png", 100), (b"short.png", 49_000_000)):  # in the directory, at the file's end
        at = content.rindex(name) - 46
        content[at + 24 : at + 28] = struct.pack("<I", told)
    (tmp_path / "all.zip").write_bytes(content)
    tracemalloc.start()
    mine = taken(tmp_path / "all.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert list(mine.pieces) == ["blue thing.png"]
    dropped = dict(mine.card["dropped"])
    assert dropped.pop("huge.png") == dropped.pop("captions.jsonl") == "larger than 50 MB"
    assert "cannot be unpacked" in dropped.pop("lies.png")
    assert dropped.pop("short.png")
    assert not dropped
    assert peak < 80_000_000


def test_names_that_lead_out_of_a_zip_write_nothing(pictures: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for at, name in enumerate(("../out red.png", "/etc/blue.png", "a/../../green.png")):
            save(pictures / "x.png", spotted(at))
            archive.write(pictures / "x.png", name)
    before = set(tmp_path.rglob("*.png"))
    assert list(taken(tmp_path / "all.zip").pieces) == ["etc/blue.png"]  # the others count as hidden
    assert set(tmp_path.rglob("*.png")) == before


def test_three_pictures_are_a_collection_that_is_learned_whole(pictures: Path) -> None:
    for at in range(3):
        save(pictures / f"thing {'abc'[at]}.png", spotted(at))
    mine = taken(pictures)
    assert len(mine.pieces) == 3
    assert set(mine.split.values()) <= {"train", "valid"}


def test_of_pictures_that_are_all_the_same_one_is_left(pictures: Path) -> None:
    for at in range(30):
        save(pictures / f"thing {'ab'[at % 2] * (at + 1)}.png", spotted(1))
    mine = taken(pictures)
    assert len(mine.pieces) == 1
    assert len(mine.card["dropped"]) == 29
    assert all("the same piece as thing a" in why for why in mine.card["dropped"].values())


def test_captions_may_be_of_any_script_and_must_say_something(pictures: Path) -> None:
    said = [
        "红色的猫",
        "🐈 кот",
        "قطة",
        "   ",
        "🐈🐕",
        "—!?",
        "猫" * 20_000,
        "a\u0000b\ud83d".encode("utf-8", "replace").decode(),
    ]
    rows = [json.dumps({"file": f"{at}.png", "text": text}, ensure_ascii=False) for at, text in enumerate(said)]
    (pictures / "captions.jsonl").write_text("\n".join(rows), encoding="utf-8")
    for at in range(len(said)):
        save(pictures / f"{at}.png", spotted(at))
    mine = taken(pictures)
    assert set(mine.card["dropped"]) == {"3.png", "4.png", "5.png"}
    assert {each.partition(":")[0] for each in mine.card["dropped"].values()} == {"it has no caption"}
    assert mine.pieces["0.png"].text == "红色的猫"
    assert len(mine.pieces["6.png"].text) == 20_000


PEAKS = """
import sys, tracemalloc
from pathlib import Path
from castalia.training.collections import add
for at, source in enumerate(sys.argv[1:2] + sys.argv[1:]):
    tracemalloc.start()
    taken = add("mine", source, kind="picture", owner="Me", licence="own work")
    assert len(taken.pieces) == len(list(Path(source).iterdir()))
    if at:
        print(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
"""
"""In a process of its own: what other tests' threads do meanwhile is counted too."""


def test_memory_hardly_grows_with_the_number_of_pictures(pictures: Path) -> None:
    for at in range(250):
        save(pictures / f"thing {at:03} {'ab'[at % 2]}.png", spotted(at, 48))
    (few := pictures.parent / "few").mkdir()
    for path in sorted(pictures.iterdir())[:50]:
        (few / path.name).hardlink_to(path)
    command = [sys.executable, "-c", PEAKS, str(few), str(pictures)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    least, most = map(int, told.stdout.split())
    assert (most - least) / 200 < 6_000  # a picture of the collection has 49,152 bytes
    kept = list((folders().data / "collections" / "mine").iterdir())
    assert sorted(path.name for path in kept) == ["card.json", "pieces.npz"]


def test_a_copy_is_found_in_one_pass_wherever_it_lies() -> None:
    intake, known = Pictures(), Known(Pictures.same, Pictures.apart)
    pieces = [Captioned(squared(spotted(at)), "x") for at in range(200)]
    for at, piece in enumerate(pieces):
        assert known.again(intake.prints(piece), intake.proof(piece)) == ""
        known.note(str(at), intake.prints(piece), intake.proof(piece))
    for at in (0, 64, 199):
        nearly = Captioned(np.clip(pieces[at].pixels.astype(int) + 3, 0, 255).astype(np.uint8), "y")
        assert f"as {at}," in known.again(intake.prints(nearly), intake.proof(nearly))


def test_a_large_picture_with_alpha_is_framed_within_its_own_size() -> None:
    large = np.zeros((3_000, 3_000, 4), np.uint8)
    large[..., 3] = 128
    tracemalloc.start()
    made = squared(large)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (made == 127).all()
    assert peak < 4 * large.nbytes
