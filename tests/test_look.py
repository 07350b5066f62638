"""Pictures to words by measures, and to outlines."""

from __future__ import annotations

import io
import json
import re
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw, ImageFilter

from castalia.cli.look import look as command
from castalia.core.errors import MissingError, UsageError
from castalia.modalities.image.look import Seen, colour_name, colour_named, look, palette
from castalia.modalities.image.look import text as reading
from castalia.modalities.image.look.composition import flatness, sharpness, symmetry, weight
from castalia.modalities.image.oklab import oklab
from castalia.modalities.image.trace import trace
from pictures_drawn import scene, subject


def flat(width: int = 120, height: int = 80) -> np.ndarray:
    """A yellow sun at the upper left of a navy ground."""
    image = Image.new("RGB", (width, height), (22, 40, 79))
    ImageDraw.Draw(image).ellipse((10, 8, 40, 38), fill=(251, 226, 52))
    return np.asarray(image)


# ------------------------------------------------------------ colours


@pytest.mark.parametrize(
    ("levels", "name"),
    [((250, 5, 5), "scarlet"), ((0, 0, 0), "black"), ((128, 128, 129), "grey"), ((20, 40, 80), "navy"),
     ((255, 255, 255), "white"), ((120, 75, 40), "brown"), ((60, 150, 60), "green")],
)  # fmt: skip
def test_colours_have_the_names_that_people_give_them(levels, name):
    assert colour_name(*levels)[0] == name


def test_every_named_colour_is_called_by_its_own_name_in_both_languages():
    from castalia.modalities.image.look.palette import _named

    names, _ = _named()
    assert len(names) > 40
    for english, chinese in names:
        levels = colour_named(english)
        assert levels is not None
        assert levels == colour_named(chinese)
        assert colour_name(*levels) == (english, chinese)
    assert colour_named("nothing") is None


def test_a_palette_has_the_shares_of_a_picture():
    pixels = np.array([[22, 40, 79]] * 70 + [[251, 226, 52]] * 25 + [[250, 250, 250]] * 5, np.uint8)
    found = palette(oklab(pixels))
    assert [(each.english, each.share) for each in found] == [("navy", 0.7), ("yellow", 0.25), ("white", 0.05)]
    assert found[0].hex == "#16284f"


def test_a_palette_does_not_depend_on_the_order_of_the_pixels():
    pixels = oklab(scene()).reshape(-1, 3)
    mixed = pixels[np.random.default_rng(0).permutation(len(pixels))]
    assert [each.english for each in palette(pixels)] == [each.english for each in palette(mixed)]


# ------------------------------------------------------------ composition


def test_weight_follows_what_stands_out():
    lab = oklab(flat())
    assert weight(lab)[:2] == ("left", "top")
    assert weight(lab[:, ::-1])[:2] == ("right", "top")
    assert weight(lab[::-1, ::-1])[:2] == ("right", "bottom")
    assert weight(lab).gathered > 0.8
    assert weight(oklab(np.full((9, 9, 3), 7, np.uint8))) == ("centre", "middle", 0.0)


def test_symmetry_is_one_of_a_mirrored_picture_and_less_of_others():
    half = oklab(scene(64, 64))[..., 0]
    assert symmetry(np.concatenate([half, half[:, ::-1]], 1)) == pytest.approx(1.0)
    assert symmetry(oklab(flat())[..., 0]) < 0.2


def test_blur_lowers_sharpness():
    sharp = Image.fromarray(flat(200, 160))
    found = [
        sharpness(oklab(np.asarray(sharp.filter(ImageFilter.GaussianBlur(radius))))[..., 0]) for radius in (0, 1, 2, 4)
    ]
    assert found[0] == 1.0
    assert found[0] > found[1] > found[2] > found[3]
    assert found[3] < 0.3


def test_drawings_are_flat_and_photographs_are_not():
    assert flatness(oklab(flat())) > 0.9
    assert flatness(oklab(scene())) < 0.3
    assert (look(flat()).kind, look(scene()).kind) == ("drawing", "photograph")


# ------------------------------------------------------------ words


def test_words_say_what_is_there_in_both_languages():
    seen = look(flat())
    assert seen.words() == (
        "Flat art, wider than high, rather dark, muted. "
        "Colours, most first: navy and yellow. What stands out is in the top left."
    ) or re.fullmatch(r"Flat art, wider than high, .*navy and yellow.*top left\.", seen.words())
    assert "藏青、黄色" in seen.words("zh")
    assert "左上" in seen.words("zh")
    assert "平面绘画" in seen.words("zh")
    assert Seen.model_validate_json(seen.model_dump_json()) == seen


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 40, 3), (40, 1, 4), (3, 3, 4)])
@pytest.mark.parametrize("level", [0, 130, 255])
def test_the_smallest_and_emptiest_pictures_are_described(shape, level):
    words = look(np.full(shape, level, np.uint8)).words()
    assert words.startswith(("One even colour", "Wholly transparent"))
    assert words.endswith(".")


def test_what_is_transparent_has_no_colour():
    colour, alpha = subject()
    pixels = np.dstack([np.where(alpha[..., None] > 0, colour, (0, 255, 0)), alpha * 255]).astype(np.uint8)
    names = {each.english for each in look(pixels).palette}
    assert names == {"red", "indigo"}  # and no green
    assert look(pixels).clear == pytest.approx(1 - (alpha > 0.5).mean(), abs=0.02)


def test_text_is_read_where_a_reader_is_installed(monkeypatch):
    class Result:
        txts, scores = ("HELLO ", "smudge"), (0.99, 0.2)

    reading._reader.cache_clear()
    monkeypatch.setattr(reading, "_reader", lambda: lambda _: Result)
    assert look(flat()).text == ("HELLO",)
    assert "Text in it: HELLO." in look(flat()).words()
    assert look(flat(), text=False).text == ()


def test_without_a_reader_there_is_no_text(monkeypatch):
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    reading._reader.cache_clear()
    assert look(flat()).text == ()
    reading._reader.cache_clear()


def test_the_command_prints_words_or_json(tmp_path, home):
    Image.fromarray(flat()).save(tmp_path / "sun.png")
    plain = CliRunner().invoke(command, [str(tmp_path / "sun.png")])
    assert plain.exit_code == 0
    assert "#16284f" in plain.output
    found = json.loads(CliRunner().invoke(command, [str(tmp_path / "sun.png"), "--json"]).output)
    assert (found["width"], found["height"], found["kind"]) == (120, 80, "drawing")


# ------------------------------------------------------------ tracing


def drawn(svg: str) -> np.ndarray:
    import resvg_py

    return np.asarray(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=96)))).convert("RGBA"))


def test_flat_art_drawn_again_from_its_outlines_is_the_same():
    pytest.importorskip("vtracer", reason="pip install 'castalia[pictures]'")
    picture = flat()
    again = drawn(trace(picture, colours=4))
    assert again.shape == (80, 120, 4)
    assert np.abs(again[..., :3].astype(int) - picture).mean() < 1.5
    colour, alpha = subject()
    pixels = np.dstack([colour, alpha * 255]).astype(np.uint8)
    again = drawn(trace(pixels))
    assert np.abs(again[..., 3] / 255 - alpha).mean() < 0.01


def test_an_outline_file_is_paths_alone():
    pytest.importorskip("vtracer", reason="pip install 'castalia[pictures]'")
    svg = trace(scene(), colours=12)
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="192" height="128" viewBox="0 0 192 128">\n')
    assert set(re.findall(r"</?([a-z]+)", svg)) == {"svg", "path"}
    assert set(re.findall(r" ([a-z]+)=", svg)) <= {"d", "fill", "transform"} | {"xmlns", "width", "height"}
    assert len(set(re.findall(r'fill="(#[0-9a-f]{6})"', svg))) <= 12
    assert trace(scene(), colours=12) == svg


def test_what_cannot_be_traced_is_refused(monkeypatch):
    for picture, colours in ((flat(), 1), (flat(), 65), (np.zeros((3, 2049, 3), np.uint8), 8)):
        with pytest.raises(UsageError):
            trace(picture, colours=colours)
    monkeypatch.setitem(sys.modules, "vtracer", None)
    with pytest.raises(MissingError) as caught:
        trace(flat())
    assert caught.value.hint == "pip install 'castalia[pictures]'"
