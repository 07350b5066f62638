"""Explanations of pictures: what a word moved, what filled in the rest, what comes near, and what directions do."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from castalia.cli.explain import explain as command
from castalia.core.errors import UsageError
from castalia.core.explained_picture import Part, PictureExplanation
from castalia.core.language import use
from castalia.core.picture import DirectStep, DrawStep, MixStep, Picture, RedrawStep
from castalia.modalities.image import explanation_file, tell
from castalia.modalities.image.draw.explain import RANDOMS, apart, by_fields, difference, random_words
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.explained.heat import colours, heated
from castalia.modalities.image.oklab import oklab
from castalia.modalities.image.recolour import name_of
from castalia.provenance import verify
from castalia.studio import Studio

BLACK, WHITE = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 255, np.uint8)


@pytest.fixture(scope="module")
def model() -> DrawingModel:
    return DrawingModel.default()


def drawn(model: DrawingModel, words: str, seed: int = 1) -> Picture:
    return Picture.of(model.draw(words, "", seed, model.network.side), words)


@pytest.fixture(scope="module")
def cat(model: DrawingModel) -> PictureExplanation:
    return model.explain(DrawStep("picture", "blue cat"), 1, drawn(model, "blue cat"))


# ---------------------------------------------------------------- words and regions


def test_black_is_a_hundred_from_white_and_fields_are_means() -> None:
    assert difference(oklab(BLACK), oklab(WHITE)) == pytest.approx(100, abs=0.01)
    half = BLACK.copy()
    half[:8, :4] = 255
    assert by_fields(difference(oklab(BLACK), oklab(half))) == pytest.approx(np.array([[50, 0], [0, 0]]), abs=0.01)


def test_a_part_is_what_is_drawn_without_it(model: DrawingModel, cat: PictureExplanation) -> None:
    drawing = model.drawing(DrawStep("picture", "blue cat"), 1)
    assert [(each.words, each.by) for each in cat.parts] == [(each.words, each.by) for each in drawing.groups]
    assert [each.words for each in cat.parts][:2] == ["blue", "cat"]
    base = model.drawn(drawing.numbers, drawing.code(drawing.numbers))
    for at, part in enumerate(cat.parts):
        rest = [number for other, each in enumerate(drawing.groups) if other != at for number in each.numbers]
        without = model.drawn(rest, drawing.code(rest))
        assert np.array_equal(part.picture.pixels, without)
        moved = difference(oklab(base), oklab(without))
        assert part.change == pytest.approx(moved.mean(), abs=0.006)
        assert np.array(part.where) == pytest.approx(by_fields(moved), abs=0.06)
        assert cat.gap(part) == pytest.approx(part.change - cat.chance)
    assert cat.same


def test_what_is_left_out_does_not_shake_the_rest(model: DrawingModel) -> None:
    """The same chance and the same words filled in: to leave nothing out changes nothing."""
    drawing = model.drawing(DrawStep("picture", "blue cat"), 5)
    assert drawing.only(range(len(drawing.groups))).numbers == drawing.numbers
    for numbers in (drawing.without(0), drawing.without(1)):
        moved = drawing.code(numbers) - model.network.meant(numbers)
        still = drawing.code(drawing.numbers) - model.network.meant(drawing.numbers)
        np.testing.assert_allclose(moved, still, atol=1e-5)


def test_random_words_are_none_that_were_said(model: DrawingModel) -> None:
    numbers = list(range(1, len(model.vocabulary.words) - 1))
    assert sorted(random_words(model, numbers, 3)) == [len(numbers) + 1, len(numbers) + 2]
    assert random_words(model, [1], 3) == random_words(model, [1], 3)
    assert len(set(random_words(model, [1], 3))) == RANDOMS


def test_of_the_only_word_it_is_told_what_others_in_its_place_change(model: DrawingModel) -> None:
    seed = next(each for each in range(9) if len(model.drawing(DrawStep("picture", "banana"), each).groups) == 1)
    explained = model.explain(DrawStep("picture", "banana"), seed, drawn(model, "banana", seed))
    (part,) = explained.parts
    assert part.change is None
    assert part.moved == part.exchanged > 0
    assert np.mean(part.where) == pytest.approx(part.exchanged, abs=0.05)
    assert "–" in tell(explained, drawn(model, "banana", seed))


def test_chinese_is_explained_in_its_own_words(model: DrawingModel, cat: PictureExplanation) -> None:
    explained = model.explain(DrawStep("picture", "蓝色的猫"), 1, drawn(model, "蓝色的猫"))
    assert [each.words for each in explained.parts][:2] == ["蓝色", "猫"]
    assert [each.change for each in explained.parts] == [each.change for each in cat.parts]


@pytest.mark.parametrize(("row", "column"), [(0, 0), (1, 1), (2, 0)])
def test_the_place_is_where_most_changes(row: int, column: int) -> None:
    fields = np.ones((6, 6))
    fields[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = 9
    where = tuple(tuple(each) for each in fields.tolist())
    part = Part(words="w", by="brief", where=where, picture=Picture.of(WHITE))
    assert part.place == (row, column, pytest.approx(36 / (36 + 32)))


# ---------------------------------------------------------------- what it came from


def test_what_filled_in_the_rest_is_kept_with_the_work(studio: Studio, model: DrawingModel) -> None:
    works = [studio.create("picture", "cat", seed=seed, size=128) for seed in (1, 2)]
    for work in works:
        name = work.evidence.filled_from["picture"]
        assert studio.explain(work).learned == name
        held = model.vocabulary.read("cat").numbers[0]
        names, _, words, tags, *_ = model._learned
        assert held in (*words[names.index(name)], *tags[names.index(name)])
    assert studio.library.get(works[0].id).evidence.filled_from == works[0].evidence.filled_from


def test_what_would_be_drawn_over_the_rest_is_left_out_and_told(model: DrawingModel) -> None:
    def pixels(words: str) -> np.ndarray:
        return model.draw(words, "", 1, 128)

    assert np.array_equal(pixels("a teapot on a table"), pixels("teapot"))
    assert np.array_equal(pixels("old building"), pixels("building"))
    assert not np.array_equal(pixels("angry cat"), pixels("cat"))  # many pictures taught what that looks like
    explained = model.explain(DrawStep("picture", "a teapot on a table"), 1, drawn(model, "a teapot on a table"))
    assert explained.left == ("table",)
    assert "table" not in [each.words for each in explained.parts]
    assert "Not drawn, since that picture has it not and few others have: table." in tell(
        explained, drawn(model, "a teapot on a table")
    )


def test_a_work_of_another_model_that_says_nothing_to_this_one_names_its_own(studio: Studio) -> None:
    work = studio.create("picture", "cat", seed=1, size=128)
    evidence = work.evidence.model_copy(update={"digest": "0" * 64, "model": "flowers"})
    brief = work.brief.model_copy(update={"words": "zyzzyva"})
    with pytest.raises(UsageError, match="drawn by flowers, not by emoji") as caught:
        studio.explain(work.model_copy(update={"evidence": evidence, "brief": brief}))
    assert f"CASTALIA_IMAGE_MODEL=FOLDER castalia explain {work.id[:8]}" in str(caught.value)


def test_of_words_that_no_learned_picture_has_together_the_rarest_chooses(model: DrawingModel) -> None:
    learned = {model.drawing(DrawStep("picture", "dog umbrella pizza"), seed).learned for seed in range(4)}
    assert learned == {"3d-pizza.png"}  # one picture has the word, of umbrellas and dogs there are several


def test_a_keyword_chooses_among_the_pictures_that_have_it(model: DrawingModel) -> None:
    learned = {model.drawing(DrawStep("picture", "dessert"), seed).learned for seed in range(8)}
    number = model.vocabulary.read("dessert").numbers[0]
    names, _, words, tags, *_ = model._learned
    assert len(learned) > 2
    for name in learned:
        assert number in (*words[names.index(name)], *tags[names.index(name)])


def test_a_colour_that_was_not_learned_of_a_thing_is_seen_to(model: DrawingModel) -> None:
    assert model.drawing(DrawStep("picture", "green sun"), 1).colour == "green"
    assert model.drawing(DrawStep("picture", "green apple"), 1).colour == ""
    assert model.drawing(DrawStep("picture", "green blue sun"), 1).colour == ""
    assert name_of(model.draw("green sun", "", 1, 128)) == "green"


def test_neighbours_are_in_order_and_the_first_is_the_nearest(model: DrawingModel) -> None:
    pixels = model.draw("banana", "", 3, 128)
    found = model.neighbours(pixels, 5)
    assert found[0] == model.nearest(pixels)
    assert [each.apart for each in found] == sorted(each.apart for each in found)
    for each in found:
        kept = model.thumbnail(each.name)
        assert kept.shape == (32, 32, 3)
        near = model.nearest(kept)
        assert (near.name, near.apart < 1) == (each.name, True)
    assert model.apart > 1


# ---------------------------------------------------------------- given pictures, and the way between


def test_a_given_picture_and_a_direction_are_parts_too(model: DrawingModel) -> None:
    given, first = drawn(model, "red apple"), model.directions[0]
    strong = model.explain(RedrawStep("picture", given, "green apple", strength=1.0), 2, given)
    half = model.explain(RedrawStep("picture", given, "green apple", strength=0.5), 2, given)
    assert strong.parts[-1].by == half.parts[-1].by == "picture"
    assert strong.parts[-1].change == 0 < half.parts[-1].change
    still = model.explain(DirectStep("picture", given, "red apple", first.name, amount=0.0), 2, given)
    assert (still.parts[-1].by, still.parts[-1].words, still.parts[-1].change) == ("direction", first.name, 0)
    assert still.way.at == (-4, -3, -2, -1, 0, 1, 2, 3, 4)
    vector = first.vector / model.network.spread
    assert still.way.codes == pytest.approx(8 * np.sqrt((vector**2).mean()), abs=0.006)


def test_the_way_of_a_mix_leads_from_one_to_the_other(model: DrawingModel) -> None:
    both = (drawn(model, "red apple"), drawn(model, "dog face"))
    step = MixStep("picture", both, ("red apple", "dog face"), share=0.25)
    way = model.explain(step, 1, both[0]).way
    assert (way.of, way.chosen, way.at[0], way.at[-1], len(way.pictures)) == ("share", 0.25, 0, 1, len(way.at))
    for at, picture in zip(way.at, way.pictures, strict=True):
        assert np.array_equal(picture.pixels, model.mix(replace(step, share=at)))
    assert way.codes == pytest.approx(apart(model, *(model.seen(each) for each in both)), abs=0.006)
    assert 0 < way.evenness <= 1
    assert 0 < way.straightness <= 1.001
    same = model.explain(replace(step, pictures=(both[0], both[0])), 1, both[0]).way
    assert (same.codes, same.ends, set(same.steps)) == (0, 0, {0})


# ---------------------------------------------------------------- what is drawn and said


def test_more_change_is_darker_on_the_map() -> None:
    ramp = colours(np.linspace(0, 1, 9)) @ np.array([0.299, 0.587, 0.114])
    assert (np.diff(ramp) < -10).all()
    shown = heated(np.full((32, 32, 3), 255, np.uint8), ((0.0, 0.0), (0.0, 10.0)), 10)
    assert shown[0, 0].tolist() == [255, 255, 255]
    assert shown[-1, -1].mean() < 100


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASTALIA_HOME", str(tmp_path_factory.mktemp("home")))
        return Studio()


def test_the_files_of_an_explanation_are_marked_and_both_languages_are_read(studio: Studio, tmp_path: Path) -> None:
    work = studio.create("picture", "blue cat", seed=1, size=128)
    explained = studio.explain(work)
    assert isinstance(explained, PictureExplanation)
    assert explained.wrote_it
    assert explained.same
    for kind in ("svg", "png", "html", "json"):
        path = studio.export_explanation(work, explained, tmp_path / f"why.{kind}")
        assert verify(path, find=studio.record_of, anchors=studio.keys.anchors()).work == work.id, kind
    assert json.loads((tmp_path / "why.json").read_text())["parts"][0]["gap"]
    picture = work.content.picture
    sheet = Image.open(io.BytesIO(explanation_file(explained, picture, "png")))
    assert sheet.width == 1600
    page = explanation_file(explained, picture, ".html").decode()
    assert page.count("<image") == 1 + 2 * len(explained.parts) + len(explained.near)
    with pytest.raises(UsageError, match="svg, png, html, json"):
        explanation_file(explained, picture, "doc")
    try:
        for language, words in (("en", "left out"), ("zh", "去掉")):
            use(language)
            assert words in tell(explained, picture)
            assert all(len(line) < 200 for line in tell(explained, picture).splitlines())
    finally:
        use("en")


def test_another_model_says_that_it_did_not_make_the_work(studio: Studio) -> None:
    work = studio.create("picture", "blue cat", seed=1, size=128)
    other = work.model_copy(update={"evidence": work.evidence.model_copy(update={"digest": "0" * 64})})
    explained = studio.explain(other)
    assert not explained.wrote_it
    assert "did not make" in tell(explained, other.content.picture)


def test_the_command_explains_and_says_what_it_cannot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path))
    mine = Studio()
    made = mine.create("picture", "red apple", seed=2, size=128)
    tile = mine.create("pattern", picture=made.content.picture, seed=2)
    mine.close()
    done = CliRunner().invoke(command, [made.id, "--json", "-o", str(tmp_path / "why.svg")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "why.svg").read_text().startswith("<svg")
    with pytest.raises(UsageError, match="pattern"):
        Studio().explain(tile)
