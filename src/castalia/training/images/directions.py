"""Directions among a model's codes, from its first layer or by regression, named by what they do to pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.modalities.image.draw.model import DrawingModel
from castalia.training.images.attributes import ATTRIBUTES, measured
from castalia.training.started import Log

Floats = NDArray[np.float32]
_TRIED = 32
"""Eigenvectors that are looked at."""
_MOVED = 64
"""Components, the largest first, along which regression moves codes."""
_PAIRS, _SHOWN = 400, 16
"""Pictures that are moved forth and back for the regression, and others that each direction is measured on."""
_USUAL = 300
"""Pictures over which attributes are seen to vary."""
_TOLD = 200
"""Pictures from one line of the log to the next."""
_JOLT = 0.5
"""Deviations by which a component is moved for the regression."""
_AMOUNT = 2.0
"""How far pictures are moved when a direction is measured: what `direct` does when nothing else is said."""
_AIM, _FARTHEST = 0.5, 3.0
"""A direction is as long as moves its attribute half a deviation over learned pictures, at most so many of a code."""
_PURE = 0.02
"""How much all else counts against what is sought, as a share of all effects."""
_CLEAR, _SURE, _LEAST_PURE = 0.3, 0.8, 0.15
"""Least change in deviations over learned pictures, share of pictures that change so, and purity, to be named."""


@dataclass(frozen=True)
class Measured:
    """What a direction does to pictures that had no part in finding it, moved by `_AMOUNT`.

    Attributes:
        effect: Mean change of each attribute, deviations over learned pictures (attributes,).
        sure: Share of pictures of which each attribute grows (attributes,).
        pure: Share of each attribute in all change, of squares (attributes,).
    """

    effect: Floats
    sure: Floats
    pure: Floats


def find_directions(model: DrawingModel, *, log: Log = lambda _: None) -> Sequence[Mapping[str, Any]]:
    """Directions with `name`, `chinese`, `found_by`, `effect`, `sure`, `pure` and `vector`; see `Measured`.

    Two sources. Shen & Zhou (2021), "Closed-form factorization of latent semantics in GANs", equation 5: eigenvectors
    of AᵀA, A what the first layer does with a code, here in deviations (`sefa`). And ridge regression: of measured
    changes on random moves of a code, and of its answers the direction that moves one attribute and as little as can be
    of the others, Fisher's discriminant with effects in the place of classes (`moves`); and of what pictures have on
    their codes, for what small moves hardly bring about (`pictures`). Each is measured on pictures that had no part in
    finding it, forth and back. It is named by the attribute that changes most from back to forth, and each way is kept
    where its own change is clear, sure and pure enough; of those of one name the purest.
    """
    search = _Search(model, log)
    best: dict[str, Mapping[str, Any]] = {}
    for found_by, vector in search.candidates():
        forth, back = search.measured(vector), search.measured(-vector)
        most = int(np.abs(forth.effect - back.effect).argmax())
        sign = 1 if forth.effect[most] > back.effect[most] else -1
        ways = ((ATTRIBUTES[most].more, sign, 1), (ATTRIBUTES[most].less, -sign, -1))
        for (name, chinese), way, grows in ways:
            told = forth if way > 0 else back
            effect, pure = grows * float(told.effect[most]), float(told.pure[most])
            sure = float(told.sure[most] if grows > 0 else 1 - told.sure[most])
            known = max(_LEAST_PURE, best[name]["pure"] if name in best else 0)
            if effect < _CLEAR or sure < _SURE or pure <= known:
                continue
            best[name] = {
                "name": name,
                "chinese": chinese,
                "found_by": found_by,
                "effect": round(effect, 2),
                "sure": round(sure, 2),
                "pure": round(pure, 2),
                "vector": [round(float(each) * way, 4) for each in vector],
            }
    order = [name for each in ATTRIBUTES for name, _ in (each.more, each.less)]
    return sorted(best.values(), key=lambda each: order.index(each["name"]))


class _Search:
    """Pictures of a model, measured where their codes are moved."""

    def __init__(self, model: DrawingModel, log: Log) -> None:
        self._model, self._rng, self._log, self._count = model, np.random.default_rng(0), log, 0
        order = self._rng.permutation(model.count)
        shown = min(_SHOWN, max(1, model.count // 3))
        self._held_out, self._seen = order[:shown], order[shown:] if model.count > 1 else order
        usual = [model.taught(int(at)) for at in self._seen[:_USUAL]]
        tried = 3 * len(ATTRIBUTES)  # the likeliest of each source, see `candidates`
        self._most = len(usual) + 2 * _PAIRS + shown + 2 * shown * tried
        self._codes = np.stack([model.network.meant(words) for words in usual])
        self._drawn = np.stack([self._draw(words) for words in usual])
        self._unit = np.maximum(self._drawn.std(0), 1e-6)

    def _draw(self, words: Sequence[int], code: Floats | None = None) -> Floats:
        model = self._model
        self._count += 1
        if self._count % _TOLD == 0:
            self._log({"stage": "directions", "pictures": self._count, "of_at_most": self._most})
        return measured(model.drawn(words, model.network.meant(words) if code is None else code))

    @cached_property
    def _effects(self) -> Floats:
        """What a deviation of each component changes (moved, attributes), in deviations."""
        network, moved = self._model.network, min(_MOVED, len(self._model.network.spread))
        moves = self._rng.standard_normal((_PAIRS, moved)).astype(np.float32) * np.float32(_JOLT)
        changes = np.zeros((_PAIRS, len(ATTRIBUTES)), np.float32)
        for number, move in enumerate(moves):
            words = self._model.taught(int(self._rng.choice(self._seen)))
            step = np.zeros_like(network.spread)
            step[:moved] = move * network.spread[:moved]
            code = network.meant(words)
            changes[number] = (self._draw(words, code + step) - self._draw(words, code - step)) / self._unit
        return _ridge(2 * moves, changes, 0.05)

    @cached_property
    def _had(self) -> Floats:
        """How what a picture has goes with each component of its code (moved, attributes), in deviations."""
        codes = (self._codes / self._model.network.spread)[:, :_MOVED]
        drawn = self._drawn / self._unit
        return _ridge(codes - codes.mean(0), drawn - drawn.mean(0), 1.0)

    def candidates(self) -> Iterator[tuple[str, Floats]]:
        """How it was found, and what is added to a code: for each attribute the likeliest of either source."""
        network, effects = self._model.network, self._effects
        moved = len(effects)
        layer = network.first_layer() * network.spread
        _, vectors = np.linalg.eigh(layer.T @ layer)
        tried = vectors.T[::-1][:_TRIED].astype(np.float32)  # (tried, components)
        does = tried[:, :moved] @ effects  # (tried, attributes)
        share = does**2 / np.maximum((does**2).sum(1, keepdims=True), 1e-12)
        for number in sorted({int(share[:, at].argmax()) for at in range(len(ATTRIBUTES))}):
            most = int(share[number].argmax())
            yield "sefa", self._scaled(tried[number], float(does[number, most]))
        for at in range(len(ATTRIBUTES)):
            others = np.delete(effects, at, 1)
            against = others @ others.T
            against += np.eye(moved, dtype=np.float32) * np.float32(_PURE * np.trace(effects @ effects.T))
            found = np.linalg.solve(against, effects[:, at])
            unit = np.zeros_like(network.spread)
            unit[:moved] = found / max(float(np.linalg.norm(found)), 1e-9)
            yield "moves", self._scaled(unit, float(unit[:moved] @ effects[:, at]))
        for at, had in enumerate(self._had.T):
            unit = np.zeros_like(network.spread)
            unit[:moved] = had / max(float(np.linalg.norm(had)), 1e-9)
            yield "pictures", self._scaled(unit, float(unit[:moved] @ effects[:, at]))

    def _scaled(self, unit: Floats, effect: float) -> Floats:
        """A direction in deviations as what is added to a code, of a length that moves its attribute by `_AIM`."""
        length = min(_FARTHEST / _AMOUNT, _AIM / max(abs(effect), 1e-6))
        return (unit * self._model.network.spread * np.float32(length)).astype(np.float32)

    @cached_property
    def _starts(self) -> Sequence[tuple[Sequence[int], Floats, Floats]]:
        """Words, code and attributes of the pictures that directions are measured on, coded as `direct` codes them."""
        model = self._model
        starts: list[tuple[Sequence[int], Floats, Floats]] = []
        for at in self._held_out:
            words = model.taught(int(at))
            pixels = model.drawn(words, model.network.meant(words))
            code = model.network.code(model.network.encoded(pixels))
            starts.append((words, code, self._draw(words, code)))
        return starts

    def measured(self, vector: Floats) -> Measured:
        """See there."""
        step = (_AMOUNT * vector).astype(np.float32)
        changes = np.stack(
            [(self._draw(words, (code + step).astype(np.float32)) - before) for words, code, before in self._starts]
        )
        changes /= self._unit
        squares = (changes**2).mean(0)
        return Measured(changes.mean(0), (changes > 0).mean(0), squares / max(float(squares.sum()), 1e-12))


def _ridge(given: Floats, sought: Floats, held: float) -> Floats:
    """Hoerl & Kennard (1970), "Ridge regression", equation 2.1 (given, sought); `held` in mean squares of `given`."""
    square = given.T @ given
    square += np.eye(len(square), dtype=np.float32) * np.float32(held * np.trace(square) / len(square))
    return np.linalg.solve(square, given.T @ sought).astype(np.float32)
