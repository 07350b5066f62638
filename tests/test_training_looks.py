"""Training of pictures by what a network of photographs sees, stopping early, and augmentation that never leaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs castalia[train]")

import torch
from torch import Tensor, nn

from castalia import models
from castalia.core.errors import UsageError
from castalia.training import Collection
from castalia.training.adversary import Adversary
from castalia.training.clock import Clock
from castalia.training.feature_distance import frechet, recall
from castalia.training.features import Features, unlikeness
from castalia.training.images import PRESETS, train_images
from castalia.training.images.augment import MOST, Augmentation, cut, moved, tinted
from castalia.training.images.look import Look
from castalia.training.images.material import Material
from castalia.training.images.run import steps_once
from castalia.training.stages import Stage, Watch, run_stage


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    models.pull_network("features")
    torch.set_num_threads(1)


def silent(_: Mapping[str, object]) -> None:
    """A log that says nothing."""


# ---------------------------------------------------------------- looks


def test_the_floor_is_what_the_pictures_themselves_reach(shapes: Collection) -> None:
    material = Material.of(shapes, 32)
    look = Look(material)
    own = look.figures([material.pixels[at] for at in look.asked])
    assert (own["kernel"], own["frechet"]) == (own["kernel_floor"], own["frechet_floor"])
    assert len(look.asked) == len(set(look.asked)) == 21
    grey = look.figures([np.full((32, 32, 3), 120 + at, np.uint8) for at in range(len(look.asked))])
    assert grey["kernel"] > 10 * abs(own["kernel"])
    assert grey["frechet"] > 2 * own["frechet"]
    assert grey["recall"] == 0.0
    assert own["precision"] > 0.5


def test_too_few_pictures_are_told_with_what_to_do(shapes: Collection) -> None:
    with pytest.raises(UsageError, match="10 pictures are too few") as caught:
        Look(Material.of(shapes, 32, 10))
    assert "looks=0" in caught.value.hint


def test_frechet_is_that_of_the_covariances_roots() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((9, 4)), 2 * rng.standard_normal((7, 4)) + 1
    first, second = (np.cov(each, rowvar=False) for each in (one, other))
    means = one.mean(0) - other.mean(0)
    roots = np.sqrt(np.linalg.eigvals(first @ second).real).sum()
    assert frechet(one, other) == pytest.approx(means @ means + np.trace(first) + np.trace(second) - 2 * roots)


def test_recall_by_hand() -> None:
    real, made = np.array([[0.0], [1], [2], [10]]), np.array([[0.5], [1.5]])
    assert recall(real, made, near=1) == 0.75  # within 1 of 0.5 or 1.5 are 0, 1 and 2


def test_unlikeness_is_nothing_for_the_same_and_teaches_the_made_alone() -> None:
    network = Features.installed()
    real = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = (real * 0.5).requires_grad_()
    assert float(unlikeness(network, real, real)) == 0.0
    unlike = unlikeness(network, made, real)
    assert 0 < float(unlike.detach()) < float(unlikeness(network, -real, real)) <= 4
    unlike.backward()
    assert made.grad is not None
    assert made.grad.any()


# ---------------------------------------------------------------- stopping early


class Valley:
    """A number that grows by one a step; what is watched is its squared distance from three."""

    def __init__(self) -> None:
        self.network = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.network.weight)
        moving = torch.optim.SGD(self.network.parameters(), lr=1.0)
        self.steps = 0

        def step(number: int, rng: np.random.Generator) -> Mapping[str, float]:
            moving.zero_grad()
            (-self.network.weight.sum()).backward()
            moving.step()
            self.steps += 1
            return {"at": self.network.weight.item()}

        watch = Watch(lambda: {"far": (self.network.weight.item() - 3) ** 2}, lines=1, patience=2)
        self.stage = Stage("valley", {"network": self.network}, {"sgd": moving}, step, watch=watch)

    def run(self, folder: Path, stops: int = 0) -> list[Mapping[str, object]]:
        lines: list[Mapping[str, object]] = []

        def log(line: Mapping[str, object]) -> None:
            lines.append(line)
            if line["step"] == stops:
                raise KeyboardInterrupt

        run_stage(self.stage, steps=50, seed=0, folder=folder, clock=Clock(), log=log, every=1)
        return lines


def test_a_stage_stops_when_it_gets_no_better_and_keeps_its_best(tmp_path: Path) -> None:
    valley = Valley()
    lines = valley.run(tmp_path)
    assert [line["far"] for line in lines[:-1]] == [4, 1, 0, 1, 4]
    assert (lines[-1]["step"], lines[-1]["kept"]) == (3, 0)
    assert (valley.steps, valley.network.weight.item()) == (5, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["valley.safetensors"]


@pytest.mark.parametrize("stops", [1, 3, 4, 5])
def test_one_that_was_interrupted_stops_at_the_same_step_with_the_same_best(tmp_path: Path, stops: int) -> None:
    Valley().run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        Valley().run(tmp_path / "stopped", stops)
    again = Valley()
    again.run(tmp_path / "stopped")
    assert again.network.weight.item() == 3
    whole, stopped = (tmp_path / name / "valley.safetensors" for name in ("whole", "stopped"))
    assert stopped.read_bytes() == whole.read_bytes()


# ---------------------------------------------------------------- a run with everything on

ALL = dict.fromkeys(("autoencoder_features", "generator_features", "decoder_features"), "0.2")
ALL |= {"adversary_begins": "0", "augment": "0.1", "looks": "1", "patience": "1"}


def test_a_run_with_looks_and_augmentation_is_the_same_run_from_its_run_file(
    shapes: Collection, tmp_path: Path
) -> None:
    """It is stopped in each stage, and what went on is byte for byte what ran through."""
    stops = ["decoder", "generator", "autoencoder"]
    lines: list[Mapping[str, object]] = []

    def log(line: Mapping[str, object]) -> None:
        lines.append(line)
        if stops and line["stage"] == stops[-1]:
            stops.pop()
            raise KeyboardInterrupt

    stopped, whole = tmp_path / "stopped", tmp_path / "whole"
    while stops:
        with pytest.raises(KeyboardInterrupt):
            train_images(shapes, stopped, preset="tiny", steps=18, changes=ALL, log=log)
    train_images(shapes, stopped, log=log)
    run = json.loads((stopped / "run.json").read_text(encoding="utf-8"))
    assert "--set augment=0.1 --set looks=1 --set patience=1 --out" in run["command"]
    train_images(
        shapes, whole, preset=run["preset"], steps=run["recipe"]["steps"], seed=run["seed"],
        changes={name: str(value) for name, value in run["changes"].items()}, log=silent,
    )  # fmt: skip
    for name in ("weights.safetensors", "words.json"):
        assert (stopped / name).read_bytes() == (whole / name).read_bytes()
    seen = [line for line in lines if "kernel" in line]
    assert {line["stage"] for line in seen} == {"autoencoder", "generator", "decoder"}
    assert len({line["kernel_floor"] for line in seen}) == 1
    assert {line["stage"] for line in lines if "augment" in line} == {"generator", "decoder"}
    with pytest.raises(UsageError, match=r"patience 1 ≠ 2"):
        train_images(shapes, stopped, changes={"patience": "2"}, log=silent)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"depth": "3"}, "no number of the recipe"),
        ({"seed": "3"}, "no number of the recipe"),
        ({"looks": "often"}, "looks cannot be 'often'"),
        ({"augment": "1.5"}, "augment cannot be '1.5'"),
        ({"decoder_features": "NaN"}, "decoder_features cannot be 'NaN'"),
        ({"bits": "4"}, "bits cannot be '4'"),
        ({"patience": "3"}, "patience is 3, but looks is 0"),
        ({"decoder_batch": "0"}, "decoder_batch cannot be '0'"),
    ],
)
def test_a_change_that_is_none_is_refused(
    change: Mapping[str, str], said: str, shapes: Collection, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        train_images(shapes, tmp_path / "model", preset="tiny", changes=change, log=silent)
    assert caught.value.hint
    assert not (tmp_path / "model").exists()


@pytest.mark.slow
def test_every_stage_of_the_large_preset_takes_two_steps(shapes: Collection) -> None:
    assert steps_once(shapes, PRESETS["large"]) > 0


# ---------------------------------------------------------------- augmentation


def pictures(count: int = 6, channels: int = 3, side: int = 16) -> Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_nothing_changes_where_it_is_off_and_no_chance_is_drawn() -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    given = pictures()
    assert Augmentation(0.0, colour=True)(given) is given
    assert torch.equal(torch.get_rng_state(), before)
    assert not Augmentation(0.0, colour=True).networks
    at_first = Augmentation(0.5, colour=True)
    assert torch.equal(at_first(given), given)  # its chance is 0


@pytest.mark.parametrize("change", [tinted, moved, cut])
def test_each_change_is_another_for_each_picture_and_passes_gradients(change) -> None:
    torch.manual_seed(2)
    given = pictures().requires_grad_()
    made = change(given)
    assert made.shape == given.shape
    assert (made != given).flatten(1).any(1).all()
    made.square().sum().backward()
    assert given.grad is not None
    assert given.grad.flatten(1).any(1).all()


def test_a_moved_picture_is_the_picture_elsewhere() -> None:
    given = torch.zeros(20, 1, 16, 16)
    given[:, :, 8, 8] = 1
    torch.manual_seed(0)
    made = moved(given)
    assert made.flatten(1).sum(1).tolist() == [1.0] * 20
    rows, columns = (made[:, 0].amax(axis).argmax(1) for axis in (2, 1))
    assert {int(each) for each in (*rows, *columns)} == {6, 7, 8, 9, 10}


def test_the_chance_follows_how_well_pairs_are_ranked() -> None:
    augment = Augmentation(0.5, colour=True)
    augment.adjust(0.9, 4000)  # r_t .8
    assert float(augment.chance) == pytest.approx(0.2)
    augment.adjust(0.7, 1000)  # r_t .4
    assert float(augment.chance) == pytest.approx(0.15)
    for _ in range(9):
        augment.adjust(1.0, 4000)
    assert float(augment.chance) == pytest.approx(MOST)
    for _ in range(9):
        augment.adjust(0.0, 4000)
    assert float(augment.chance) == 0


def taught(*, both: bool) -> float:
    """How far what a generator draws is from the one picture of its collection, at the highest chance of augmentation.

    Args:
        both: Whether made pictures are augmented as real ones are, as in the stages.
    """
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(48, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Flatten(0))
    adversary = Adversary(critic, rate=3e-3, penalty=0.5)
    augment = Augmentation(0.5, colour=True)
    drawn, mean = nn.Parameter(torch.zeros(1, 3, 4, 4)), torch.zeros(1, 3, 4, 4)
    optimizer = torch.optim.Adam([drawn], lr=1e-2, betas=(0.0, 0.99))
    for step in range(300):
        augment.chance.fill_(MOST)
        real, made = (middle + 0.1 * torch.randn(32, 3, 4, 4) for middle in (0.8, drawn))
        if both:
            augment.learn(adversary, real, made)
            loss = adversary.loss(made, real, augment=augment)
        else:
            adversary.learn(augment(real), made)
            loss = adversary.loss(made, augment(real))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        mean += drawn.detach() / 100 * (step >= 200)
    return float((mean - 0.8).abs().mean())


def test_what_augmentation_does_is_not_drawn() -> None:
    """It is where real pictures alone are augmented: the generator learns to draw what the adversary saw."""
    leaked = taught(both=False)
    assert leaked > 0.1
    assert taught(both=True) < leaked / 3
