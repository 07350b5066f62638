"""A folder of a trained music model: its card, its digest, its weights and its counts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import MissingError
from castalia.core.language import say
from castalia.core.rounded import restored

PARTS = ("weights.safetensors", "counts.npz", "card.json")


class ModelFolder:
    """See the module.

    Args:
        path: Holds the files of `PARTS`.
        also: Files that may be there, too, and then belong to the model.

    Raises:
        MissingError: a file is not there.
    """

    def __init__(self, path: Path, *, also: Sequence[str] = ()) -> None:
        missing = [name for name in PARTS if not (path / name).is_file()]
        if missing:
            raise MissingError(
                say(
                    "{folder} is no music model: {names} missing.",
                    "{folder} 不是音乐模型：缺少 {names}。",
                    folder=path,
                    names=", ".join(missing),
                ),
                hint="castalia train music --collection NAME",
            )
        self.path = path
        self._also = also
        self.card: Mapping[str, Any] = json.loads((path / "card.json").read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """As its card says."""
        return str(self.card["name"])

    @property
    def kind(self) -> str:
        """What it writes: `chorale` or `tune`."""
        return str(self.card.get("kind", "chorale"))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over its files, in the order of `PARTS`, what is there besides last."""
        whole = hashlib.sha256()
        for name in (*PARTS, *self._also):
            if (file := self.path / name).is_file():
                whole.update(file.read_bytes())
        return whole.hexdigest()

    @property
    def build(self) -> str:
        """Engine and version."""
        return f"numpy {np.__version__}"

    def members(self) -> list[dict[str, NDArray[np.generic]]]:
        """Weights of each member, by the names of the torch modules."""
        load: Any = import_module("safetensors.numpy").load_file
        flat = restored(load(self.path / "weights.safetensors"))
        members: list[dict[str, NDArray[np.generic]]] = [{} for _ in range(self.card["members"])]
        for name, values in flat.items():
            number, _, rest = name.partition(".")
            members[int(number)][rest] = values
        return members

    @cached_property
    def counts(self) -> Mapping[str, NDArray[np.generic]]:
        """Its tables."""
        with np.load(self.path / "counts.npz", allow_pickle=False) as arrays:
            return dict(arrays)
