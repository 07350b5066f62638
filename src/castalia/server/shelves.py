"""Collections of an account: card and pieces of each, sealed for its owner like the works."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from castalia.core.errors import MissingError, UsageError
from castalia.core.files import make_folder, write_atomic
from castalia.core.language import say
from castalia.privacy import Vault

_PARTS = {"card.json": "card", "pieces.npz": "pieces"}
"""Files of a collection, and under which extension each is kept."""


def training_room() -> ModuleType:
    """`castalia.training`, which knows how pieces are read and cleaned.

    Raises:
        MissingError: a package that it needs is not installed.
    """
    try:
        from castalia import training
    except ModuleNotFoundError as error:
        raise MissingError(
            say("Collections need {name}, which is not installed.", "收藏需要 {name}，尚未安装。", name=error.name),
            hint="pip install 'castalia[train]'",
        ) from error
    return training


class Shelves:
    """See the module.

    Args:
        home: Data folder of the account.
        vault: Its vault, opened.
    """

    def __init__(self, home: Path, vault: Vault) -> None:
        self._folder, self._vault = home / "collections", vault

    def every(self) -> Sequence[Mapping[str, Any]]:
        """The cards of all, by name."""
        cards = [self._card(path) for path in self._folder.glob("*.card")]
        return sorted(cards, key=lambda card: str(card["name"]))

    def find(self, name: str) -> Mapping[str, Any]:
        """The card of one: kind, owner, licence, pieces, and what was dropped and why.

        Raises:
            UsageError: there is none of that name.
        """
        path = self._path(name, "card")
        if not path.is_file():
            raise UsageError(
                say("There is no collection {name!r}.", "没有收藏 {name!r}。", name=name[:100]),
                hint="GET /api/collections",
            )
        return self._card(path)

    def put(self, name: str, made: Path) -> None:
        """Keep a collection in place of any of that name.

        Args:
            name: Its name.
            made: Folder of its files.
        """
        make_folder(self._folder, private=True)
        for file, part in _PARTS.items():
            path = self._path(name, part)
            write_atomic(path, self._vault.seal((made / file).read_bytes(), f"collection/{path.name}"), private=True)

    def remove(self, name: str) -> None:
        """Delete one.

        Raises:
            UsageError: there is none of that name.
        """
        self.find(name)
        for part in _PARTS.values():
            self._path(name, part).unlink(missing_ok=True)

    def _card(self, path: Path) -> Mapping[str, Any]:
        return json.loads(self._vault.unseal(path.read_bytes(), f"collection/{path.name}"))

    def _path(self, name: str, part: str) -> Path:
        """Where a part lies; the name itself is not on the disk."""
        digest = hashlib.blake2b(name.encode(), digest_size=12, key=self._vault.library_key, person=b"collection")
        return self._folder / f"{digest.hexdigest()}.{part}"
