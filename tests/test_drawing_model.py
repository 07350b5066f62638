"""The drawing model: numpy draws what torch draws, and what is asked of it changes what is drawn as it should."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from picture_shapes import COLOURS, REACHES, shape

pytest.importorskip("torch", reason="needs castalia[train]")

import torch
from safetensors.torch import load_file
from torch import Tensor

from castalia.core.errors import MissingError, UsageError
from castalia.core.picture import DirectStep, MixStep, Picture, RedrawStep
from castalia.core.rounded import STEP, WHOLE
from castalia.modalities.image.draw.folder import PARTS
from castalia.modalities.image.draw.model import DrawingModel, resized
from castalia.modalities.image.draw.shapes import shapes
from castalia.training import Collection
from castalia.training.images.autoencode import pixels_of, tensor
from castalia.training.images.network import LARGE, SMALL, TINY, Decoder, Encoder, Generator, Size

WORDS = ("red circle", "a blue square", "green triangles, shape")


@pytest.fixture(scope="module")
def model(shapes_model: Path) -> DrawingModel:
    return DrawingModel(shapes_model)


class Learned:
    """The same weights in the networks that were trained."""

    def __init__(self, model: DrawingModel) -> None:
        held = load_file(model.path / "weights.safetensors")
        whole = {name: _whole(held, name) for name in held if not name.endswith(STEP)}
        self.weights: Mapping[str, Tensor] = {name.removesuffix(WHOLE): value for name, value in whole.items()}
        size = Size(**model.card["recipe"]["size"])
        self.encoder, self.decoder = Encoder(size), Decoder(size)
        self.generator = Generator(size, len(model.vocabulary.words))
        for name in ("encoder", "decoder", "generator"):
            own = {key.removeprefix(f"{name}."): each for key, each in self.weights.items() if key.startswith(name)}
            getattr(self, name).load_state_dict(own)
        self.mean, self.deviation = (self.weights[name][:, None, None] for name in ("mean", "deviation"))


def _whole(held: Mapping[str, Tensor], name: str) -> Tensor:
    value = held[name].float()
    if not name.endswith(WHOLE):
        return value
    return value * held[name.removesuffix(WHOLE) + STEP].reshape(-1, *[1] * (value.ndim - 1))


@pytest.fixture(scope="module")
def learned(model: DrawingModel) -> Learned:
    return Learned(model)


def picture(name: str, colour: str, reach: int = REACHES[1]) -> Picture:
    return Picture.of(shape(name, COLOURS[colour][0], reach), made_by="person")


def far(first: np.ndarray, second: np.ndarray) -> float:
    """Mean difference of levels."""
    return float(np.abs(first.astype(float) - second).mean())


# ---------------------------------------------------------------- parity


def test_some_weights_are_kept_in_eight_bits_and_none_is_left_over(model: DrawingModel, learned: Learned) -> None:
    held = load_file(model.path / "weights.safetensors")
    kept = {name.removesuffix(WHOLE) for name in held if name.endswith(WHOLE)}
    assert {"encoder.enter.weight", "decoder.leave.weight", "generator.table.weight"} <= kept
    networks = ("encoder", "decoder", "generator")
    parts = {f"{name}.{key}" for name in networks for key in getattr(learned, name).state_dict()}
    assert set(learned.weights) == parts | {"mean", "deviation"}


@pytest.mark.parametrize("words", WORDS)
def test_words_become_the_same_latents_and_pixels(model: DrawingModel, learned: Learned, words: str) -> None:
    numbers = model.read(words).numbers
    assert len(numbers) >= 3
    given = torch.tensor([[*numbers, 0, 0]])  # what is filled up is not read
    network = model.network
    with torch.no_grad():
        code = learned.generator.meant(given)
        latents = learned.generator(given, code)
        drawn = pixels_of(learned.decoder(latents * learned.deviation + learned.mean))[0]
    own = network.meant(numbers)
    np.testing.assert_allclose(own, code[0].numpy(), atol=1e-4)
    made = network.latents(numbers, own)
    np.testing.assert_allclose(made, latents[0].permute(1, 2, 0).numpy(), atol=1e-4)
    assert np.abs(network.pixels(made).astype(int) - drawn).max() <= 1


@pytest.mark.parametrize("of", [("circle", "red"), ("triangle", "blue")])
def test_pixels_become_the_same_latents_and_code(model: DrawingModel, learned: Learned, of: tuple[str, str]) -> None:
    pixels = resized(shape(of[0], COLOURS[of[1]][0]), model.network.side)
    with torch.no_grad():
        latents = (learned.encoder(tensor(pixels[None]))[0] - learned.mean) / learned.deviation
        code = learned.generator.code(latents)[0].numpy()
    made = model.network.encoded(pixels)
    np.testing.assert_allclose(made, latents[0].permute(1, 2, 0).numpy(), atol=1e-4)
    np.testing.assert_allclose(model.network.code(made), code, atol=1e-4, rtol=1e-4)


# ---------------------------------------------------------------- drawing


def test_the_same_seed_draws_the_same_picture_and_another_one_another(model: DrawingModel) -> None:
    first, again, other = (model.draw("red circle", "", seed, 64) for seed in (1, 1, 2))
    assert (first.shape, first.dtype) == ((64, 64, 3), np.uint8)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(DrawingModel(model.path).draw("red circle", "", 1, 64), first)


def test_other_words_draw_another_picture(model: DrawingModel) -> None:
    assert not np.array_equal(model.draw("red circle", "", 1, 32), model.draw("blue square", "", 1, 32))


def test_chinese_draws_what_english_draws(model: DrawingModel) -> None:
    assert model.read("一个红色的圆形").numbers == model.read("a red circle").numbers
    assert np.array_equal(model.draw("红色圆形", "", 3, 32), model.draw("red circle", "", 3, 32))


def test_words_that_are_not_known_are_told(model: DrawingModel) -> None:
    assert list(model.unknown("a red submarine under 火箭")) == ["submarine", "under", "火", "箭"]
    with pytest.raises(UsageError, match="submarine") as caught:
        model.draw("a submarine", "", 1, 64)
    assert "train image" in caught.value.hint
    with pytest.raises(UsageError, match="none of these words"):
        model.redraw(RedrawStep("again", picture("circle", "red"), "submarine"), 1)
    with pytest.raises(UsageError, match="none of these words"):
        model.mix(MixStep("mixed", (picture("circle", "red"), picture("square", "blue")), ("red circle", "submarine")))


def test_a_style_that_is_not_known_is_told_with_those_that_are(model: DrawingModel) -> None:
    assert model.read("red circle").known == ("red", "circle", "plain")
    with pytest.raises(UsageError, match="cubist") as caught:
        model.draw("red circle", "cubist", 1, 64)
    assert caught.value.hint == "Use one of: plain."


def test_a_direction_that_is_not_known_is_told(model: DrawingModel) -> None:
    with pytest.raises(UsageError, match="sideways") as caught:
        model.direct(DirectStep("moved", picture("circle", "red"), "red circle", "sideways"))
    assert caught.value.hint


def reconstructed(model: DrawingModel, given: Picture, words: str) -> np.ndarray:
    """A picture's own code, drawn."""
    code = model.network.code(model.network.encoded(resized(given.pixels, model.network.side)))
    return resized(model.drawn(model.read(words).numbers, code), given.width)


def test_a_picture_redrawn_without_strength_is_its_reconstruction_and_with_all_is_not(model: DrawingModel) -> None:
    given = picture("square", "blue")
    near, between, away = (
        model.redraw(RedrawStep("again", given, "blue square", strength=strength), 4) for strength in (0.0, 0.5, 1.0)
    )
    own = reconstructed(model, given, "blue square")
    assert far(near, own) == 0
    assert 0 < far(between, own) < far(away, own)


def test_the_ends_of_a_mix_are_the_pictures_own_reconstructions(model: DrawingModel) -> None:
    both, words = (picture("circle", "red"), picture("square", "blue")), "red circle"
    own = [reconstructed(model, each, words) for each in both]
    ends = [model.mix(MixStep("mixed", both, (words, words), share=share)) for share in (0.0, 1.0)]
    assert far(ends[0], own[0]) == 0
    assert far(ends[1], own[1]) < 0.1 < far(own[0], own[1])


def test_the_nearest_is_a_picture_that_was_learned(model: DrawingModel, shapes: Collection) -> None:
    for name in ("red-circle-46.png", "blue-square-30.png", "brown-triangle-30.png"):
        assert shapes.split[name] == "train"
        found = model.nearest(shapes.pieces[name].pixels)
        assert found.name == name
        assert found.far < 2  # levels: a side of 32 pixels lies between
        assert found.alike
        assert found.alike > 0.5  # it learned them four times smaller
    assert model.nearest(np.zeros((50, 50, 3), np.uint8)).far > 50


# ---------------------------------------------------------------- its folder


@pytest.mark.parametrize("part", PARTS)
def test_a_folder_without_a_part_is_no_model(model: DrawingModel, tmp_path: Path, part: str) -> None:
    shutil.copytree(model.path, tmp_path / "model")
    (tmp_path / "model" / part).unlink()
    with pytest.raises(MissingError, match=part) as caught:
        DrawingModel(tmp_path / "model")
    assert "castalia train image" in caught.value.hint


def test_the_digest_is_of_every_part(model: DrawingModel, tmp_path: Path) -> None:
    digests = {model.digest}
    for part in PARTS:
        shutil.copytree(model.path, tmp_path / part)
        with (tmp_path / part / part).open("ab") as file:
            file.write(b" ")
        digests.add(DrawingModel(tmp_path / part).digest)
    assert len(digests) == 1 + len(PARTS)


@pytest.mark.parametrize("size", [TINY, SMALL, LARGE], ids=["tiny", "small", "large"])
def test_the_studio_knows_which_weights_a_network_has(size: Size) -> None:
    with torch.device("meta"):
        networks = {"encoder": Encoder(size), "decoder": Decoder(size), "generator": Generator(size, 9)}
    own = {
        f"{name}.{key}": tuple(each.shape) for name, net in networks.items() for key, each in net.state_dict().items()
    }
    assert shapes(asdict(size), 9) == own | {"mean": (size.latent,), "deviation": (size.latent,)}


def test_given_pictures_may_have_any_sides_and_alpha(model: DrawingModel) -> None:
    clear = np.zeros((40, 90, 4), np.uint8)
    white = np.full((40, 90, 3), 255, np.uint8)
    drawn = [
        model.redraw(RedrawStep("again", Picture.of(each, made_by="person"), "red circle", strength=0.0), 1)
        for each in (clear, white)
    ]
    assert drawn[0].shape == (90, 90, 3)
    assert np.array_equal(drawn[0], drawn[1])


def test_of_few_words_it_is_not_said_whether_a_picture_agrees_more_with_its_own(model: DrawingModel) -> None:
    """Of a dozen words one that fits as well is a tenth of them: each picture would be told off."""
    assert len(model.vocabulary.words) < 40
    assert model.agreement("red circle", "", model.draw("red circle", "", 1, 64)) is None
