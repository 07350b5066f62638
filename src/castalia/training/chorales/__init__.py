"""Music models of the user's own scores."""

from __future__ import annotations

from castalia.training.chorales.run import PRESETS, train_chorales, use_threads

__all__ = ["PRESETS", "train_chorales", "use_threads"]
