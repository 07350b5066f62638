"""Sets of pictures: stickers, contact sheets, animations between two pictures, and their files."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from castalia import faces
from castalia.cli.create import create
from castalia.core.errors import RefusedError, UsageError
from castalia.core.picture import Picture, SheetStep
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.genres import fields_of, mix, stickers
from castalia.genres import sheet as contact
from castalia.modalities import image
from castalia.modalities.image.sets import cells, crisp, laid_out, sticker, visible
from castalia.quality import EvenSizesRule, ShownRule, TwinsRule
from castalia.studio import Studio
from pictures_drawn import scene


def brief_of(room, words="", **fields) -> Brief:
    return Brief(genre=room.name, words=words, fields=fields_of(room, fields), seed=6)


def ball(side: int, radius: float, colour=(200, 40, 30), ground=255) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    inside = np.hypot(y - side / 2, x - side / 2) < radius
    return np.where(inside[..., None], np.array(colour), ground).astype(np.uint8)


def findings_of(rule, *pictures: np.ndarray):
    sheet = laid_out(SheetStep("sheet", tuple(Picture.of(each, str(at)) for at, each in enumerate(pictures)), 64))
    brief = brief_of(stickers.GENRE, words="a")
    evidence = Evidence(model="m", digest="", engine="e", seed=1)
    return rule.check(Draft(brief=brief, content=Content(text="t", picture=sheet), evidence=evidence))


def test_a_sheet_holds_each_picture_where_its_cells_say():
    pictures = tuple(Picture.of(np.full((30, 30, 3), level, np.uint8), f"p{level}") for level in (10, 20, 30))
    sheet = laid_out(SheetStep("s", pictures, side=30, gap=4, ground=(255, 0, 0)))
    assert (sheet.width, sheet.height) == (72, 72)
    assert [np.unique(each).tolist() for each in cells(sheet)] == [[10], [20], [30]]
    assert [each.name for each in sheet.sheet.cells] == ["p10", "p20", "p30"]
    assert tuple(sheet.pixels[0, 0]) == (255, 0, 0)
    assert Picture.model_validate_json(sheet.model_dump_json()) == sheet


def test_a_full_sheet_has_a_foot_for_its_label():
    pictures = tuple(Picture.of(scene(40, 40)) for _ in range(4))
    assert laid_out(SheetStep("s", pictures, side=40)).height == 88
    assert laid_out(SheetStep("s", pictures, side=40, milliseconds=50)).height == 80


def test_small_and_large_subjects_become_stickers_of_one_size_with_a_white_rim():
    small, large = (sticker(ball(128, radius), 256, rim=True) for radius in (15, 50))
    wide = [np.flatnonzero((each[..., 3] > 250).any(0)).size for each in (small, large)]
    assert abs(wide[0] - wide[1]) <= 4
    for each in (small, large):
        first = np.flatnonzero(each[128, :, 3] > 250)[2]
        assert each[128, first, :3].min() > 245  # the rim
        assert each[128, 128, 0] > 150 > each[128, 128, 1]
        assert each[0].max() == 0
    assert sticker(ball(128, 40), 256, rim=False)[..., 3].sum() < large[..., 3].sum()


def test_specks_beside_a_subject_are_left_out_and_its_outline_stays_sharp():
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[20:50, 10:40] = 255
    pixels[2:4, 55:57] = 255
    seen = visible(pixels)
    assert seen.shape == (30, 30, 4)
    assert not visible(np.zeros((8, 8, 4), np.uint8))[..., 3].any()
    soft = np.dstack(
        [np.full((40, 40, 3), 90), np.clip(np.abs(np.arange(40) - 20)[None] * -40 + 400, 0, 255).repeat(40, 0)]
    )
    large = crisp(soft.astype(np.uint8), 400, 400)
    assert 0 < ((large[200, :, 3] > 5) & (large[200, :, 3] < 250)).sum() <= 16


def test_rules_of_sets_refuse_what_is_empty_uneven_or_twice():
    one, other = ball(64, 25), ball(64, 25, (30, 60, 200))
    assert all(
        each.ok for rule in (ShownRule(), EvenSizesRule(), TwinsRule()) for each in findings_of(rule, one, other)
    )
    (shown,) = findings_of(ShownRule(), one, np.full((64, 64, 3), 255, np.uint8))
    assert (shown.ok, shown.place) == (False, "1")
    (given,) = findings_of(ShownRule(given=True), one, np.full((64, 64, 3), 255, np.uint8))
    assert (given.ok, given.hint) == (False, "Leave it out of the sheet.")
    side, area = findings_of(EvenSizesRule(), one, ball(64, 5))
    assert not side.ok
    assert not area.ok
    (twins,) = findings_of(TwinsRule(), one, other, one)
    assert (twins.ok, twins.found, twins.place) == (False, "0.0 levels apart", "0 – 2")


def test_a_set_says_what_it_cannot_hold():
    for words, said in (("cat, dog, cat", "cat"), ("", "1 to 48"), (",".join(f"w{n}" for n in range(49)), "49")):
        with pytest.raises(UsageError, match=said):
            stickers.GENRE.plan(brief_of(stickers.GENRE, words=words))
    with pytest.raises(UsageError, match="two pictures"):
        contact.GENRE.plan(brief_of(contact.GENRE))


def test_files_of_a_plan_are_known_before_it_is_made():
    still, moving = (
        mix.GENRE.plan(brief_of(mix.GENRE, words="a", picture=given, second=given, second_words="b", frames=frames))
        for given in [Picture.of(scene(64, 64))]
        for frames in (1, 5)
    )
    assert len(moving.pictures) == 6
    assert faces.choose(moving, ["gif"], genre="mix") == ("gif", "png")
    with pytest.raises(UsageError):
        faces.choose(still, ["gif"], genre="mix")
    assert faces.choose(still, ["svg"], genre="mix") == ("svg", "png")


def test_an_animation_goes_there_and_back():
    pictures = tuple(Picture.of(ball(64, radius)) for radius in (10, 20, 30))
    sheet = laid_out(SheetStep("s", pictures, 64, milliseconds=50))
    for kind in ("gif", "webp"):
        moving = Image.open(io.BytesIO(image.file_of(sheet, kind)))
        assert getattr(moving, "n_frames", 1) == 4
        moving.load()
        assert moving.info["duration"] == 300
        assert moving.info["loop"] == 0
    with pytest.raises(UsageError):
        image.file_of(pictures[0], "gif")


def test_stickers_leave_as_a_sheet_an_archive_and_outlines_and_are_made_again(home):
    studio = Studio()
    work = studio.create("stickers", "rocket, whale, tree", seed=6, faces=["png", "zip"], size=128)
    assert [each.name for each in work.content.picture.sheet.cells] == ["rocket", "whale", "tree"]
    assert work.evidence.model == "emoji"
    assert all(each.ok for each in work.findings)
    kept = studio.library.get(work.id)
    assert kept.content == work.content
    packed = studio.export(kept, home / "set.zip")
    with zipfile.ZipFile(packed) as archive:
        names = archive.namelist()
        assert names == ["01-rocket.png", "02-whale.png", "03-tree.png", "castalia.json"]
        single = Image.open(io.BytesIO(archive.read(names[0])))
        assert single.size == (128, 128)
        assert single.mode == "RGBA"
    pytest.importorskip("vtracer", reason="pip install 'castalia[pictures]'")
    drawn = studio.export(kept, home / "set.svg").read_text()
    assert drawn.count("<path") > 10
    assert "AI-generated" in drawn
    again, differences = studio.remake(work.id)
    assert again.content == work.content
    assert not differences
    whole = studio.create("sheet", pictures=[work.id, work.id[:8]])
    assert whole.record.parents == (work.id,)
    assert len(studio.library.get(whole.id).brief.fields.pictures) == 2
    studio.close()
    with pytest.raises((UsageError, RefusedError)):
        Studio().create("stickers", "rocket, xyzzyx", seed=6, size=64)


def test_what_n_made_stands_on_one_sheet(home, tmp_path):
    run = CliRunner()
    alone = run.invoke(create, ["picture", "whale", "--sheet", str(tmp_path / "all.png")])
    assert isinstance(alone.exception, UsageError)
    options = ["-n", "2", "--seed", "1", "-o", "size=64", "--sheet", str(tmp_path / "all.png"), "--json"]
    made = run.invoke(create, ["picture", "whale", *options])
    first, second, sheet = map(json.loads, made.stdout.splitlines())
    assert sheet["genre"] == "sheet"
    assert sheet["castalia"]["parents"] == [first["id"], second["id"]]
    with Image.open(tmp_path / "all.png") as shown:
        assert shown.width == 2 * 256 + 3 * 15


def test_a_sheet_of_given_pictures_comes_out_the_same_each_time_and_is_tried_once():
    pictures = (Picture.of(ball(64, 25)), Picture.of(ball(64, 20)))
    brief = Brief(genre="sheet", words="", fields=contact.GENRE.fields(pictures=pictures), seed=1)
    assert contact.GENRE.plan(brief).settled
