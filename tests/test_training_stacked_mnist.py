"""Stacked-MNIST: its measures in exact numbers, its pictures, and that a run which stopped is the same run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs castalia[train]")

import torch

from castalia.core.errors import MissingError
from castalia.training.adversary import Settling
from castalia.training.stacked_mnist.augment import CUT, MOVED, differentiable
from castalia.training.stacked_mnist.classifier import Classifier, accuracy, modes_of, train_classifier
from castalia.training.stacked_mnist.digits import COLOURS, MODES, SIDE, TESTED, Digits, Stacks, read_digits
from castalia.training.stacked_mnist.measure import floor, found
from castalia.training.stacked_mnist.network import SMALL, TINY, Discriminator, Generator, normalised, weights
from castalia.training.stacked_mnist.recipe import Recipe, Training, pictures_of, train

TINY_RECIPE = Recipe(size=TINY, batch=4, rate=Settling(1e-2, 1e-3, 4), penalty=Settling(1.0, 0.1, 4), average=0.5)


def bars(count: int, seed: int = 0) -> Digits:
    """Digits to tell apart with ease: class n is a bright bar in row 3n + 1, with some noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 10
    pictures = np.full((count, SIDE, SIDE), -1, np.float32) + rng.uniform(0, 0.3, (count, SIDE, SIDE)).astype("f")
    for picture, label in zip(pictures, labels, strict=True):
        picture[3 * label + 1 : 3 * label + 3, 6:26] = 1
    return Digits(pictures, labels, "bars")


@pytest.fixture(scope="module")
def stacks() -> Stacks:
    return Stacks(bars(40))


def test_an_even_spread_has_no_divergence() -> None:
    seen = found(np.tile(np.arange(MODES), 26))
    assert (seen.modes, seen.pictures) == (1000, 26_000)
    assert seen.kl == pytest.approx(0, abs=1e-12)


def test_one_mode_has_the_most() -> None:
    seen = found(np.full(26_000, 7))
    assert (seen.modes, seen.kl) == (1, pytest.approx(math.log(1000)))


def test_half_of_the_modes_cost_one_bit() -> None:
    seen = found(np.repeat(np.arange(0, 1000, 2), 4))
    assert (seen.modes, seen.kl) == (500, pytest.approx(math.log(2)))


def test_two_modes_unevenly() -> None:
    seen = found(np.array([3, 3, 3, 999]))
    assert seen.modes == 2
    assert seen.kl == pytest.approx(math.log(1000) + 0.75 * math.log(0.75) + 0.25 * math.log(0.25))


def test_even_draws_stand_at_the_floor() -> None:
    assert floor(26_000) == pytest.approx(0.01921, abs=1e-5)
    kl = [found(np.random.default_rng(seed).integers(MODES, size=26_000)).kl for seed in range(8)]
    assert np.mean(kl) == pytest.approx(floor(26_000), rel=0.03)


def test_networks_fit_the_protocol() -> None:
    generator, discriminator = Generator(SMALL), Discriminator(SMALL)
    assert weights(generator, discriminator) <= 2_000_000
    assert weights(torch.nn.Linear(3, 5)) == 20
    made = generator(torch.randn(2, SMALL.noise))
    assert made.shape == (2, COLOURS, SIDE, SIDE)
    assert discriminator(made).shape == (2,)


def test_a_score_does_not_know_its_batch() -> None:
    torch.manual_seed(0)
    discriminator, pictures = Discriminator(TINY), torch.randn(6, COLOURS, SIDE, SIDE)
    alone = torch.cat([discriminator(each[None]) for each in pictures])
    torch.testing.assert_close(discriminator(pictures), alone, atol=1e-5, rtol=1e-4)


def test_a_normalised_generator_does_not_know_its_batch() -> None:
    torch.manual_seed(0)
    generator, noise = Generator(TINY), torch.randn(600, TINY.noise)
    fresh = generator(noise[:6]).detach()
    normalised(generator, noise, at_once=200)
    together = generator(noise[:6]).detach()
    alone = torch.cat([generator(each[None]) for each in noise[:6]]).detach()
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)
    assert not torch.equal(together, fresh)
    mean = generator.enter(noise).view(600, -1, 4, 4).mean((0, 2, 3))
    found = next(each for each in generator.modules() if isinstance(each, torch.nn.BatchNorm2d)).running_mean
    torch.testing.assert_close(found, mean.detach(), atol=1e-5, rtol=1e-3)


def test_stacks_are_drawn_evenly_and_by_their_chance(stacks: Stacks) -> None:
    one, again, other = (stacks.draw(np.random.default_rng(seed), 500) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    rows = one[:, :, 1:31, 6:26].mean(3)[:, :, ::3]  # the bar's first row of each class
    often = np.bincount(rows.argmax(2).flatten().numpy(), minlength=10)
    assert often.sum() == 1500
    assert (abs(often - 150) < 5 * math.sqrt(135)).all()


def test_digits_are_read_bordered_and_parted(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ink = rng.integers(0, 256, (TESTED + 30, 28, 28), dtype=np.uint8)
    np.savez(path := tmp_path / "digits.npz", pictures=ink, labels=np.arange(len(ink)) % 10)
    digits = read_digits(path)
    assert digits.pictures.shape == (TESTED + 30, SIDE, SIDE)
    assert (digits.pictures[:, :2] == -1).all()
    np.testing.assert_allclose((digits.pictures[:, 2:-2, 2:-2] + 1) * 127.5, ink, atol=1e-4)
    learned, tested = digits.parts()
    assert (len(learned.labels), len(tested.labels)) == (30, TESTED)
    kept = {each.tobytes() for part in (learned, tested) for each in part.pictures}
    assert kept == {each.tobytes() for each in digits.pictures}


def test_without_digits_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError) as raised:
        read_digits(tmp_path / "none.npz")
    assert "tools/fetch_digits.py" in str(raised.value.hint)


def test_the_classifier_learns_and_reads_colours_in_order() -> None:
    network = train_classifier(bars(400), epochs=3, batch=40)
    assert accuracy(network, bars(100, seed=1)) > 0.9
    pictures = torch.from_numpy(bars(10).pictures)
    named = [int(each) for each in network(pictures[:, None]).argmax(1)]
    seen = modes_of(network, torch.stack([pictures[[1, 2, 3]], pictures[[0, 0, 9]]]))
    assert seen.tolist() == [100 * named[1] + 10 * named[2] + named[3], 110 * named[0] + named[9]]


def test_what_lies_outside_is_read_as_the_nearest_colour() -> None:
    torch.manual_seed(0)
    network, pictures = Classifier(2).eval(), torch.randn(20, COLOURS, SIDE, SIDE) * 3
    assert modes_of(network, pictures).tolist() == modes_of(network, pictures.clamp(-1, 1)).tolist()


@pytest.mark.parametrize("change", [{}, {"paired": False, "both": False}, {"augment": True}])
def test_four_steps_are_two_and_two(tmp_path: Path, stacks: Stacks, change: dict[str, bool]) -> None:
    recipe = replace(TINY_RECIPE, **change)
    whole = Training(stacks, recipe, tmp_path / "whole")
    for _ in range(4):
        whole.update()
    first = Training(stacks, recipe, tmp_path / "parts")
    for _ in range(2):
        first.update()
    first.save()
    torch.manual_seed(99)
    second = Training(stacks, recipe, tmp_path / "parts")
    assert second.step == 2
    figures = [second.update(), second.update()]
    assert figures[0] != figures[1]
    for name in ("generator", "mean", "discriminator"):
        for one, other in zip(*(getattr(each, name).parameters() for each in (whole, second)), strict=True):
            assert torch.equal(one, other)
    before = zip(first.mean.parameters(), second.mean.parameters(), strict=True)
    assert any(not torch.equal(one, other) for one, other in before)


def test_training_stops_at_its_limits(tmp_path: Path, stacks: Stacks) -> None:
    lines: list[Mapping[str, Any]] = []
    training = Training(stacks, TINY_RECIPE, tmp_path / "run")
    train(training, steps=5, log=lines.append, every=2)
    assert [line["step"] for line in lines] == [2, 4, 5]
    assert all(line["processor_seconds"] >= 0 for line in lines)
    assert Training(stacks, TINY_RECIPE, tmp_path / "run").step == 5
    train(training, minutes=0, log=lines.append)
    train(training, processor_minutes=0, log=lines.append)
    assert (training.step, len(lines)) == (5, 3)


def test_pictures_are_a_function_of_the_seed() -> None:
    generator = Generator(TINY)
    one, again, other = (pictures_of(generator, TINY, 7, seed=seed) for seed in (1, 1, 2))
    assert one.shape == (7, COLOURS, SIDE, SIDE)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    torch.testing.assert_close(one, pictures_of(generator, TINY, 7, seed=1, at_once=2), atol=1e-5, rtol=1e-4)


def test_augmentation_keeps_the_ground_and_passes_gradients() -> None:
    torch.manual_seed(0)
    ground = torch.full((8, COLOURS, SIDE, SIDE), -1.0)
    assert torch.equal(differentiable(ground), ground)
    pictures = ground.clone()
    pictures[:, :, 8:24, 8:24] = 1.0
    changed = differentiable(pictures.requires_grad_())
    assert not torch.equal(changed, pictures)
    outside = 8 - MOVED
    assert (changed[:, :, :outside] == -1).all()
    assert (changed[:, :, :, -outside:] == -1).all()
    changed.sum().backward()
    assert pictures.grad is not None
    assert 0.2 < float(pictures.grad[:, :, 8:24, 8:24].mean()) < 1.5
    assert float((changed > -1).float().mean()) > 0.25 - (CUT + 1) ** 2 / SIDE**2
