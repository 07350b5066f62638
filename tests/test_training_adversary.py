"""The adversary: its losses in exact numbers, and that it learns; the critic of four voices in torch and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs castalia[train]")

import torch
from torch import nn

from castalia.modalities.music.voices.critic import FEATURES, features
from castalia.training.adversary import Adversary, pairwise, zero_centred
from castalia.training.chorales.critic import CriticNetwork, numpy_critic


def test_the_pairing_loss_in_exact_numbers() -> None:
    real, made = torch.tensor([1.0, 0.0, -2.0]), torch.tensor([0.0, 0.0, 1.0])
    wanted = sum(math.log1p(math.exp(gap)) for gap in (-1.0, 0.0, 3.0)) / 3
    assert float(pairwise(real, made)) == pytest.approx(wanted, rel=1e-6)
    assert float(pairwise(made, real)) == pytest.approx(wanted + (1.0 - 3.0) / 3, rel=1e-6)


def test_the_penalty_is_the_squared_slope() -> None:
    inputs = torch.tensor([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0]], requires_grad=True)
    scores = (inputs.square() * torch.tensor([1.0, 0.5])).sum(1)  # slopes (2x, y)
    assert float(zero_centred(scores, inputs).detach()) == pytest.approx((4 + 4 + 0 + 1 + 36 + 1) / 3)


def test_a_linear_discriminator_finds_the_side_and_stays_bounded() -> None:
    torch.manual_seed(0)
    steep, flat = (nn.Sequential(nn.Linear(2, 1, bias=False), nn.Flatten(0)) for _ in range(2))
    figures = {}
    for name, network, penalty in (("steep", steep, 0.0), ("flat", flat, 2.0)):
        adversary = Adversary(network, rate=0.02, penalty=penalty)
        for _ in range(300):
            real = torch.randn(64, 2) + torch.tensor([1.5, 0.0])
            figures[name] = adversary.learn(real, torch.randn(64, 2) - torch.tensor([1.5, 0.0]))
    assert figures["flat"]["right"] > 0.9
    assert flat[0].weight[0, 0].item() > 5 * abs(flat[0].weight[0, 1].item())
    assert flat[0].weight.norm().item() < 0.5 * steep[0].weight.norm().item()


def test_gradients_reach_what_was_made() -> None:
    network = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    made = torch.zeros((4, 2), requires_grad=True)
    Adversary(network, rate=0.1, penalty=0.0).loss(made, torch.ones(4, 2)).backward()
    assert made.grad is not None
    assert made.grad.abs().sum() > 0


def test_features_do_not_know_the_key() -> None:
    piece = np.array([[72, 67, 60, 48], [74, 67, 59, 43], [0, 67, 60, 48]])
    heard = features(piece)
    assert heard.shape == (3, FEATURES)
    np.testing.assert_array_equal(heard, features(np.where(piece > 0, piece + 5, 0)))
    assert (heard.sum(1) == 11).all()  # six intervals, four steps, one place


def test_torch_and_numpy_hear_the_same() -> None:
    torch.manual_seed(1)
    network = CriticNetwork(16, 0.3).eval()
    piece = np.random.default_rng(2).integers(40, 80, (50, 4))
    wanted = float(network(torch.from_numpy(features(piece))[None]).detach())
    assert numpy_critic(network).score(piece) == pytest.approx(wanted, abs=1e-5)
