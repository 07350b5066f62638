"""The same minutes for three ways to learn pictures: `python benchmarks/bench_pictures_same_budget.py --minutes 10`.

    pip install --no-deps lightweight-gan==1.2.1 einops
    castalia models pull features     # and the collection as for bench_pictures_prompts.py

Protocol of `same_budget`: the collection at 64×64; each way gets the same minutes of one core's processor time and
nothing that was learned before; then 500 pictures are made, all kept. `ours`: the recipe of `castalia train image` at
this size; its pictures are asked for by captions of the collection, drawn by chance, since it takes words.
`lightweight_gan`: its own networks, losses and defaults (batch 10, hinge, gradient penalty every fourth step, attention
at 32, no augmentation) but that its widest layer has 64 channels, not 512, with which ten minutes would be
15 steps; its package asks for CUDA and for torchvision, of which the networks use nothing: both are put aside, and its
one blur is done by a convolution. `flow`: a rectified flow (Liu et al. 2022) in pixels with a small
U-Net, 25 steps of Euler. Both others know no words: ours has the easier task, and what it gains by them is part of it.

`frechet` and `kernel`: distances of EfficientNet-Lite0's features to 500 pictures of the collection; `floor` is that of
493 others. `precision`, `coverage` as in `castalia.training.feature_distance`. `nearest`: mean distance of features to
the nearest learned picture over that of real pictures to theirs: far below 1 is copying. Samples side by side are in
`pictures_same_budget.png`: the first row real, then ours, lightweight_gan, flow.

Results are kept by way, so that a run that was stopped goes on. The benchmark fails (exit 1) where ours is not nearest
by the kernel distance.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import types
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from _report import HERE, STATE, emit
from castalia.training.collections import find
from castalia.training.feature_distance import frechet, kernel, precision_and_coverage
from castalia.training.features import Features, features_of
from castalia.training.images.autoencode import pixels_of, tensor
from castalia.training.images.generate import draw
from castalia.training.images.grid import contact_sheet
from castalia.training.images.material import Material
from castalia.training.images.network import Size
from castalia.training.images.recipe import PARTS, Recipe
from castalia.training.images.run import Work

SIDE, MADE, SEED = 64, 500, 0
FOLDER = STATE / "same_budget"
Pixels = NDArray[np.uint8]


def main() -> None:
    """Train what is not there yet, measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection", default="emoji")
    parser.add_argument("--minutes", type=float, default=10.0, help="of the processor, each")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    material = Material.of(find(chosen.collection), SIDE)
    order = np.random.default_rng(SEED).permutation(len(material.pixels))
    real = np.stack([material.pixels[at] for at in order])
    made: dict[str, Pixels] = {}
    told: dict[str, dict[str, float]] = {}
    for name, way in WAYS.items():
        kept = FOLDER / f"{name}-{chosen.minutes:g}.safetensors"
        if not kept.exists():
            torch.manual_seed(SEED)
            pictures, figures = way(material, real, chosen.minutes * 60)
            save_file({"pictures": np.ascontiguousarray(pictures)}, kept)
            kept.with_suffix(".json").write_text(json.dumps(figures) + "\n", encoding="utf-8")
        made[name] = load_file(kept)["pictures"]
        told[name] = json.loads(kept.with_suffix(".json").read_text(encoding="utf-8"))
        print(name, told[name], flush=True)
    network = Features.installed()
    seen = features_of(network, list(real), side=SIDE * 2)
    reference, others = seen[:MADE], seen[MADE:]
    figures: dict[str, Any] = {"minutes": chosen.minutes, "floor": compared(reference, others, reference)}
    for name, pictures in made.items():
        figures[name] = {**told[name], **compared(reference, features_of(network, list(pictures), side=SIDE * 2), seen)}
    rows = [real[:16], *(each[:16] for each in made.values())]
    contact_sheet([each for row in rows for each in row], HERE / "pictures_same_budget.png", columns=16)
    emit("pictures_same_budget", f"same_budget: {SIDE} px, equal processor minutes, features of 500 pictures", figures)
    if figures["ours"]["kernel"] != min(figures[name]["kernel"] for name in WAYS):
        sys.exit(1)


def compared(real: NDArray[np.float32], made: NDArray[np.float32], learned: NDArray[np.float32]) -> dict[str, float]:
    """See the module."""
    precision, coverage = precision_and_coverage(real, made)
    among = np.sort(np.linalg.norm(learned[:, None] - learned[None, :200], axis=-1), axis=0)[1].mean()
    near = np.min(np.linalg.norm(learned[:, None] - made[None, :200], axis=-1), axis=0).mean()
    return {
        "frechet": round(frechet(real, made), 1),
        "kernel": round(kernel(real, made), 1),
        "precision": round(precision, 3),
        "coverage": round(coverage, 3),
        "nearest": round(float(near / among), 2),
    }


# ---------------------------------------------------------------- ours


def ours(material: Material, real: Pixels, seconds: float) -> tuple[Pixels, dict[str, float]]:
    """The recipe's stages, each with its share of the steps that fit."""
    del real
    began = time.process_time()
    recipe = Recipe(size=Size(side=SIDE, words=512))
    recipe = replace(recipe, steps=_fitting(material, recipe, seconds))
    rng = np.random.default_rng(SEED)
    work = Work(material, recipe)
    for name, stage in work.stages():
        for number in range(recipe.of(name)):
            stage.step(number, np.random.default_rng((SEED, sum(name.encode()), number)))
    spent = time.process_time() - began
    asked = []
    for picture in (material.train[at] for at in rng.integers(0, len(material.train), MADE)):
        colours = work.latents.colours(picture) if rng.random() < 0.3 else []
        asked.append(material.captions.draw(picture, rng, colours[rng.integers(len(colours))] if colours else ""))
    with torch.no_grad():
        parts = [
            pixels_of(work.decoder(work.latents.raw(draw(work.generator, asked[at : at + 50]))))
            for at in range(0, MADE, 50)
        ]
    return np.concatenate(parts), {"steps": recipe.steps, "processor_minutes": round(spent / 60, 2)}


def _fitting(material: Material, recipe: Recipe, seconds: float) -> int:
    """Steps of all stages together, by the time of a few of each; what lies between stages is taken off."""
    few = replace(material, train=material.train[:64])
    began, taken = time.process_time(), 0.0
    for name, stage in Work(few, recipe).stages():
        for number in (0, 1, recipe.of(name) - 2, recipe.of(name) - 1):
            first = time.process_time()
            stage.step(number, np.random.default_rng(number))
            early = number < 2
            share = recipe.adversary_begins if early else 1 - recipe.adversary_begins
            taken += PARTS[name] / sum(PARTS.values()) * (time.process_time() - first) / 2 * share
    between = (time.process_time() - began) * 1.2
    return max(3, int((seconds - between) / taken))


# ---------------------------------------------------------------- lightweight-gan


def lightweight_gan(material: Material, real: Pixels, seconds: float) -> tuple[Pixels, dict[str, float]]:
    """Its training step, without what saves and draws."""
    del real
    room = _imported()
    gan = room.LightweightGAN(latent_dim=256, image_size=SIDE, attn_res_layers=[32], disc_output_size=1, fmap_max=64)
    learned = tensor(np.stack([material.pixels[at] for at in material.train])) / 2 + 0.5  # it wants [0, 1]
    batch, step, began = 10, 0, time.process_time()
    while time.process_time() - began < seconds:
        rng = np.random.default_rng((SEED, step))
        some = learned[torch.from_numpy(rng.integers(0, len(learned), batch))]
        penalised = step % 4 == 0
        with torch.no_grad():
            fakes = gan.G(torch.randn(batch, 256))
        gan.D_opt.zero_grad()
        some.requires_grad_(penalised)
        fakes, (fake, fake_small, _) = gan.D_aug(
            fakes, detach=True, input_requires_grad=penalised, return_discr_input=True, prob=0.0, types=[]
        )
        true, true_small, aside = gan.D_aug(some, calc_aux_loss=True, prob=0.0, types=[])
        loss = room.hinge_loss(true, fake) + room.hinge_loss(true_small, fake_small) + aside
        if penalised:
            slopes = [
                torch.autograd.grad([a.sum(), b.sum()], inputs, create_graph=True)[0]
                for a, b, inputs in ((true, true_small, some), (fake, fake_small, fakes))
            ]
            loss = loss + 10 * torch.cat(slopes).flatten(1).norm(2, dim=1).square().mean()
        loss.backward()
        gan.D_opt.step()
        gan.G_opt.zero_grad()
        fake, fake_small, _ = gan.D_aug(gan.G(torch.randn(batch, 256)), prob=0.0, types=[])
        (room.gen_hinge_loss(fake, None) + room.gen_hinge_loss(fake_small, None)).backward()
        gan.G_opt.step()
        step += 1
    spent = time.process_time() - began
    with torch.no_grad():
        made = torch.cat([gan.G(torch.randn(50, 256)) for _ in range(MADE // 50)]).clamp(0, 1)
    return pixels_of(made * 2 - 1), {"steps": step, "processor_minutes": round(spent / 60, 2)}


def _imported() -> Any:  # noqa: ANN401 - a package without types
    """The package's file of networks, without CUDA, torchvision and kornia."""

    def filter2d(x: Tensor, weights: Tensor, *, normalized: bool) -> Tensor:
        weights = weights / weights.abs().sum() if normalized else weights
        kernels = weights[:, None].expand(x.shape[1], 1, *weights.shape[1:])
        edge = weights.shape[-1] // 2
        return functional.conv2d(functional.pad(x, [edge] * 4, mode="reflect"), kernels, groups=x.shape[1])

    absent: dict[str, dict[str, Any]] = {
        "torchvision": {"transforms": None}, "kornia": {}, "kornia.filters": {"filter2d": filter2d},
        "adabelief_pytorch": {"AdaBelief": None}, "fire": {},
    }  # fmt: skip
    for name, held in absent.items():
        room = types.ModuleType(name)
        room.__dict__.update(held)
        sys.modules.setdefault(name, room)
    there, torch.cuda.is_available = torch.cuda.is_available, lambda: True
    try:
        room = import_module("lightweight_gan.lightweight_gan")
    finally:
        torch.cuda.is_available = there
    room.LightweightGAN.cuda = lambda self, *_: self
    return room


# ---------------------------------------------------------------- rectified flow


def flow(material: Material, real: Pixels, seconds: float) -> tuple[Pixels, dict[str, float]]:
    """Velocities from noise to pictures, learned at even times."""
    del real
    network = _Velocity()
    mean = _Velocity()
    mean.load_state_dict(network.state_dict())
    optimizer = torch.optim.AdamW(network.parameters(), lr=6e-4, betas=(0.9, 0.99))
    learned = tensor(np.stack([material.pixels[at] for at in material.train]))
    step, began = 0, time.process_time()
    while (gone := time.process_time() - began) < seconds:
        rng = np.random.default_rng((SEED, step))
        true = learned[torch.from_numpy(rng.integers(0, len(learned), 24))]
        noise, at = torch.randn_like(true), torch.rand(len(true))
        between = noise + at[:, None, None, None] * (true - noise)
        loss = (network(between, at) - (true - noise)).square().mean()
        optimizer.param_groups[0]["lr"] = 6e-4 * max(0.05, 1 - gone / seconds)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        with torch.no_grad():
            for kept, new in zip(mean.parameters(), network.parameters(), strict=True):
                kept.lerp_(new, 1 - min(0.998, step / (step + 10)))
    spent = time.process_time() - began
    return _made(mean), {"steps": step, "processor_minutes": round(spent / 60, 2)}


@torch.no_grad()
def _made(network: nn.Module, steps: int = 25) -> Pixels:
    parts: list[Pixels] = []
    for _ in range(MADE // 50):
        x = torch.randn(50, 3, SIDE, SIDE)
        for number in range(steps):
            x = x + network(x, torch.full((50,), number / steps)) / steps
        parts.append(pixels_of(x))
    return np.concatenate(parts)


class _Velocity(nn.Module):
    """A U-Net of three sides: pictures (B, 3, 64, 64) and times (B,) → velocities."""

    def __init__(self, widths: tuple[int, int, int] = (48, 96, 160)) -> None:
        super().__init__()
        self.times = nn.Sequential(nn.Linear(32, 160), nn.SiLU(), nn.Linear(160, sum(widths) * 2))
        self.widths = widths
        self.enter = nn.Conv2d(12, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in pairwise(widths))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in pairwise(widths))
        self.blocks = nn.ModuleList(_Part(width) for width in (*widths, *widths[::-1]))
        self.leave = nn.Conv2d(widths[0], 12, 3, padding=1)

    def forward(self, x: Tensor, at: Tensor) -> Tensor:
        waves = at[:, None] * 1000.0 ** torch.linspace(0, 1, 16)
        told = self.times(torch.cat([waves.sin(), waves.cos()], 1)).split((*self.widths, *self.widths[::-1]), 1)
        x, kept = self.enter(functional.pixel_unshuffle(x, 2)), []
        for number in range(3):
            x = self.blocks[number](x, told[number])
            kept.append(x)
            x = self.down[number](x) if number < 2 else x
        for number in range(3, 6):
            level = 5 - number
            if number > 3:
                x = self.up[level](functional.interpolate(x, scale_factor=2.0)) + kept[level]
            x = self.blocks[number](x, told[number])
        return functional.pixel_shuffle(self.leave(x), 2)


class _Part(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.normal = nn.GroupNorm(8, width)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        return x + self.second(functional.silu(self.first(functional.silu(self.normal(x) + told[..., None, None]))))


WAYS: dict[str, Callable[[Material, Pixels, float], tuple[Pixels, dict[str, float]]]] = {
    "ours": ours,
    "lightweight_gan": lightweight_gan,
    "flow": flow,
}

if __name__ == "__main__":
    main()
