# pyright: basic
"""The critic's recipe: tell a collection's pieces from what the trained model writes, then from the best of that.

The model is not changed: it is trained by likelihood, and adversarial gradients through drawn notes are known to cost
variety (Caccia et al. 2020, "Language GANs falling short"). What is trained against the critic is the choice among
drafts: in the second round the critic meets the drafts that it liked best in the first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from castalia.modalities.music.voices.critic import DILATIONS, FEATURES, SLOPE, Critic, features
from castalia.modalities.music.voices.generate import Task, write
from castalia.modalities.music.voices.grid import VOICES, Frames
from castalia.modalities.music.voices.model import CRITIC, OPEN, ChoraleModel
from castalia.training.adversary import Adversary

Log = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class CriticRecipe:
    """All that a critic is a function of, beside the collection and the model."""

    width: int = 64
    dropout: float = 0.3
    made: int = 256
    """Pieces that the model writes for each round."""
    length: int = 192
    """Frames of each."""
    temperatures: tuple[float, ...] = (0.6, 0.7, 0.8, 1.0)
    window: int = 96
    """Frames that are scored at once."""
    batch: int = 32
    steps: int = 500
    """Of each round."""
    rounds: int = 2
    rate: float = 1e-3
    penalty: float = 0.1
    average: float = 0.99
    """The weights that are kept are a running mean."""
    seed: int = 0


class CriticNetwork(nn.Module):
    """What a piece sounds like (batch, frames, FEATURES) → its score (batch,)."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.join, self.judge = nn.Linear(FEATURES, width), nn.Linear(width, 1)
        self.layers = nn.ModuleList(
            nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation) for dilation in DILATIONS
        )
        for layer in self.layers.children():
            assert isinstance(layer, nn.Conv1d)
            nn.init.normal_(layer.weight, std=(1.5 / (3 * width * len(DILATIONS))) ** 0.5)
        self.dropout = dropout

    def forward(self, heard: Tensor) -> Tensor:
        """The mean over frames."""
        hidden = self.join(functional.dropout(heard, self.dropout / 2, self.training)).transpose(1, 2)
        for layer in self.layers:
            entered = functional.dropout(functional.leaky_relu(hidden, SLOPE), self.dropout, self.training)
            hidden = hidden + layer(entered)
        return self.judge(functional.leaky_relu(hidden, SLOPE).transpose(1, 2)).mean((1, 2))


def train_critic(
    model: ChoraleModel, train: Sequence[Frames], valid: Sequence[Frames], recipe: CriticRecipe, *, log: Log
) -> tuple[CriticNetwork, dict[str, float]]:
    """Train a critic of a model.

    Args:
        model: Whose pieces it learns to know.
        train: The collection's pieces.
        valid: Pieces that it is measured on, against others that the model writes.
        recipe: How.
        log: Told the figures of each round.

    Returns:
        The critic, and its figures: `right`, the share of pairs of a validation window and one of the model's that it
        ranks right, and the same among the drafts that it likes best of eight.
    """
    torch.manual_seed(recipe.seed)
    network, mean = (CriticNetwork(recipe.width, recipe.dropout) for _ in range(2))
    mean.load_state_dict(network.state_dict())
    adversary = Adversary(network, rate=recipe.rate, penalty=recipe.penalty)
    real = [features(piece) for piece in train]
    fresh = [features(each) for each in made_by(model, max(recipe.made // 4, 8), recipe, seed=recipe.seed + 1000)]
    unseen = [features(piece) for piece in valid]
    made: list[NDArray[np.float32]] = []
    told: dict[str, float] = {}
    for number in range(recipe.rounds):
        pieces = made_by(model, recipe.made, recipe, seed=recipe.seed + number)
        made += [features(each) for each in (pieces if number == 0 else _best(pieces, mean))]
        for step in range(recipe.steps):
            rng = np.random.default_rng((recipe.seed, number, step))
            torch.manual_seed(int(rng.integers(2**31)))
            told = adversary.learn(_windows(real, recipe, rng), _windows(made, recipe, rng))
            with torch.no_grad():
                for kept, new in zip(mean.parameters(), network.parameters(), strict=True):
                    kept.lerp_(new, 1 - min(recipe.average, step / (step + 10)))
        figures = {"round": number + 1, **told, **measure(mean, unseen, fresh, recipe)}
        log({name: round(float(each), 4) for name, each in figures.items()})
    return mean, measure(mean, unseen, fresh, recipe)


def made_by(model: ChoraleModel, count: int, recipe: CriticRecipe, *, seed: int) -> list[Frames]:
    """Pieces that a model writes freely, under the masks, at the recipe's temperatures in turn."""
    at_once = min(32, max(1, count // len(recipe.temperatures)))
    pieces: list[Frames] = []
    for number in range(-(-count // at_once)):
        temperature = recipe.temperatures[number % len(recipe.temperatures)]
        task = Task(np.full((recipe.length, VOICES), OPEN), temperature=temperature)
        pieces += list(write(model, task, drafts=at_once, seed=seed * 1000 + number).frames)
    return pieces[:count]


def measure(
    network: CriticNetwork,
    real: Sequence[NDArray[np.float32]],
    made: Sequence[NDArray[np.float32]],
    recipe: CriticRecipe,
) -> dict[str, float]:
    """How often a window of a real piece is scored above one of a made piece, all pairs of one window a piece."""
    network.eval()
    rng = np.random.default_rng(recipe.seed)
    with torch.no_grad():
        scores = [
            network(torch.stack([torch.from_numpy(_window(each, recipe.window, rng)) for each in pieces])).numpy()
            for pieces in (real, made)
        ]
    network.train()
    return {"valid_right": float((scores[0][:, None] > scores[1][None]).mean())}


def add_critic(
    model: ChoraleModel, train: Sequence[Frames], valid: Sequence[Frames], recipe: CriticRecipe, *, log: Log
) -> None:
    """Train a critic of a model and put it into the model's folder and card; nothing is done where there is one."""
    if (model.folder / CRITIC).exists():
        return
    network, figures = train_critic(model, train, valid, recipe, log=log)
    save_file({name: each.half().contiguous() for name, each in network.state_dict().items()}, model.folder / CRITIC)
    card = {**model.card, "critic": {**asdict(recipe), **{name: round(each, 4) for name, each in figures.items()}}}
    (model.folder / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def numpy_critic(network: CriticNetwork) -> Critic:
    """The same for the studio."""
    return Critic({name: each.detach().numpy() for name, each in network.state_dict().items()})


def _best(pieces: Sequence[Frames], network: CriticNetwork) -> list[Frames]:
    """The half that a critic likes best."""
    critic = numpy_critic(network)
    return sorted(pieces, key=critic.score, reverse=True)[: len(pieces) // 2]


def _windows(pieces: Sequence[NDArray[np.float32]], recipe: CriticRecipe, rng: np.random.Generator) -> Tensor:
    chosen = rng.integers(len(pieces), size=recipe.batch)
    return torch.stack([torch.from_numpy(_window(pieces[each], recipe.window, rng)) for each in chosen])


def _window(piece: NDArray[np.float32], length: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """A stretch (length, FEATURES); what is shorter is said again from its beginning."""
    if len(piece) < length:
        return np.resize(piece, (length, piece.shape[1]))
    begin = int(rng.integers(len(piece) - length + 1))
    return piece[begin : begin + length]
