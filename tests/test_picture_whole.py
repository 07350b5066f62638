"""Pictures the whole way: brief, drawing, marks in every kind of file, library, and again; and what is given to it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import picture_genre
from castalia import genres, provenance
from castalia.cli import main
from castalia.core.errors import MissingError, RefusedError, UsageError
from castalia.core.picture import PaintStep, Picture
from castalia.core.ports import Plan
from castalia.core.values import Brief, Content
from castalia.modalities import image
from castalia.provenance import record as records
from castalia.studio import Studio

LAYERS = {
    "label": "present",
    "implicit": "present",
    "source": "present",
    "c2pa": "trusted",
    "watermark": "present",
    "record": "trusted",
    "library": "present",
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    point = EntryPoint("waves", "picture_genre:GENRE", genres.GROUP)
    known = {**genres._points(), "waves": point}  # pyright: ignore[reportPrivateUsage]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASTALIA_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(genres, "_points", lambda: known)
        made = Studio()
        made.painters = image.Painters(drawer=picture_genre.Waves(), enlarger=picture_genre.Repeater())
        yield made
        made.close()


def layers(studio: Studio, path: Path) -> dict[str, str]:
    report = provenance.verify(path, anchors=studio.keys.anchors(), find=studio.record_of)
    return {each.name: each.state for each in report.layers}


def photo(tmp_path: Path, kind: str = "jpg", size: tuple[int, int] = (96, 78)) -> Path:
    """A file that no studio made."""
    drawn = picture_genre.Waves().draw("a person's own", "", 7, 256)[:130, :160]
    Image.fromarray(drawn).resize(size).save(path := tmp_path / f"photo.{kind}", quality=90)
    return path


# ---------------------------------------------------------------- from words to marked files and back


@pytest.mark.parametrize("face", ["png", "jpg", "webp", "jpeg"])
def test_a_drawn_picture_carries_every_mark_in_every_file(studio: Studio, tmp_path: Path, face: str) -> None:
    work = studio.create("waves", "a red umbrella in the rain", seed=3, size=144, faces=[face])
    picture = work.content.picture
    assert picture
    assert (picture.width, picture.height) == (144, 144)
    assert work.text == "a red umbrella in the rain"
    assert work.record.watermark == work.evidence.watermark != "none"
    assert work.record.watermark_reason == work.evidence.watermark_reason == ""
    assert work.record.action == "generated"
    assert work.record.digital_source_type == records.GENERATED
    assert work.evidence.model == "waves"
    path = studio.export(work, tmp_path / f"umbrella.{face}")
    assert layers(studio, path) == LAYERS
    with Image.open(path) as seen:
        shown = np.asarray(seen.convert("RGB")).astype(int)
    away = np.abs(shown - picture.pixels)[:110]  # above the label
    assert 0 < away.mean() < 6


def test_the_library_gives_it_back_and_it_is_made_again_to_the_last_pixel(studio: Studio) -> None:
    work = studio.create("waves", "雨中的红伞", seed=5, size=128)
    kept = studio.library.get(work.id)
    assert (kept.content, kept.evidence, kept.record) == (work.content, work.evidence, work.record)
    assert kept.content.picture
    assert work.content.picture
    assert kept.content.picture.png == work.content.picture.png
    assert work.record.language == "zh"
    again, differences = studio.remake(work.id)
    assert differences == ()
    assert again.content.picture
    assert again.content.picture.png == work.content.picture.png
    other = studio.create("waves", "雨中的红伞", seed=6, size=128)
    assert other.content.picture != work.content.picture


def test_another_drawing_is_noticed_when_it_is_made_again(studio: Studio) -> None:
    work = studio.create("waves", "a bridge", seed=1, size=128)

    class Other(picture_genre.Waves):
        digest = "0" * 64

        def draw(self, words: str, style: str, seed: int, size: int) -> np.ndarray:
            return super().draw(words, style, seed, size)[::-1]

    before = studio.painters
    studio.painters = image.Painters(drawer=Other())
    try:
        _, differences = studio.remake(work.id)
    finally:
        studio.painters = before
    assert [each.partition(":")[0] for each in differences] == ["the picture differs", "digest"]


def test_a_list_of_works_reads_no_pictures(studio: Studio) -> None:
    work = studio.create("waves", "a list of boats", seed=2, size=128)
    found = studio.library.search("list of boats")[0]
    assert found.id == work.id
    assert found.content.picture is None
    assert studio.library.get(found.id).content.picture == work.content.picture
    assert studio.library.list()[0].text == "a list of boats"


def test_a_deleted_work_leaves_no_pixels(studio: Studio) -> None:
    work = studio.create("waves", "gone soon", seed=2, size=128)
    rows = "SELECT count(*) FROM pictures WHERE work = ?"
    assert studio.library._rows(rows, (work.id,)) == [(1,)]  # pyright: ignore[reportPrivateUsage]
    studio.library.delete(work.id)
    assert studio.library._rows(rows, (work.id,)) == [(0,)]  # pyright: ignore[reportPrivateUsage]


def test_steps_follow_each_other(studio: Studio) -> None:
    work = studio.create("waves", "seen twice", seed=4, size=128)
    assert work.content.picture
    small = picture_genre.Waves().draw("seen twice", "", 4, 64)
    assert np.array_equal(work.content.picture.pixels, small.repeat(2, 0).repeat(2, 1))
    assert work.evidence.model == "repeater"
    assert work.evidence.engine.startswith("numpy; waves ")
    assert studio.remake(work.id)[1] == ()


def test_a_picture_too_small_for_a_watermark_says_so(studio: Studio, tmp_path: Path) -> None:
    work = studio.create("waves", picture=Picture.of(picture_genre.Waves().draw("dot", "", 1, 64)[:24, :24]))
    assert work.record.watermark == work.evidence.watermark == "none"
    assert "48" in work.record.watermark_reason
    assert "does not hold" in work.record.watermark_reason or "too small" in work.record.watermark_reason
    path = studio.export(work, tmp_path / "small.png")
    assert layers(studio, path) | {"label": "present", "watermark": "absent"} == LAYERS | {"watermark": "absent"}


def test_its_description_is_a_marked_text_that_claims_no_watermark(studio: Studio, tmp_path: Path) -> None:
    work = studio.create("waves", "a red umbrella", seed=3, size=128)
    assert work.record.text_sha256 == ""
    path = studio.export(work, tmp_path / "words.txt")
    assert "a red umbrella" in path.read_text()
    found = provenance.verify(path, anchors=studio.keys.anchors(), find=studio.record_of)
    assert found.record
    assert found.record.watermark == "none"
    assert "pixels" in found.record.watermark_reason
    assert not found.broken
    # words that describe a picture are not that picture
    assert studio.find("a red umbrella") is None


def test_formats_are_checked_before_anything_is_drawn(studio: Studio, tmp_path: Path) -> None:
    before = studio.library.count()
    for face in ("gif", "mp3", "docx", "zip"):
        with pytest.raises(UsageError):
            studio.create("waves", "x", seed=1, faces=[face])
    assert studio.library.count() == before
    work = studio.create("waves", "a kite", seed=1, size=128, faces=["txt"])
    assert work.record.watermark != "none"  # a picture is always marked as one
    with pytest.raises(UsageError, match=r"waves is not written as \.mid") as error:
        studio.export(work, tmp_path / "x.mid")
    assert error.value.hint == "Use one of: png, jpg, webp, svg, txt, json."


def test_a_blank_picture_is_refused_and_tried_with_the_next_seed(studio: Studio) -> None:
    class Blank(picture_genre.Waves):
        def draw(self, words: str, style: str, seed: int, size: int) -> np.ndarray:
            return super().draw(words, style, seed, size) if seed == 12 else np.full((size, size, 3), 90, np.uint8)

    before, count = studio.painters, studio.library.count()
    studio.painters = image.Painters(drawer=Blank())
    try:
        assert studio.create("waves", "a hill", seed=10, size=128).tries == 3
        with pytest.raises(RefusedError) as error:
            studio.create("waves", "a hill", seed=20, size=128)
    finally:
        studio.painters = before
    assert {each.rule for each in error.value.best.broken} == {"blank", "low-detail"}
    assert studio.library.count() == count + 1


def test_what_comes_out_the_same_each_time_is_tried_once(studio: Studio, tmp_path: Path) -> None:
    Image.new("RGB", (96, 96), "grey").save(tmp_path / "grey.png")
    with pytest.raises(RefusedError) as error:
        studio.create("pattern", picture=tmp_path / "grey.png")
    assert error.value.tries == 1
    assert "change the brief" in error.value.hint


def test_without_a_model_the_next_step_is_said(tmp_path: Path) -> None:
    brief = Brief(genre="x", words="w", fields=picture_genre.WavesFields(), seed=1)
    plan = Plan(pictures=(picture_genre.DrawStep("a", "w"),))
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(MissingError) as error:
        image.compose(brief, plan, image.Painters(image.Chosen(str(tmp_path))), lambda *_: Content(text=""))
    assert "castalia train image" in error.value.hint


def test_painting_keeps_cover_and_whose_picture_it_is() -> None:
    class Darker:
        name = digest = build = "darker"

        def paint(self, content, style, *, strength, keep_colours) -> np.ndarray:
            assert content.shape[2] == 3
            return (content * (1 - strength)).astype(np.uint8) if isinstance(style, str) else style

    brief = Brief(genre="x", words="w", fields=picture_genre.WavesFields(), seed=1)
    clear = np.full((5, 6, 4), 200, np.uint8)
    clear[..., 3] = 77
    mine = Picture.of(clear, "mine", made_by="person")
    style = Picture.of(np.full((5, 6, 3), 9, np.uint8))
    for how, level in (("night", 100), (style, 9)):
        draft = image.compose(
            brief,
            Plan(pictures=(PaintStep("a", mine, how, strength=0.5),)),
            image.Painters(painter=Darker()),
            lambda brief, parts: picture_genre.assembled(brief, parts["a"]),
        )
        made = draft.content.picture
        assert made
        assert (made.pixels == [level, level, level, 77]).all()
        assert (made.made_by, made.described, draft.evidence.action) == ("person", "mine", "modified")


# ---------------------------------------------------------------- what is given


def test_a_persons_picture_is_changed_and_said_to_be(studio: Studio, tmp_path: Path) -> None:
    path = photo(tmp_path)
    work = studio.create("waves", picture=str(path), seed=1)
    assert work.content.picture
    assert (work.content.picture.width, work.content.picture.height) == (192, 156)
    assert work.record.action == work.evidence.action == "modified"
    assert work.record.digital_source_type == records.MODIFIED
    assert work.record.parents == ()
    assert layers(studio, studio.export(work, tmp_path / "large.webp")) == LAYERS
    path.unlink()
    assert studio.remake(work.id)[1] == ()  # the library keeps what was given
    longer = studio.create("waves", picture=work.id, seed=1)
    assert longer.record.parents == (work.id,)
    assert longer.record.action == "modified"  # it is still that person's


@pytest.mark.parametrize("given", ["file", "id", "words", "id as words"])
def test_a_work_given_again_is_a_parent_and_stays_a_models(studio: Studio, tmp_path: Path, given: str) -> None:
    work = studio.create("waves", "a boat", seed=1, size=128)
    path = studio.export(work, tmp_path / "boat.jpg")
    words = {"words": str(path), "id as words": work.id[:13]}.get(given, "")
    fields = {"picture": {"file": path, "id": work.id}[given]} if not words else {}
    made = studio.create("waves", words, seed=2, **fields)
    assert made.record.parents == (work.id,)
    assert made.record.action == "generated"
    assert made.brief.words == ""
    assert made.brief.fields.model_dump()["picture"]["described"] == "a boat"
    assert studio.library.parents(made.id) == [work.id]
    assert made.content.picture
    assert made.content.picture.width == 256


def test_a_file_that_the_studio_wrote_stands_for_its_work_without_the_label(studio: Studio, tmp_path: Path) -> None:
    work = studio.create("waves", "a boat", seed=1, size=256)
    path = studio.export(work, tmp_path / "boat.png")
    made = studio.create("waves", picture=path, seed=2)
    assert made.brief.fields.model_dump()["picture"]["png"] == (work.content.picture and work.content.picture.png)
    with Image.open(path) as seen:  # somebody's change is theirs, and stays
        seen.putpixel((0, 0), (1, 2, 3))
        seen.save(tmp_path / "changed.png")
    changed = studio.create("waves", picture=tmp_path / "changed.png", seed=2)
    assert changed.record.parents == (work.id,)
    assert changed.brief.fields.model_dump()["picture"]["png"] != made.brief.fields.model_dump()["picture"]["png"]


def test_a_crop_without_labels_is_known_by_its_watermark(studio: Studio, tmp_path: Path) -> None:
    work = studio.create("waves", "a tall tree", seed=1, size=256)
    with Image.open(studio.export(work, tmp_path / "tree.png")) as seen:
        seen.crop((10, 5, 250, 215)).save(tmp_path / "crop.png")
    made = studio.create("waves", picture=tmp_path / "crop.png", seed=2)
    assert made.record.parents == (work.id,)
    assert made.record.action == "generated"


def test_another_models_picture_is_no_persons(studio: Studio, tmp_path: Path) -> None:
    path = photo(tmp_path, "png")
    marked = studio.mark_file(path, tmp_path / "marked.png", action="generated", model="elsewhere")
    made = studio.create("waves", picture=tmp_path / "marked.png")
    assert made.record.action == "generated"
    assert made.record.parents == (marked.record.id,)


def test_what_was_left_out_is_noted(studio: Studio, tmp_path: Path) -> None:
    frames = [Image.fromarray(picture_genre.Waves().draw(words, "", 1, 96)) for words in ("a", "b")]
    frames[0].save(tmp_path / "two.gif", save_all=True, append_images=frames[1:], duration=40)
    work = studio.create("waves", picture=str(tmp_path / "two.gif"), seed=1)
    note = next(each for each in work.findings if each.rule == "reading")
    assert (note.found, note.place, note.severity) == ("the first frame of an animation", "two.gif", "note")


def test_words_that_name_no_picture_are_words(studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boat").write_bytes(photo(tmp_path).read_bytes())
    for words in ("boat", "face", "a photo.jpg of mine", "boat at photo.png"):
        brief, _ = studio.given.brief(picture_genre.GENRE, words, 1, (), {})
        assert (brief.words, brief.fields.model_dump()["picture"]) == (words, None)
    with pytest.raises(UsageError, match=r"no file missing\.jpg"):
        studio.given.brief(picture_genre.GENRE, "missing.jpg", 1, (), {})
    (tmp_path / "words.png").write_text("no picture")
    with pytest.raises(UsageError, match="cannot be used"):
        studio.given.brief(picture_genre.GENRE, "", 1, (), {"picture": "words.png"})
    tune = studio.create("melody", "a walk", seed=1, bars=4)
    with pytest.raises(UsageError, match="holds no picture"):
        studio.given.brief(picture_genre.GENRE, "", 1, (), {"picture": tune.id})
    with pytest.raises(UsageError, match="brief is empty"):
        studio.given.brief(picture_genre.GENRE, "", 1, (), {})


def test_a_score_may_be_given_by_its_works_id(studio: Studio) -> None:
    tune = studio.create("melody", "a walk", seed=1, bars=4)
    longer = studio.create("melody", "", continued=tune.id[:8], seed=2, bars=4)
    assert longer.record.parents == (tune.id,)
    assert longer.content.score
    assert tune.content.score
    assert longer.content.score.parts[0].notes[:3] == tune.content.score.parts[0].notes[:3]


def test_one_switch_keeps_every_name_off_the_disk(studio: Studio, tmp_path: Path) -> None:
    closed = Studio(read_files=False)
    closed.painters = studio.painters
    path = photo(tmp_path, "png")
    (tmp_path / "poem.txt").write_text("a poem that nobody may read")
    try:
        for given in (str(path), path, "/etc/passwd", "missing.png"):
            with pytest.raises(UsageError, match="No file is read by its name here") as error:
                closed.create("waves", picture=given)
            assert error.value.hint
        with pytest.raises(UsageError, match="No file is read by its name here"):
            closed.create("melody", continued=str(tmp_path / "x.abc"))
        brief, _ = closed.given.brief(picture_genre.GENRE, str(path), 1, (), {})
        assert brief.fields.model_dump()["picture"] is None
        song = genres.find("song")
        brief, _ = closed.given.brief(song, "", 1, (), {"lyrics": str(tmp_path / "poem.txt")})
        assert brief.fields.model_dump()["lyrics"] == str(tmp_path / "poem.txt")
        work = studio.create("waves", "a boat", seed=1, size=128)
        assert closed.create("waves", picture=work.id, seed=1).record.parents == (work.id,)
        mine = Picture.of(np.asarray(Image.open(path)), made_by="person")
        assert closed.create("waves", picture=mine, seed=1).record.action == "modified"
    finally:
        closed.close()


def test_what_was_said_counts_without_the_pixels(studio: Studio) -> None:
    mine = Picture.of(picture_genre.Waves().draw("x", "", 1, 128), "a harbour at night", made_by="person")
    brief, _ = studio.given.brief(picture_genre.GENRE, "", 1, (), {"picture": mine})
    assert brief.said == "a harbour at night"
    chinese = Picture.of(mine.pixels, "夜晚的港口")
    brief, _ = studio.given.brief(picture_genre.GENRE, "", 1, (), {"picture": chinese})
    assert brief.fields.language == "zh"


# ---------------------------------------------------------------- the command line


def test_the_command_line_makes_shows_exports_and_remakes(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str, code: int = 0) -> tuple[str, str]:
        monkeypatch.setattr("sys.argv", ["castalia", *arguments])
        with pytest.raises(SystemExit) as left:
            main.run()
        shown = capsys.readouterr()
        assert int(left.value.code or 0) == code, shown
        return shown.out, shown.err

    monkeypatch.setattr(Studio, "painters", studio.painters)
    out = tmp_path / "lamp.png"
    shown, told = run("create", "waves", "a lamp", "--seed", "9", "-o", "size=128", "-O", str(out))
    assert "AI-generated" in shown
    assert f"wrote {out}" in told
    assert "128 × 128 pixels" in told
    checked = json.loads(run("verify", str(out), "--json")[0])
    assert {each["name"]: each["state"] for each in checked["layers"]} == LAYERS
    shown, _ = run("create", "waves", "", "--picture", str(out), "--json", "-O", str(tmp_path / "large.webp"))
    work = json.loads(shown)
    assert work["picture"] == {"width": 256, "height": 256}
    assert work["files"] == {"webp": str(tmp_path / "large.webp")}
    assert work["castalia"]["watermark"] != "none"
    assert len(shown) < 6_000
    shown, told = run("works", "show", work["id"][:8])
    assert "picture: 128 × 128 pixels" in told
    assert f"castalia works export {work['id'][:8]} waves.png" in told
    assert len(shown + told) < 6_000
    run("works", "export", work["id"][:8], str(tmp_path / "again.jpg"))
    with Image.open(io.BytesIO((tmp_path / "again.jpg").read_bytes())) as seen:
        assert (seen.format, seen.size) == ("JPEG", (256, 256))
    assert "the same" in run("works", "remake", work["id"])[1]
    assert "waves" in run("works", "list")[0]
    assert "There is no file" in run("create", "waves", str(tmp_path / "missing.png"), code=2)[1]
