# pyright: basic
"""The classifier that says which mode a picture is of: a small convolutional network, trained on moved digits."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from castalia.training.stacked_mnist.digits import CLASSES, COLOURS, Digits


class Classifier(nn.Module):
    """Digits (digits, 1, 32, 32) → scores of the classes (digits, 10)."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_layer(1, width, 5, stride=2),  # (digits, width, 16, 16)
            *_layer(width, 2 * width, 3),
            nn.MaxPool2d(2),
            *_layer(2 * width, 2 * width, 3),
            nn.MaxPool2d(2),
            *_layer(2 * width, 4 * width, 4, padding=0),
            nn.Flatten(),
            nn.Dropout(0.3),
            nn.Linear(4 * width, CLASSES),
        )

    def forward(self, digits: Tensor) -> Tensor:
        return self.layers(digits)


def train_classifier(
    digits: Digits, *, epochs: int = 20, batch: int = 100, rate: float = 3e-3, seed: int = 0
) -> Classifier:
    """Train one on digits that are turned, resized, sheared and moved a little.

    Args:
        digits: To learn from.
        epochs: Times that each is seen.
        batch: Digits a step.
        rate: Highest learning rate (AdamW), down along a cosine.
        seed: Of the weights and of all else that is drawn.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    network = Classifier()
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    pictures, labels = torch.from_numpy(digits.pictures)[:, None], torch.from_numpy(digits.labels)
    once = len(labels) // batch
    orders = np.concatenate([rng.permutation(len(labels))[: once * batch] for _ in range(epochs)])
    steps = epochs * once
    for step in range(steps):
        chosen = torch.from_numpy(orders[step * batch : (step + 1) * batch])
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
        loss = functional.cross_entropy(network(_moved(pictures[chosen], rng)), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def accuracy(network: Classifier, digits: Digits) -> float:
    """Share of digits that it names right."""
    named = _named(network, torch.from_numpy(digits.pictures)[:, None])
    return float((named.numpy() == digits.labels).mean())


def modes_of(network: Classifier, pictures: Tensor) -> np.ndarray:
    """The mode (pictures,), 0 to 999, of each picture (pictures, 3, 32, 32): its three digits read as a number."""
    named = _named(network, pictures.clamp(-1, 1).flatten(0, 1)[:, None]).reshape(-1, COLOURS)
    return (named * torch.tensor([100, 10, 1])).sum(1).numpy()


def _layer(entering: int, leaving: int, side: int, *, stride: int = 1, padding: int | None = None) -> list[nn.Module]:
    around = side // 2 if padding is None else padding
    convolution = nn.Conv2d(entering, leaving, side, stride, around, bias=False)
    return [convolution, nn.BatchNorm2d(leaving), nn.ReLU()]


@torch.no_grad()
def _named(network: Classifier, digits: Tensor) -> Tensor:
    return torch.cat([network(each).argmax(1) for each in digits.split(500)])


def _moved(digits: Tensor, rng: np.random.Generator) -> Tensor:
    """Digits turned by up to 10°, resized by up to 10 %, sheared by up to 0.1, moved by up to 2 pixels."""
    count = len(digits)
    angle, shear = (torch.from_numpy(rng.uniform(-most, most, count)).float() for most in (0.175, 0.1))
    size, move = (torch.from_numpy(rng.uniform(-most, most, (count, 2))).float() for most in (0.1, 0.125))
    cos, sin = angle.cos() * (1 + size[:, 0]), angle.sin() * (1 + size[:, 1])
    rows = torch.stack([torch.stack([cos, shear - sin, move[:, 0]], 1), torch.stack([sin, cos, move[:, 1]], 1)], 1)
    grid = functional.affine_grid(rows, list(digits.shape), align_corners=False)
    return functional.grid_sample(digits + 1, grid, align_corners=False) - 1
