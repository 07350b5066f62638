# pyright: basic
"""Stage two: a generator learns latents from words, against a discriminator (a CVAE-GAN over latents).

Bao et al. (2017), "CVAE-GAN": the posterior says which of the pictures that have these words is meant, so that the
generator need not draw their mean; the adversary sees what it draws from chance alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from castalia.training.adversary import Adversary
from castalia.training.images.autoencode import pixels_of, tensor
from castalia.training.images.captions import Captions, filled
from castalia.training.images.grid import contact_sheet
from castalia.training.images.network import Generator, LatentCritic, Posterior, Size, divergence, drawn
from castalia.training.images.recolour import COLOURS, recoloured
from castalia.training.optimiser import average, schedule
from castalia.training.stages import Stage

Pixels = NDArray[np.uint8]
_RECOLOURED = 0.35
"""Share of pictures that are shown in another colour."""
_TOLD = 0.5
"""Share of pictures that are learned with the posterior's noise; the others by their words alone, with any noise."""
_HELD_OUT = 20
"""One recoloured picture in so many is kept for measuring: a combination of words that is not learned."""


class Latents:
    """All pictures, and all of them recoloured, as latents of mean 0 and deviation 1 by channel.

    Args:
        encoder: Of stage one.
        pixels: (S, S, 3) each.
        train: Numbers of the pictures that mean and deviation are of.
    """

    def __init__(self, encoder: nn.Module, pixels: Sequence[Pixels], train: Sequence[int]) -> None:
        self._plain = torch.stack([_latents(encoder, [each])[0] for each in pixels])
        of = self._plain[list(train)]
        self.mean, self.deviation = of.mean((0, 2, 3)), of.std((0, 2, 3))
        self._coloured: list[Mapping[str, Tensor]] = []
        for each in pixels:
            made = recoloured(each, list(COLOURS))
            latents = _latents(encoder, list(made.values())) if made else []
            self._coloured.append({name: one.half() for name, one in zip(made, latents, strict=True)})

    def of(self, picture: int, colour: str = "") -> Tensor:
        """(latent, S/8, S/8)."""
        raw = self._coloured[picture][colour].float() if colour else self._plain[picture]
        return (raw - self.mean[:, None, None]) / self.deviation[:, None, None]

    def raw(self, latents: Tensor) -> Tensor:
        """What the decoder reads, of latents (B, latent, S/8, S/8) of mean 0 and deviation 1."""
        return latents * self.deviation[:, None, None] + self.mean[:, None, None]

    def colours(self, picture: int, *, held_out: bool = False) -> list[str]:
        """Colours that a picture has been given; those kept for measuring, or all others."""
        return [name for name in self._coloured[picture] if _is_held_out(picture, name) == held_out]


def _is_held_out(picture: int, colour: str) -> bool:
    return (picture * 7 + list(COLOURS).index(colour) * 3) % _HELD_OUT == 0


def _latents(encoder: nn.Module, pixels: Sequence[Pixels]) -> Tensor:
    with torch.no_grad():
        return encoder(tensor(np.stack(pixels)))[0]


class Drawing(nn.Module):
    """Generator and posterior, which learn together."""

    def __init__(self, size: Size, vocabulary: int) -> None:
        super().__init__()
        self.generator, self.posterior = Generator(size, vocabulary), Posterior(size)


def stage(
    latents: Latents, captions: Captions, decoder: nn.Module, train: Sequence[int], valid: Sequence[int], size: Size,
    *, steps: int, batch: int, rate: float, pull: float, adversary: float, begin: float, penalty: float,
) -> tuple[Stage, Drawing]:
    """The stage, and the running mean of what it trains.

    Args:
        latents: Of the pictures.
        captions: Of the same pictures.
        decoder: Of stage one, to look at what is drawn.
        train: Numbers of the pictures to learn.
        valid: Numbers of those to measure on.
        size: Of the networks.
        steps: Of the whole stage.
        batch: Pictures a step.
        rate: Highest learning rate.
        pull: Weight of the posterior's divergence from the standard normal, a nat.
        adversary: Weight of the adversarial loss.
        begin: Share of the steps after which the adversary acts.
        penalty: γ of the adversary.
    """  # fmt: skip
    vocabulary = len(captions.vocabulary.words)
    network, mean = Drawing(size, vocabulary), Drawing(size, vocabulary)
    mean.load_state_dict(network.state_dict())
    critic = Adversary(LatentCritic(size, vocabulary), rate=rate / 4, penalty=penalty)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01, betas=(0.5, 0.99))

    def chosen(rng: np.random.Generator, many: int) -> tuple[Tensor, Tensor]:
        real, words = [], []
        for picture in (train[at] for at in rng.integers(0, len(train), many)):
            colours = latents.colours(picture) if rng.random() < _RECOLOURED else []
            colour = colours[rng.integers(len(colours))] if colours else ""
            real.append(latents.of(picture, colour))
            words.append(captions.draw(picture, rng, colour))
        return torch.stack(real), torch.from_numpy(filled(words))

    def step(number: int, rng: np.random.Generator) -> Mapping[str, float]:
        for group in optimizer.param_groups:
            group["lr"] = rate * schedule(number, steps)
        for group in critic.optimizer.param_groups:
            group["lr"] = rate / 4 * max(0.1, schedule(number, steps))
        real, words = chosen(rng, batch)
        meant = network.posterior(real)
        told_apart = torch.from_numpy(rng.random(batch) < _TOLD)[:, None]
        noise = torch.where(told_apart, drawn(*meant), torch.randn(batch, size.noise))
        plain = (network.generator(words, noise) - real).abs().mean()
        far = divergence(*meant).sum(1).mean()
        loss = plain + pull * far
        told = {"l1": plain.item(), "nats": far.item()}
        if number >= begin * steps:
            half = batch // 2
            made = network.generator(words[:half], torch.randn(half, size.noise))
            told |= {f"critic_{name}": value for name, value in critic.learn(real[:half], made, words[:half]).items()}
            loss = loss + adversary * critic.loss(made, real[:half], words[:half])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average(mean, network, number, 0.998)
        return told

    def measure() -> Mapping[str, float]:
        """L1 by chance and by posterior of pictures not learned, and of combinations of colour and picture."""
        mean.eval()
        rng = np.random.default_rng(1)
        combined = [(at, colour) for at in train for colour in latents.colours(at, held_out=True)]
        asked = {"valid": [(at, "") for at in valid[:64]], "learned": [(at, "") for at in train[:64]]}
        asked["combined"] = [combined[at] for at in rng.permutation(len(combined))[:64]]
        found = {}
        for name, pairs in asked.items():
            if pairs:
                made = draw(mean.generator, [captions.whole(*each) for each in pairs], size, seed=1)
                found[name] = (made - torch.stack([latents.of(*each) for each in pairs])).abs().mean().item()
        mean.train()
        return found

    def sample(path: Path) -> None:
        contact_sheet(shown(latents, captions, decoder, mean.generator, train, valid, size), path, columns=16)

    networks = {"network": network, "mean": mean, "critic": critic.discriminator}
    optimizers = {"adam": optimizer, "adversary": critic.optimizer}
    return Stage("generator", networks, optimizers, step, measure, sample), mean


def draw(generator: nn.Module, words: Sequence[Sequence[int]], size: Size, *, seed: int) -> Tensor:
    """Latents of mean 0 and deviation 1 from numbers of words and chance (words, latent, S/8, S/8)."""
    with torch.no_grad():
        noise = torch.randn(len(words), size.noise, generator=torch.Generator().manual_seed(seed))
        return generator(torch.from_numpy(filled(words)), noise)


def shown(
    latents: Latents, captions: Captions, decoder: nn.Module, generator: nn.Module,
    train: Sequence[int], valid: Sequence[int], size: Size,
) -> list[Pixels]:  # fmt: skip
    """Rows: pictures that were learned, and drawn; not learned, and drawn; held out combinations, and drawn."""
    combined = [(at, colour) for at in train[::7] for colour in latents.colours(at, held_out=True)][:16]
    rows: list[Pixels] = []
    for pairs in ([(at, "") for at in train[5 :: max(1, len(train) // 16)]][:16], [(at, "") for at in valid[:16]], combined):
        if not pairs:
            continue
        true = torch.stack([latents.of(*each) for each in pairs])
        made = draw(generator, [captions.whole(*each) for each in pairs], size, seed=2)
        with torch.no_grad():
            for each in (true, made):
                pictures = list(pixels_of(decoder(latents.raw(each))))
                rows += pictures + [np.full_like(pictures[0], 255)] * (16 - len(pictures))
    return rows
