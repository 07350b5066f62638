"""Features of pictures by the real network, and distances of sets in exact numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs castalia[train]")

import torch
from PIL import Image, ImageFilter

from castalia import models
from castalia.training.feature_distance import frechet, kernel, precision_and_coverage
from castalia.training.features import Features, features_of

ESPRESSO = 967
"""Its number among ImageNet's classes."""


@pytest.fixture(scope="module")
def network() -> Features:
    models.pull_network("features")
    return Features.installed()


@pytest.fixture(scope="module")
def coffee() -> Image.Image:
    """A cup of coffee, by Rachel Michetti (CC0)."""
    return Image.open(Path(__file__).parent / "files" / "coffee.jpg").convert("RGB")


def test_it_names_what_a_photograph_shows(network: Features, coffee: Image.Image) -> None:
    pixels = torch.from_numpy(np.array(coffee.resize((224, 224)))).permute(2, 0, 1)[None].float()
    chances = network.classes(pixels / 127.5 - 1)[0].softmax(0)
    assert int(chances.argmax()) == ESPRESSO
    assert float(chances.max()) > 0.25


def test_levels_are_from_fine_to_coarse_and_pass_gradients(network: Features) -> None:
    pictures = torch.randn(2, 3, 64, 64, requires_grad=True)
    found = network.levels(pictures)
    assert [tuple(each.shape[1:]) for each in found] == [
        (16, 32, 32), (24, 16, 16), (40, 8, 8), (112, 4, 4), (1280, 2, 2)
    ]  # fmt: skip
    found[1].sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.any()
    assert not any(each.requires_grad for each in network.parameters())


def test_a_resized_picture_is_nearer_than_a_blurred_one(network: Features, coffee: Image.Image) -> None:
    pictures = [coffee, coffee.resize((224, 224)), coffee.filter(ImageFilter.GaussianBlur(4))]
    own, resized, blurred = features_of(network, [np.array(each) for each in pictures], side=112)
    assert np.linalg.norm(own - resized) < np.linalg.norm(own - blurred) / 3


def test_frechet_of_known_spreads() -> None:
    one = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2]])
    assert frechet(one, one) == pytest.approx(0, abs=1e-6)
    assert frechet(one, one + np.array([3, 4])) == pytest.approx(25)
    # variances 4/3 and 16/3 a side: (√(16/3) - √(4/3))² each
    assert frechet(one - 1, 2 * one - 2) == pytest.approx(2 * (np.sqrt(16 / 3) - np.sqrt(4 / 3)) ** 2)


def test_kernel_of_three_pictures_by_hand() -> None:
    one, other = np.array([[0.0], [1], [2]]), np.array([[1.0], [1], [1]])
    among_one = 2 * (1 + 1 + 27) / 6  # (0·1 + 1)³, (0·2 + 1)³, (1·2 + 1)³, each twice
    among_other, between = 8.0, (1 + 8 + 27) / 3
    assert kernel(one, other) == pytest.approx(1000 * (among_one + among_other - 2 * between))


def test_even_sets_are_not_told_apart_and_others_are() -> None:
    rng = np.random.default_rng(0)
    one, other, far = (rng.standard_normal((300, 8)) + shift for shift in (0, 0, 0.5))
    assert abs(kernel(one, other)) < kernel(one, far) / 5


def test_precision_and_coverage_by_hand() -> None:
    real = np.array([[0.0], [1], [2], [10]])
    assert precision_and_coverage(real, real, near=1) == (1.0, 1.0)
    # within 1 of 0, 1 and 2, within 8 of 10: 30 is near none, 0.5 is near 0 and 1
    assert precision_and_coverage(real, np.array([[0.5], [30.0]]), near=1) == (0.5, 0.5)
