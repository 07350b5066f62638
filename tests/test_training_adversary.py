"""The adversary: its losses in exact numbers, and that it learns; the critic of four voices in torch and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs castalia[train]")

import torch
from torch import nn

from castalia.modalities.music.voices.critic import FEATURES, features
from castalia.training.adversary import PAIRED, SEPARATE, Adversary, Settling, pairwise, zero_centred
from castalia.training.chorales.critic import CriticNetwork, numpy_critic


def test_the_pairing_loss_in_exact_numbers() -> None:
    real, made = torch.tensor([1.0, 0.0, -2.0]), torch.tensor([0.0, 0.0, 1.0])
    wanted = sum(math.log1p(math.exp(gap)) for gap in (-1.0, 0.0, 3.0)) / 3
    assert float(pairwise(real, made)) == pytest.approx(wanted, rel=1e-6)
    assert float(pairwise(made, real)) == pytest.approx(wanted + (1.0 - 3.0) / 3, rel=1e-6)


def test_both_games_in_exact_numbers() -> None:
    def soft(*values: float) -> float:
        return sum(math.log1p(math.exp(each)) for each in values) / len(values)

    real, made = torch.tensor([1.0, 0.0, -2.0]), torch.tensor([0.0, 0.5, 1.0])
    assert float(PAIRED.discriminator(real, made)) == pytest.approx(soft(-1.0, 0.5, 3.0), rel=1e-6)
    assert float(PAIRED.generator(real, made)) == pytest.approx(soft(1.0, -0.5, -3.0), rel=1e-6)
    wanted = soft(-1.0, 0.0, 2.0) + soft(0.0, 0.5, 1.0)
    assert float(SEPARATE.discriminator(real, made)) == pytest.approx(wanted, rel=1e-6)
    assert float(SEPARATE.generator(real, made)) == pytest.approx(soft(0.0, -0.5, -1.0), rel=1e-6)


def test_settings_settle_along_half_a_cosine() -> None:
    setting = Settling(1.0, 0.1, 4)
    wanted = [1.0, 0.55 + 0.45 * math.sqrt(0.5), 0.55, 0.55 - 0.45 * math.sqrt(0.5), 0.1, 0.1]
    assert [setting.at(step) for step in range(6)] == pytest.approx(wanted)
    assert Settling(3.0, 2.0, 0).at(0) == 2.0


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


def test_a_generators_loss_teaches_the_discriminator_nothing() -> None:
    linear = nn.Linear(2, 1)
    linear.bias.requires_grad_(False)
    network = nn.Sequential(linear, nn.Flatten(0))
    made = torch.zeros((4, 2), requires_grad=True)
    Adversary(network, rate=0.1, penalty=0.0).loss(made, torch.ones(4, 2)).backward()
    assert all(each.grad is None for each in network.parameters())
    assert [each.requires_grad for each in network.parameters()] == [True, False]


def slope_two() -> nn.Sequential:
    """Scores are twice the first number."""
    linear = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[2.0, 0.0]]))
    return nn.Sequential(linear, nn.Flatten(0))


@pytest.mark.parametrize(("both", "names"), [(True, {"r1", "r2"}), (False, {"r1"})])
def test_one_or_both_sides_are_penalised(both: bool, names: set[str]) -> None:
    adversary = Adversary(slope_two(), rate=0.1, penalty=0.5, both=both)
    told = adversary.learn(torch.ones(3, 2), torch.zeros(3, 2))
    assert told.keys() - {"loss", "right"} == names
    assert all(told[name] == pytest.approx(4.0) for name in names)
    assert told["loss"] == pytest.approx(math.log1p(math.exp(-2.0)), rel=1e-6)


def test_what_is_made_is_penalised_where_it_is() -> None:
    gradients = {}
    for both in (False, True):
        network = slope_two()
        adversary = Adversary(network, rate=0.0, penalty=0.5, both=both)
        adversary.learn(torch.ones(3, 2), torch.zeros(3, 2))
        slope = next(network.parameters()).grad
        assert slope is not None
        gradients[both] = slope[0, 0].item()
    pull = -1 / (1 + math.exp(2.0))  # of softplus(-w) at w = 2
    assert gradients[False] == pytest.approx(pull + 0.25 * 4.0, rel=1e-5)
    assert gradients[True] == pytest.approx(pull + 0.25 * 8.0, rel=1e-5)


def test_what_is_augmented_is_what_is_scored() -> None:
    adversary = Adversary(slope_two(), rate=0.0, penalty=0.0)
    real, made = torch.ones(3, 2), torch.zeros((3, 2), requires_grad=True)
    loss = adversary.loss(made, real, augment=lambda each: 3 * each + 1)
    assert float(loss.detach()) == pytest.approx(math.log1p(math.exp(6.0)), rel=1e-6)
    loss.backward()
    assert made.grad is not None
    torch.testing.assert_close(made.grad[:, 0], torch.full((3,), -6 / 3 / (1 + math.exp(-6.0))))
    told = adversary.learn(real, made, augment=lambda each: 3 * each + 1)
    assert told["loss"] == pytest.approx(math.log1p(math.exp(-6.0)), rel=1e-5)


def test_settings_are_changed_between_steps() -> None:
    adversary = Adversary(slope_two(), rate=0.1, penalty=1.0)
    adversary.adjust(rate=0.02, penalty=0.0, decay=0.9)
    assert [(group["lr"], group["betas"]) for group in adversary.optimizer.param_groups] == [(0.02, (0.0, 0.9))]
    assert "r1" not in adversary.learn(torch.ones(3, 2), torch.zeros(3, 2))


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
