"""Tune models of the user's own melodies."""

from __future__ import annotations

from castalia.training.tunes.run import PRESETS, train_tunes

__all__ = ["PRESETS", "train_tunes"]
