"""Weights of 8 bits."""

from __future__ import annotations

import numpy as np

from castalia.core.rounded import STEP, WHOLE, restored, rounded


def test_a_rounded_weight_is_off_by_half_a_step_at_most() -> None:
    weight = np.random.default_rng(0).standard_normal((5, 3, 3, 3)) * np.logspace(-4, 2, 5)[:, None, None, None]
    weight[2] = 0
    held = rounded("enter.weight", weight.astype(np.float32))
    whole, step = held["enter.weight" + WHOLE], held["enter.weight" + STEP]
    assert (whole.dtype, whole.shape, step.shape) == (np.int8, weight.shape, (5,))
    error = np.abs(restored(held)["enter.weight"] - weight).reshape(5, -1).max(1)
    assert (error <= step / 2 * (1 + 1e-5)).all()
    assert np.abs(whole.astype(int)).reshape(5, -1).max(1).tolist() == [127, 127, 0, 127, 127]


def test_others_stay_what_they_are_even_a_step_of_their_own() -> None:
    kept = restored({"bias": np.array([1.5, -2], np.float16), "stair.step": np.array([3.0], np.float32)})
    assert {name: each.tolist() for name, each in kept.items()} == {"bias": [1.5, -2], "stair.step": [3.0]}
