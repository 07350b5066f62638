# pyright: basic
"""The networks of pictures: encoder and decoder, the generator of latents from words, and their discriminators."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.2
"""Of the leaky ReLU."""


@dataclass(frozen=True)
class Size:
    """The one dial: how wide everything is."""

    side: int = 128
    """Pixels a side of what is learned; latents have an eighth."""
    latent: int = 12
    """Channels of the latents."""
    shallow: int = 64
    """Channels at a quarter of the pixels."""
    deep: int = 96
    """Channels at an eighth of the pixels."""
    width: int = 256
    """Of the generator's tokens."""
    blocks: int = 2
    """Of the generator."""
    heads: int = 4
    words: int = 640
    """Width of a word's vector: principal components of the pictures."""


SMALL = Size()
LARGE = Size(latent=16, shallow=96, deep=160, width=384, blocks=4, heads=6, words=1024)
TINY = Size(side=32, latent=4, shallow=16, deep=16, width=32, blocks=1, heads=2, words=16)


def act(x: Tensor) -> Tensor:
    """Leaky ReLU."""
    return functional.leaky_relu(x, SLOPE)


def enlarged(x: Tensor) -> Tensor:
    """Twice the side, each value four times: no kernel that could draw a checkerboard."""
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def _conv(inside: int, outside: int, side: int = 3, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inside, outside, side, stride, padding=(side - 1) // 2)


class Residual(nn.Module):
    """x + conv(act(conv(act(x)))), the second convolution zero at first."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first, self.second = _conv(channels, channels), _conv(channels, channels)
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(act(self.first(act(x))))


class Encoder(nn.Module):
    """Pixels (B, 3, S, S) in [-1, 1] → mean and log-variance of latents, each (B, latent, S/8, S/8)."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.enter = _conv(48, size.shallow)
        self.shallow = Residual(size.shallow)
        self.down = _conv(size.shallow, size.deep, 4, 2)
        self.deep = Residual(size.deep)
        self.leave = nn.Conv2d(size.deep, 2 * size.latent, 1)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        x = self.shallow(self.enter(functional.pixel_unshuffle(pixels, 4)))
        mean, spread = self.leave(act(self.deep(self.down(x)))).chunk(2, 1)
        return mean, spread.clamp(-12, 4)


class Decoder(nn.Module):
    """Latents (B, latent, S/8, S/8) → pixels (B, 3, S, S), about [-1, 1]."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.enter = _conv(size.latent, size.deep)
        self.deep = nn.ModuleList(Residual(size.deep) for _ in range(2))
        self.rise = _conv(size.deep, size.shallow)
        self.shallow = nn.ModuleList(Residual(size.shallow) for _ in range(2))
        half = size.shallow // 2
        self.narrow = nn.Conv2d(size.shallow, half, 1)
        self.fine, self.leave = _conv(half, half), _conv(half, 12)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.enter(latents)
        for block in self.deep:
            x = block(x)
        x = self.rise(enlarged(x))
        for block in self.shallow:
            x = block(x)
        x = act(self.fine(enlarged(self.narrow(x))))
        return functional.pixel_shuffle(self.leave(x), 2)


class Attention(nn.Module):
    """Attention of tokens (B, T, width) to a context (B, C, given); `mask` (B, C) is true where it may be read."""

    def __init__(self, width: int, given: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask, self.read, self.leave = nn.Linear(width, width), nn.Linear(given, 2 * width), nn.Linear(width, width)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        split = (x.shape[0], -1, self.heads, x.shape[-1] // self.heads)
        asked = self.ask(x).view(split).transpose(1, 2)
        keys, values = (each.reshape(split).transpose(1, 2) for each in self.read(context).chunk(2, -1))
        shown = None if mask is None else mask[:, None, None]
        found = functional.scaled_dot_product_attention(asked, keys, values, attn_mask=shown)
        return self.leave(found.transpose(1, 2).reshape(x.shape))


class Block(nn.Module):
    """Tokens look at each other, at the words, and are thought over."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        width = size.width
        self.normal = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.own = Attention(width, width, size.heads)
        self.said = Attention(width, size.words, size.heads)
        self.enter, self.leave = nn.Linear(width, 3 * width), nn.Linear(3 * width, width)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        first, second, third = self.normal
        seen = first(x)
        x = x + self.own(seen, seen)
        x = x + self.said(second(x), words, mask)
        return x + self.leave(act(self.enter(third(x))))


class Generator(nn.Module):
    """Words → latents (B, latent, S/8, S/8), in one step.

    The words' vectors, weighed, are a code that says roughly what is to be seen, as a sum of principal
    components. Tokens, a quarter of the latents' side, look at that and read the words; convolutions enlarge them to
    what is added.
    """

    def __init__(self, size: Size, vocabulary: int) -> None:
        super().__init__()
        self.side, width = size.side // 32, size.width
        self.table = nn.Embedding(vocabulary + 1, size.words, padding_idx=0)
        self.weight = nn.Embedding(vocabulary + 1, 1, padding_idx=0)
        nn.init.zeros_(self.weight.weight)
        # What each number of a code adds to the latents, at right angles; the deviation of each over pictures.
        self.components = nn.Buffer(torch.zeros(size.words, size.latent * (size.side // 8) ** 2))
        self.spread = nn.Buffer(torch.zeros(size.words))
        self.places = nn.Parameter(torch.randn(self.side**2, width) * 0.5)
        self.look = nn.Conv2d(size.latent, width, 4, 4)
        self.blocks = nn.ModuleList(Block(size) for _ in range(size.blocks))
        self.last = nn.LayerNorm(width)
        half, quarter = width * 5 // 8, width * 5 // 16
        self.rise, self.middle = _conv(width, half), Residual(half)
        self.rise_again = _conv(half, quarter)
        self.fine = nn.ModuleList(Residual(quarter) for _ in range(2))
        self.leave = _conv(quarter, size.latent)
        nn.init.zeros_(self.leave.weight)

    def code(self, latents: Tensor) -> Tensor:
        """The code of latents (B, latent, S/8, S/8): (B, words)."""
        return latents.flatten(1) @ (self.components / self.components.square().sum(1, keepdim=True).clamp_min(1e-8)).T

    def meant(self, words: Tensor) -> Tensor:
        """The code that the words give; `words` (B, W) numbers of words, 0 for none, never only zeros."""
        share = self.weight(words)[..., 0].masked_fill(words == 0, -1e9).softmax(-1)
        return (share[..., None] * self.table(words)).sum(1)

    def forward(self, words: Tensor, code: Tensor) -> Tensor:
        """Latents of words (B, W) and a code (B, words): theirs, or another that is to be drawn as they say."""
        rough = (code @ self.components).view(words.shape[0], -1, 4 * self.side, 4 * self.side)
        x = self.look(rough).flatten(2).transpose(1, 2) + self.places
        said, mask = self.table(words), words > 0
        for block in self.blocks:
            x = block(x, said, mask)
        x = self.last(x).transpose(1, 2).reshape(words.shape[0], -1, self.side, self.side)
        x = self.rise_again(enlarged(self.middle(self.rise(enlarged(x)))))
        for block in self.fine:
            x = block(x)
        return rough + self.leave(act(x))


class LatentCritic(nn.Module):
    """Latents and words → scores (B,): whether they are a picture of the collection, of these words.

    Miyato & Koyama (2018), "cGANs with projection discriminator": words enter as a product with what is seen.
    """

    def __init__(self, size: Size, vocabulary: int) -> None:
        super().__init__()
        wide = 2 * size.deep
        self.table = nn.EmbeddingBag(vocabulary + 1, wide, mode="mean", padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.1)
        self.enter = _conv(size.latent, size.shallow)
        self.shallow = Residual(size.shallow)
        self.down, self.deep = _conv(size.shallow, size.deep, 4, 2), Residual(size.deep)
        self.down_again, self.deepest = _conv(size.deep, wide, 4, 2), Residual(wide)
        self.leave = nn.Linear(wide, 1)

    def forward(self, latents: Tensor, words: Tensor) -> Tensor:
        x = self.deep(self.down(self.shallow(self.enter(latents))))
        x = act(self.deepest(self.down_again(x))).sum((2, 3)) / (latents.shape[-1] / 4)
        return self.leave(x)[:, 0] + (x * self.table(words)).mean(1)


class PatchCritic(nn.Module):
    """Pixels (B, 3, S, S) → scores of patches (B · patches,): whether they are of the collection's pictures."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.enter = _conv(12, size.shallow // 2, 4, 2)
        self.down = _conv(size.shallow // 2, size.shallow, 4, 2)
        self.deep = Residual(size.shallow)
        self.leave = _conv(size.shallow, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        x = act(self.enter(functional.pixel_unshuffle(pixels, 2)))
        return self.leave(act(self.deep(self.down(x)))).flatten()


def drawn(mean: Tensor, spread: Tensor) -> Tensor:
    """A draw from normal distributions of that mean and log-variance (Kingma & Welling 2014, section 2.4)."""
    return mean + torch.randn_like(mean) * (spread / 2).exp()


def divergence(mean: Tensor, spread: Tensor) -> Tensor:
    """Kullback–Leibler divergence from the standard normal, nats, by element (Kingma & Welling 2014, appendix B)."""
    return (mean.square() + spread.exp() - 1 - spread) / 2
