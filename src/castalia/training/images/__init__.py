"""Picture models of the user's own pictures."""

from __future__ import annotations

from castalia.training.images.run import PRESETS, train_images

__all__ = ["PRESETS", "train_images"]
