"""Training: collections of the user's own works, and recipes that make models of them (needs `castalia[train]`)."""

from __future__ import annotations

from castalia.training.collections import Collection, Framing, add, find, names, remove

__all__ = ["Collection", "Framing", "add", "find", "names", "remove"]
