"""Collections of pictures, their words and colours, and training: what is taken in, and that a run is the same run."""

from __future__ import annotations

import json
import struct
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from picture_shapes import COLOURS, REACHES, SHAPES, SIDE, shape

pytest.importorskip("torch", reason="needs castalia[train]")

import torch
from torch import nn

from castalia.cli.collections import collections as commands
from castalia.core.errors import UsageError
from castalia.core.files import folders
from castalia.modalities.image.draw.words import learn_vocabulary
from castalia.modalities.image.recolour import main_hue, name_of, recoloured
from castalia.training import Collection, add, find
from castalia.training.clock import Clock
from castalia.training.collections.pictures import Captioned, Framing, Pictures, squared
from castalia.training.collections.shelf import NAME, Filling, Shelf
from castalia.training.images import PRESETS, train_images
from castalia.training.images.captions import Captions, Said, filled
from castalia.training.images.recipe import PARTS
from castalia.training.stages import Stage, run_stage

LEARNED = [shape(name, rgb, reach) for rgb, _ in COLOURS.values() for name in SHAPES for reach in REACHES]
RED, BLUE, GREEN = (COLOURS[name][0] for name in ("red", "blue", "green"))


@pytest.fixture(autouse=True)
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for pictures, and a home of its own."""
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path / "home"))
    torch.set_num_threads(1)
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


def save(path: Path, pixels: np.ndarray, **more: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **more)  # type: ignore[arg-type]


def taken(source: Path) -> Collection:
    return add("mine", str(source), kind="picture", owner="Me", licence="own work")


def left_behind() -> list[Path]:
    return list((folders().data / "collections").rglob("*"))


def silent(_: Mapping[str, object]) -> None:
    """A log that says nothing."""


# ---------------------------------------------------------------- captions


def test_captions_come_from_a_file_beside_and_from_the_name(pictures: Path) -> None:
    save(pictures / "a.png", shape("circle", RED))
    save(pictures / "inner" / "b.png", shape("square", BLUE))
    save(pictures / "c.png", shape("triangle", GREEN))
    save(pictures / "green_small-square_007.png", shape("square", GREEN, 20))
    row = {"file": "a.png", "text": "red circle, shape", "zh": "红色圆形", "style": "plain"}
    (pictures / "captions.jsonl").write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
    (pictures / "inner" / "metadata.csv").write_text(
        'file_name,caption\nb.png,"blue square, shape"\n', encoding="utf-8-sig"
    )
    (pictures / "c.txt").write_text("green\n  triangle \n", encoding="utf-8")
    mine = taken(pictures)
    said = {name: (each.text, each.other, each.style) for name, each in mine.pieces.items()}
    assert said == {
        "a.png": ("red circle, shape", "红色圆形", "plain"),
        "inner/b.png": ("blue square, shape", "", ""),
        "c.png": ("green triangle", "", ""),
        "green_small-square_007.png": ("green small square", "", ""),
    }
    assert not mine.card["dropped"]


def test_a_zip_is_read_as_its_folder_is(pictures: Path, tmp_path: Path) -> None:
    save(pictures / "in" / "circle.png", shape("circle", RED))
    save(pictures / "in" / "square.png", shape("square", BLUE))
    (pictures / "in" / "captions.jsonl").write_text('{"file": "circle.png", "text": "red circle"}\n')
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in pictures.rglob("*.*"):
            archive.write(path, path.relative_to(pictures).as_posix())
        archive.write(pictures / "in" / "circle.png", "__MACOSX/in/._circle.png")
    zipped = taken(tmp_path / "all.zip")
    assert {name: each.text for name, each in zipped.pieces.items()} == {
        "in/circle.png": "red circle",
        "in/square.png": "square",
    }
    assert zipped.digest == taken(pictures).digest


def test_chinese_captions_are_kept(pictures: Path) -> None:
    save(pictures / "1.png", shape("circle", RED))
    save(pictures / "蓝色-方块.png", shape("square", BLUE))
    (pictures / "1.txt").write_text("红色圆形", encoding="utf-8")
    assert {each.text for each in taken(pictures).pieces.values()} == {"红色圆形", "蓝色 方块"}


def test_lines_that_are_no_json_are_named_and_the_others_read(pictures: Path) -> None:
    save(pictures / "a.png", shape("circle", RED))
    (pictures / "captions.jsonl").write_text('{"file": "a.png", \n\n[1]\n{"file": "a.png", "text": "a red circle"}\n')
    mine = taken(pictures)
    assert mine.pieces["a.png"].text == "a red circle"
    assert sorted(mine.card["dropped"]) == ["captions.jsonl:1", "captions.jsonl:3"]
    assert all("JSON" in why for why in mine.card["dropped"].values())


def test_a_table_that_cannot_be_read_is_named(pictures: Path) -> None:
    save(pictures / "a red circle.png", shape("circle", RED))
    (pictures / "metadata.csv").write_text(f'file,text\na red circle.png,"{"x" * 200_000}"\n')
    mine = taken(pictures)
    assert mine.pieces["a red circle.png"].text == "a red circle"
    assert list(mine.card["dropped"]) == ["metadata.csv"]


# ---------------------------------------------------------------- what is dropped


def test_what_cannot_be_learned_is_dropped_with_a_reason(pictures: Path) -> None:
    whole = shape("circle", RED)
    save(pictures / "kept.png", whole)
    save(pictures / "tiny.png", whole[40:87, 40:104])
    save(pictures / "emoji.png", shape("square", BLUE))
    (pictures / "emoji.txt").write_text("🔴 !", encoding="utf-8")
    save(pictures / "1234.png", shape("square", GREEN))
    save(pictures / "empty.png", shape("triangle", BLUE))
    (pictures / "captions.jsonl").write_text('{"file": "empty.png", "text": ""}')
    save(pictures / "plain.png", np.full((64, 64, 3), 90, np.uint8))
    (pictures / "broken.png").write_bytes((pictures / "kept.png").read_bytes()[:200])
    (pictures / "words.png").write_text("no picture")
    (pictures / ".hidden.png").write_text("no picture, and not looked at")
    mine = taken(pictures)
    dropped = dict(mine.card["dropped"])
    assert list(mine.pieces) == ["kept.png"]
    assert dropped.pop("tiny.png") == "64 × 47 pixels; at least 48 are taken"
    nameless = {dropped.pop(name) for name in ("emoji.png", "1234.png", "empty.png")}
    assert nameless == {"it has no caption: neither in captions.csv, nor in a .txt beside it, nor in its name"}
    assert dropped.pop("plain.png") == "one colour only"
    assert "damaged" in dropped.pop("broken.png")
    assert "format" in dropped.pop("words.png")
    assert not dropped


def test_a_copy_is_found_again_and_another_face_is_not(pictures: Path) -> None:
    def face(*mouth: int) -> np.ndarray:
        y, x = np.mgrid[:SIDE, :SIDE] - SIDE // 2
        pixels = shape("circle", COLOURS["yellow"][0], 56)
        for side in (-20, 20):
            pixels[(x - side) ** 2 + (y + 16) ** 2 < 64] = (60, 40, 20)
        top, bottom, reach = mouth
        pixels[(y > top) & (y < bottom) & (abs(x) < reach)] = (60, 40, 20)
        return pixels

    save(pictures / "a face.png", face(20, 28, 26))
    copy = Image.fromarray(face(20, 28, 26)).resize((100, 100), Image.Resampling.LANCZOS)
    copy.save(pictures / "b copy.jpg", quality=80)
    save(pictures / "c astonished.png", face(12, 40, 12))
    mine = taken(pictures)
    assert list(mine.pieces) == ["a face.png", "c astonished.png"]
    assert mine.card["dropped"] == {"b copy.jpg": "the same piece as a face.png, or nearly"}


def test_a_damaged_zip_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(b"PK\x03\x04 and then nothing")
    with pytest.raises(UsageError, match=r"all\.zip") as caught:
        taken(tmp_path / "all.zip")
    assert caught.value.hint
    assert left_behind() == []


def test_a_damaged_file_in_a_zip_is_dropped(pictures: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 9, (SIDE, SIDE, 3), np.uint8)
    Image.fromarray(noise).save(pictures / "noise.bmp")
    save(pictures / "red circle.png", shape("circle", RED))
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(pictures.iterdir()):
            archive.write(path, path.name)
    content = bytearray((tmp_path / "all.zip").read_bytes())
    begins = 30 + struct.unpack("<H", content[26:28])[0] + struct.unpack("<H", content[28:30])[0]
    content[begins : begins + 40] = b"\xff" * 40  # 11 in the first bits: a kind of block that there is not
    (tmp_path / "all.zip").write_bytes(content)
    mine = taken(tmp_path / "all.zip")
    assert list(mine.pieces) == ["red circle.png"]
    assert "cannot be unpacked" in mine.card["dropped"]["noise.bmp"]


def test_when_nothing_fits_nothing_is_left_behind_and_the_hint_says_why(pictures: Path) -> None:
    save(pictures / "plain.png", np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(UsageError, match="no piece that fits") as caught:
        taken(pictures)
    assert caught.value.hint == "plain.png: one colour only"
    with pytest.raises(UsageError, match="does not exist"):
        taken(pictures / "elsewhere")
    assert left_behind() == []


def test_a_collection_stays_as_it_was_when_adding_to_its_name_fails(pictures: Path) -> None:
    save(pictures / "red circle.png", shape("circle", RED))
    before = taken(pictures).digest
    save(pictures / "red circle.png", np.full((64, 64, 3), 90, np.uint8))
    with pytest.raises(UsageError):
        taken(pictures)
    assert find("mine").digest == before
    assert sorted(path.name for path in left_behind() if path.is_file()) == ["card.json", NAME]


# ---------------------------------------------------------------- pixels


def test_alpha_is_laid_over_white() -> None:
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[..., 0] = 255
    pixels[..., 3] = [[0, 128], [255, 51]]
    assert squared(pixels, 2).tolist() == [[[255, 255, 255], [255, 127, 127]], [[255, 0, 0], [255, 204, 204]]]


@pytest.mark.parametrize("lying", [True, False])
def test_a_short_one_is_padded_and_a_long_one_cut_at_its_middle(lying: bool) -> None:
    def turned(pixels: np.ndarray) -> np.ndarray:
        return pixels if lying else pixels.transpose(1, 0, 2)

    padded = turned(squared(turned(np.zeros((4, 8, 3), np.uint8)), 8))
    assert (padded[2:6] == 0).all()
    assert (padded[[0, 1, 6, 7]] == 255).all()
    stripes = np.zeros((2, 12, 3), np.uint8)
    stripes[:] = 20 * np.arange(12)[:, None]
    cut = turned(squared(turned(stripes), 4))
    assert cut[1:3, :, 0].tolist() == [[80, 100, 120, 140]] * 2
    assert (cut[[0, 3]] == 255).all()


def test_alpha_is_laid_over_the_ground_that_was_chosen_and_padded_with_it() -> None:
    pixels = np.zeros((2, 4, 4), np.uint8)
    pixels[..., 2], pixels[:, 2:, 3] = 255, 255
    made = squared(pixels, 4, Framing.of("#0a141e", "pad"))
    assert made[0].tolist() == made[3].tolist() == [[10, 20, 30]] * 4
    assert made[1].tolist() == made[2].tolist() == [[10, 20, 30]] * 2 + [[0, 0, 255]] * 2
    with pytest.raises(UsageError, match="'mauvish' is no colour"):
        Framing.of("mauvish", "pad")


@pytest.mark.parametrize("lying", [True, False])
def test_a_picture_that_is_cropped_is_its_middle(lying: bool) -> None:
    stripes = np.repeat(20 * np.arange(8, dtype=np.uint8)[None, :, None], 4, 0).repeat(3, 2)
    made = squared(stripes if lying else stripes.transpose(1, 0, 2), 4, Framing(fit="crop"))
    assert (made if lying else made.transpose(1, 0, 2))[..., 0].tolist() == [[40, 60, 80, 100]] * 4


def test_the_command_frames_pictures_and_the_card_says_how(pictures: Path) -> None:
    disc = np.dstack([shape("circle", RED), np.uint8(255) - shape("circle", (0, 0, 0))[..., 0]])
    save(pictures / "red circle.png", disc)
    asked = ["add", "dark", "--from", str(pictures), "--ground", "black", "--fit", "crop"]
    refused = CliRunner().invoke(commands, asked)
    assert isinstance(refused.exception, UsageError)
    assert not left_behind()
    said = CliRunner().invoke(commands, [*asked, "--as", "picture"])
    assert said.exit_code == 0, said.output
    dark = find("dark")
    assert dark.card["framing"] == {"ground": "#000000", "fit": "crop"}
    pixels = dark.pieces["red circle.png"].pixels
    assert (tuple(pixels[0, 0]), tuple(pixels[SIDE // 2, SIDE // 2])) == ((0, 0, 0), RED)


@pytest.mark.parametrize(("count", "valid"), [(7, 0), (8, 1), (12, 1)])
def test_enough_pictures_leave_one_to_validate_whatever_they_are_called(pictures: Path, count: int, valid: int) -> None:
    """By chance none of these would be."""
    chosen = [each for each in LEARNED if Pictures().part(Captioned(each, "circle"), frozenset()) == "train"][:count]
    for number, each in enumerate(chosen):
        save(pictures / f"circle {number}.png", each)
    made = taken(pictures)
    assert Counter(made.split.values()) == {"train": count - valid} | ({"valid": valid} if valid else {})
    assert made.split == find("mine").split
    kept = [made.pieces[name].pixels for name, part in made.split.items() if part == "valid"]
    for path in list(pictures.iterdir()):
        path.rename(path.with_name(f"other {50 - int(path.stem.split()[1]):02}.png"))
    again = taken(pictures)
    same = [again.pieces[name].pixels for name, part in again.split.items() if part == "valid"]
    assert np.array_equal(kept, same)


def test_a_picture_of_its_size_is_taken_byte_for_byte(pictures: Path) -> None:
    save(pictures / "red circle.png", shape("circle", RED))
    assert np.array_equal(taken(pictures).pieces["red circle.png"].pixels, shape("circle", RED))


def test_a_camera_s_picture_stands_upright(pictures: Path) -> None:
    upright = shape("triangle", BLUE)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its left side: to be turned clockwise by 90°
    save(pictures / "triangle.png", np.rot90(upright), exif=exif)
    assert np.array_equal(taken(pictures).pieces["triangle.png"].pixels, upright)


def test_a_shelf_gives_what_was_put_and_reads_only_what_is_asked_for(pictures: Path) -> None:
    intake, both = Pictures(), [shape("circle", RED), shape("square", BLUE)]
    with Filling(pictures) as filling:
        for each in both:
            filling.put(each)
    assert [path.name for path in pictures.iterdir()] == [NAME]
    read: list[str] = []

    def unpack(stored: np.ndarray, said: Mapping[str, str]) -> object:
        read.append(said["text"])
        return intake.unpack(stored, said)

    shelf = Shelf(pictures, {"a": {"text": "red circle"}, "b": {"text": "blue square"}}, unpack)
    assert (list(shelf), len(shelf), read) == (["a", "b"], 2, [])
    assert np.array_equal(shelf["b"].pixels, both[1])  # type: ignore[attr-defined]
    assert read == ["blue square"]


def test_an_archive_that_is_not_finished_leaves_the_one_before(pictures: Path) -> None:
    with Filling(pictures) as filling:
        filling.put(np.arange(3))
    before = (pictures / NAME).read_bytes()

    def interrupted() -> None:
        with Filling(pictures) as filling:
            filling.put(np.arange(4))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [(path.name, path.read_bytes()) for path in pictures.iterdir()] == [(NAME, before)]


# ---------------------------------------------------------------- colours


def test_a_red_picture_becomes_blue_on_the_same_white() -> None:
    red = shape("circle", RED)
    assert name_of(red) == "red"
    made = recoloured(red, ["blue", "green"])
    assert {name: name_of(each) for name, each in made.items()} == {"blue": "blue", "green": "green"}
    ground = (red == 255).all(-1)
    assert all((each[ground] == 255).all() and (each[~ground] != 255).any(-1).all() for each in made.values())


@pytest.mark.parametrize("name", COLOURS)
def test_every_colour_is_called_by_its_name(name: str) -> None:
    assert name_of(shape("square", COLOURS[name][0])) == name


@pytest.mark.parametrize(
    ("rgb", "hue"), [((255, 0, 0), 0), ((255, 128, 0), 30), ((0, 255, 0), 120), ((0, 0, 255), 240)]
)
def test_the_main_hue_of_one_flat_colour_is_its_own(rgb: tuple[int, int, int], hue: float) -> None:
    found = main_hue(shape("circle", rgb))
    assert found == pytest.approx(hue, abs=2.5)


@pytest.mark.parametrize("level", [0, 120, 255])
def test_a_grey_picture_has_no_main_colour(level: int) -> None:
    grey = shape("circle", (level, level, level))
    assert (main_hue(grey), name_of(grey), recoloured(grey, ["blue"])) == (None, "", {})


# ---------------------------------------------------------------- words


def test_words_are_known_in_any_form_and_what_is_not_is_told() -> None:
    words = learn_vocabulary(["red apple, fruit", "two cherries, fruit", "cherry, fruit"], ["", "", ""])
    assert words.words == ["apple", "cherry", "fruit", "red", "two"]
    reading = words.read("Please draw a picture of APPLES, cherries and a submarine in red")
    assert (reading.known, reading.unknown) == (("apple", "cherry", "red"), ("submarine",))
    assert reading.numbers == (1, 2, 4)
    assert words.read("the of, a picture").unknown == ()


def test_chinese_is_read_by_the_longest_match_without_measure_words() -> None:
    captions = ["bear, animal", "panda, animal", "cat, animal", "red apple, fruit"]
    words = learn_vocabulary(captions, ["熊,动物", "熊猫,动物", "猫,动物", "苹果,水果"], extra=("red",))
    assert words.read("一只熊猫").known == ("panda",)
    assert words.read("一只熊和两只猫").known == ("bear", "cat")
    assert words.read("红色的苹果").known == ("red", "apple")
    reading = words.read("熊坐火箭")
    assert (reading.known, reading.unknown) == (("bear",), ("坐", "火", "箭"))


def test_words_of_validation_pictures_alone_are_no_words_of_the_model() -> None:
    said = [Said("red circle, shape", "红圆", "plain"), Said("red hexagon, shape", "六角", "plain")]
    captions = Captions(said, ["red", "red"], [0])
    assert captions.styles == ["plain"]
    assert {"circle", "plain", "red", "shape"} <= set(captions.vocabulary.words)
    assert captions.vocabulary.read("hexagon 六角").known == ()
    assert captions.whole(1) == [*captions.vocabulary.read("red plain").numbers]


def test_a_style_of_capitals_and_several_words_is_read_back() -> None:
    said = [Said("red circle", "", "Oil Painting"), Said("piñata", "", "drawing")]  # "drawing" says nothing
    captions = Captions(said, ["red", ""], [0, 1])
    assert captions.styles == ["oil painting"]
    assert set(captions.vocabulary.read("oil painting").numbers) <= set(captions.whole(0))
    assert captions.vocabulary.read("a Piñata").known == captions.vocabulary.read("pinata").known == ("pinata",)


def test_a_recoloured_picture_is_called_by_its_new_colour() -> None:
    captions = Captions([Said("red circle, shape")], ["red"], [0])
    assert captions.whole(0, "blue") == [*captions.vocabulary.read("circle blue").numbers]
    for seed in range(30):
        drawn = captions.draw(0, np.random.default_rng(seed), "blue")
        assert captions.vocabulary.read("blue").numbers[0] in drawn
        assert captions.vocabulary.read("red").numbers[0] not in drawn


def test_rows_are_filled_up_with_zeros() -> None:
    assert filled([[3], [1, 2], range(1, 20)]).tolist() == [[3, *[0] * 11], [1, 2, *[0] * 10], [*range(1, 13)]]


# ---------------------------------------------------------------- training


class Duel:
    """Two networks with an optimizer each, one of them with weights of channels last: what stages of pictures are."""

    def __init__(self) -> None:
        torch.manual_seed(3)
        self.first = nn.Conv2d(2, 3, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.second = nn.Sequential(nn.Flatten(), nn.Linear(12, 4), nn.BatchNorm1d(4))
        adam = torch.optim.AdamW(self.first.parameters(), lr=1e-2)
        moving = torch.optim.SGD(self.second.parameters(), lr=1e-2, momentum=0.9)
        networks = {"first": self.first, "second": self.second}
        self.stage = Stage("duel", networks, {"adam": adam, "sgd": moving}, self.step)
        self.stops = -1

    def step(self, number: int, rng: np.random.Generator) -> Mapping[str, float]:
        if number == self.stops:
            raise KeyboardInterrupt
        given = torch.from_numpy(rng.standard_normal((5, 2, 4, 4), np.float32)) + 0.1 * torch.randn(5, 2, 4, 4)
        loss = (self.second(self.first(given)) - 1).square().mean()
        for optimizer in self.stage.optimizers.values():
            optimizer.zero_grad()
        loss.backward()
        for optimizer in self.stage.optimizers.values():
            optimizer.step()
        return {"loss": loss.item()}

    def run(self, folder: Path, seed: int = 5) -> bytes:
        run_stage(self.stage, steps=4, seed=seed, folder=folder, clock=Clock(0.0), log=silent, every=2)
        return (folder / "duel.safetensors").read_bytes()


def test_four_steps_are_two_and_a_stop_and_two(tmp_path: Path) -> None:
    whole = Duel().run(tmp_path / "whole")
    stopped = Duel()
    stopped.stops = 2
    with pytest.raises(KeyboardInterrupt):
        stopped.run(tmp_path / "stopped")
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["duel.checkpoint"]
    assert Duel().run(tmp_path / "stopped") == whole
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["duel.safetensors"]
    assert Duel().run(tmp_path / "other", seed=6) != whole


def test_a_stage_that_is_done_gives_its_networks_without_a_step(tmp_path: Path) -> None:
    first, again = Duel(), Duel()
    first.run(tmp_path)
    again.stops = 0
    again.run(tmp_path)
    assert torch.equal(first.first.weight, again.first.weight)
    assert all(torch.equal(a, b) for a, b in zip(first.second.buffers(), again.second.buffers(), strict=True))


def test_three_pictures_are_too_few_and_it_says_which_part_is_missing(pictures: Path) -> None:
    for number, colour in enumerate((RED, BLUE, GREEN)):
        save(pictures / f"circle {number}.png", shape("circle", colour))
    with pytest.raises(UsageError, match="3 pieces to learn and 0 to validate") as caught:
        train_images(taken(pictures), pictures.parent / "model", preset="tiny", log=silent)
    assert caught.value.hint
    assert not (pictures.parent / "model").exists()


def test_a_run_writes_the_model_its_card_and_its_log(shapes_model: Path, shapes: Collection) -> None:
    there = {path.name for path in shapes_model.iterdir() if path.is_file()}
    stages = {f"{name}.safetensors" for name in ("autoencoder", "generator", "decoder")}
    assert there == {"weights.safetensors", "words.json", "learned.npz", "card.json", "run.json", "log.jsonl"} | stages
    card = json.loads((shapes_model / "card.json").read_text(encoding="utf-8"))
    assert (card["name"], card["kind"], card["styles"]) == ("picture-tiny", "picture", ["plain"])
    assert card["pictures"] == {"train": 39, "valid": 3}
    assert card["collection"]["digest"] == shapes.digest
    assert card["command"].startswith("castalia train image --collection shapes --preset tiny ")
    lines = [json.loads(line) for line in (shapes_model / "log.jsonl").read_text().splitlines()]
    last = {line["stage"]: line["step"] for line in lines}
    tiny = PRESETS["tiny"]
    assert list(last.items()) == [(name, tiny.of(name)) for name in PARTS]
    assert all(np.isfinite(value) for line in lines for value in line.values() if isinstance(value, float))
    with np.load(shapes_model / "learned.npz") as learned:
        assert learned["thumbnails"].shape == (39, 8, 8, 3)
        assert (learned["outlines"].shape, learned["outlines"].dtype) == ((39, 128), np.uint8)
        assert learned["ends"][-1] == len(learned["files"])
        assert set(learned["names"]) == {name for name, part in shapes.split.items() if part == "train"}


def test_the_same_seed_gives_the_same_model_also_after_a_stop(shapes: Collection, tmp_path: Path) -> None:
    """It stops once within each stage, and goes on."""
    stops = {*PARTS}

    def log(line: Mapping[str, object]) -> None:
        if (stage := str(line["stage"])) in stops and line["step"] != replace(PRESETS["tiny"], steps=24).of(stage):
            stops.discard(stage)
            raise KeyboardInterrupt

    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            train_images(shapes, stopped, preset="tiny", steps=24, seed=1, log=log)
    assert not stops
    train_images(shapes, stopped, log=silent)
    train_images(shapes, whole, preset="tiny", steps=24, seed=1, log=silent)
    for name in ("weights.safetensors", "words.json"):
        assert (stopped / name).read_bytes() == (whole / name).read_bytes()
