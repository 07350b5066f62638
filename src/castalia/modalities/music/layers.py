"""Layers of small networks in numpy: several members side by side, weights by the names of the torch modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Floats = NDArray[np.float32]
P = ParamSpec("P")
T = TypeVar("T")


def one_thread(run: Callable[P, T]) -> Callable[P, T]:
    """The same function with one thread for products of matrices, which are too small here to be shared."""

    @wraps(run)
    def limited(*args: P.args, **kwargs: P.kwargs) -> T:
        limits: Any = import_module("threadpoolctl").threadpool_limits
        with limits(limits=1, user_api="blas"):
            return run(*args, **kwargs)

    return limited


class Layers:
    """Weights of members; every array has the member as its first axis.

    Args:
        members: Weights of each.
        tables: How the names of weights end that are looked up; all others of two axes are multiplied with, and kept
            turned for that.
    """

    def __init__(self, members: Sequence[Mapping[str, NDArray[np.generic]]], tables: tuple[str, ...]) -> None:
        self.members = len(members)
        self.weights: dict[str, Floats] = {}
        for name in members[0]:
            each = np.stack([np.asarray(member[name], np.float32) for member in members])
            table = each.ndim < 3 or name.endswith(tables)
            self.weights[name] = each if table else np.ascontiguousarray(each.transpose(0, 2, 1))

    def embed(self, name: str, index: Numbers) -> Floats:
        """(members, *index, numbers)."""
        return self.weights[f"{name}.weight"][:, index]

    def each(self, values: Floats) -> Floats:
        """The same for every member."""
        return np.broadcast_to(values, (self.members, *values.shape))

    def linear(self, name: str, values: Floats) -> Floats:
        """An affine map of the last axis."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        flat = values.reshape(self.members, -1, values.shape[-1])
        return (flat @ weight + bias[:, None]).reshape(*values.shape[:-1], -1)

    def gru(self, name: str, values: Floats, state: Floats, suffix: str = "") -> Floats:
        """Cho et al. 2014, in torch's form: reset, update and new gate, the bias of the last inside its product."""
        weights = [
            self.weights[f"{name}.{each}_l0{suffix}"] for each in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        entered = values @ weights[0] + weights[2][:, None]
        held = state @ weights[1] + weights[3][:, None]
        size = state.shape[-1]
        gates = sigmoid((entered[..., : 2 * size] + held[..., : 2 * size]).astype(np.float32))
        new = np.tanh(entered[..., 2 * size :] + gates[..., :size] * held[..., 2 * size :])
        return new + gates[..., size:] * (state - new)


def sigmoid(values: Floats) -> Floats:
    """The logistic function."""
    return (0.5 * (1 + np.tanh(0.5 * values))).astype(np.float32)


def gelu(values: Floats) -> Floats:
    """Exact but for 2e-7: the error function by Abramowitz and Stegun, 7.1.26."""
    x = np.abs(values) * np.float32(0.70710678)
    t = 1 / (1 + np.float32(0.3275911) * x)
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    error = 1 - series * np.exp(-x * x)
    return (values * 0.5 * (1 + np.sign(values) * error)).astype(np.float32)


def logsumexp(values: Floats, axis: int) -> Floats:
    """Logarithm of the sum of exponentials along an axis, which stays."""
    most = values.max(axis, keepdims=True)
    return most + np.log(np.exp(values - most).sum(axis, keepdims=True))
