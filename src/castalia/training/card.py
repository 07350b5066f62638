"""What the card of every trained model says: what it is, what it learned, under which licence, and how to make it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from castalia.training.collections import Collection
from castalia.training.run_file import Run
from castalia.training.started import minutes

_SAID = ("name", "kind", "source", "owner", "licence")


def described(run: Run[Any], collection: Collection[Any], folder: Path) -> dict[str, Any]:
    """Name, kind, collection with owner, licence, digest and counts, recipe, command, versions and minutes."""
    held = {name: collection.card[name] for name in _SAID if name in collection.card}
    counts = {"kept": len(collection.pieces), "dropped": len(collection.card.get("dropped", ()))}
    return {
        "name": f"{collection.kind}-{run.preset}",
        "kind": collection.kind,
        "collection": {**held, **counts, "digest": collection.digest},
        "recipe": asdict(run.recipe),
        "command": run.command(folder),
        "versions": run.versions,
        "minutes": round(minutes(folder / "log.jsonl"), 1),
    }


def unfinished(kind: str, **more: Any) -> Mapping[str, Any]:  # noqa: ANN401 - whatever a card holds
    """The card of a network that is still being trained."""
    return {"name": "sample", "kind": kind, "trained_on": [], **more}
