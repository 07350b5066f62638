"""Music models of the user's own scores."""

from __future__ import annotations

from castalia.training.music.run import PRESETS, train_music, use_threads

__all__ = ["PRESETS", "train_music", "use_threads"]
