"""Painting: any size, strength, kept colours, styles by name; by the real networks."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from castalia import models
from castalia.core.errors import MissingError, UsageError
from castalia.modalities.image.oklab import oklab
from castalia.modalities.image.paint import StylePainter, networks, paint, style_in, style_named, styles
from pictures_drawn import scene

pytest.importorskip("onnxruntime", reason="pip install 'castalia[pictures]'")


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    models.pull_network("style")


def edges(pixels: np.ndarray) -> np.ndarray:
    """How much each square of 6 pixels differs from the next."""
    cells = pixels.mean(-1)[:126].reshape(21, 6, 32, 6).mean((1, 3))
    return np.hypot(*np.gradient(cells)).ravel()


def test_every_style_has_two_names_and_is_trained_or_drawn():
    known = styles()
    assert len({each.name for each in known} | {each.chinese for each in known}) == 2 * len(known) == 62
    assert sorted(each.number for each in known if each.number is not None) == list(range(26))
    for each in known:
        assert (each.number is None) == (each.draw is not None)
        assert style_named(each.name.replace("-", " ").upper()) == style_named(each.chinese) == each


def test_drawn_styles_are_the_same_each_time_and_unlike_each_other():
    drawn = [each.picture() for each in styles() if each.draw]
    assert all(each.shape == (512, 512, 3) and each.std() > 20 for each in drawn)
    assert np.array_equal(drawn[0], next(each for each in styles() if each.draw).picture())
    assert min(np.abs(drawn[0].astype(int) - each).mean() for each in drawn[1:]) > 20


def test_a_style_that_is_not_there_names_its_neighbours():
    with pytest.raises(UsageError) as caught:
        style_named("charcole")
    assert "charcoal" in caught.value.hint


def test_a_style_is_found_in_words():
    assert style_in("my dog in Charcoal, please").name == "charcoal"  # pyright: ignore[reportOptionalMemberAccess]
    assert style_in("给我画成水墨").name == "ink-wash"  # pyright: ignore[reportOptionalMemberAccess]
    assert style_in("remember the woven-in parts") == style_named("woven")
    assert style_in("remember") is None  # `ember` is not in it


@pytest.mark.parametrize("style", ["ember", "ink-wash"])
def test_a_painting_has_the_size_the_layout_and_not_the_colours_of_its_picture(style):
    picture = scene()
    painted = paint(picture, style=style)
    assert painted.shape == picture.shape
    assert painted.dtype == np.uint8
    assert np.abs(painted.astype(int) - picture).mean() > 15
    same, mirrored = (np.corrcoef(edges(each), edges(painted))[0, 1] for each in (picture, picture[:, ::-1]))
    assert same > 0.4
    assert same > mirrored + 0.2
    assert np.array_equal(paint(picture, style=style), painted)


def test_strength_lies_between_picture_and_painting():
    picture = scene()
    for named in ({"style": "dusk"}, {"style_picture": style_named("mosaic").picture()}):
        away = [np.abs(paint(picture, strength=s, **named).astype(int) - picture).mean() for s in (0, 0.5, 1)]
        assert away[0] < away[1] < away[2]
    assert np.abs(paint(picture, style="dusk", strength=0).astype(int) - picture).mean() < 4  # size, there and back


def test_kept_colours_are_the_pictures():
    picture = scene()
    kept, free = (oklab(paint(picture, style="ember", keep_colours=keep)) for keep in (True, False))
    wanted = oklab(picture)
    assert np.abs(kept[..., 1:] - wanted[..., 1:]).mean() < 0.35 * np.abs(free[..., 1:] - wanted[..., 1:]).mean()


def test_a_larger_picture_is_painted_with_its_own_edges():
    large = np.repeat(np.repeat(scene(192, 48), 7, 0), 7, 1)
    painted = paint(large, style="pale-ink")
    assert painted.shape == large.shape
    # where the picture steps, between its repeated pixels, the painting steps more than elsewhere
    steps = np.abs(np.diff(painted.astype(float).mean(-1), axis=1)).mean(0)
    at, between = steps[6::7].mean(), np.delete(steps, np.s_[6::7]).mean()
    assert at > 1.1 * between


def test_pictures_of_odd_sizes_are_painted():
    for height, width in ((16, 31), (17, 130), (333, 16)):
        assert paint(scene(width, height), style="copper").shape == (height, width, 3)


@pytest.mark.parametrize(
    ("fields", "size"),
    [({}, 64), ({"style": "ember", "style_picture": scene()}, 64), ({"style": "ember", "strength": 1.1}, 64),
     ({"style": "ember"}, 15), ({"style_picture": scene(15, 15)}, 64)],
)  # fmt: skip
def test_what_cannot_be_painted_is_refused(fields, size):
    with pytest.raises(UsageError):
        paint(scene(size, size), **fields)


def test_the_patched_graph_gives_what_the_file_as_it_is_gives_at_384():
    runtime = pytest.importorskip("onnxruntime")
    content = models.network_files("style")["transform.onnx"].read_bytes()
    patched = networks.of_any_size(content)
    assert len(patched) == len(content)
    assert patched != content
    picture = np.random.default_rng(0).random((1, 384, 384, 3), np.float32)
    vector = networks.style_vector(scene())
    found = []
    for graph in (content, patched):
        session = runtime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        names = [each.name for each in session.get_inputs()]
        found.append(session.run(None, dict(zip(names, (picture, vector), strict=True)))[0])
    assert np.array_equal(*found)


def test_without_the_runtime_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    networks._session.cache_clear()
    with pytest.raises(MissingError) as caught:
        paint(scene(), style="ember")
    assert caught.value.hint == "pip install 'castalia[pictures]'"


def test_without_the_network_the_error_says_what_to_pull(home, monkeypatch):
    monkeypatch.setenv("CASTALIA_MODELS", str(home / "models"))
    networks._session.cache_clear()
    with pytest.raises(MissingError) as caught:
        StylePainter().paint(scene(), "ember", strength=1, keep_colours=False)
    assert caught.value.hint == "castalia models pull style"
    networks._session.cache_clear()
