"""Picture models of the user's own pictures."""

from __future__ import annotations

from castalia.training.images.run import PRESETS, add_directions, train_images

__all__ = ["PRESETS", "add_directions", "train_images"]
