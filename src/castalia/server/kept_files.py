"""Files that an account keeps for its batches, each sealed for its owner with what is said of it."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from castalia.core.files import make_folder, write_atomic
from castalia.core.language import say
from castalia.privacy import Vault
from castalia.server.errors import Refusal

_ID = re.compile(r"file-[0-9a-f]{32}")
_MOST = 1000


class KeptFiles:
    """See the module.

    Args:
        home: Data folder of the account.
        vault: Its vault, opened.
    """

    def __init__(self, home: Path, vault: Vault) -> None:
        self._folder, self._vault = home / "files", vault

    def put(self, name: str, content: bytes, purpose: str, *, id_: uuid.UUID | None = None) -> Mapping[str, Any]:
        """Keep a file, and tell what is known of it.

        Args:
            name: Its name.
            content: Its bytes.
            purpose: What for.
            id_: Whose place it takes; None makes a new one.

        Raises:
            Refusal: there are too many.
        """
        if len(list(self._folder.glob("*.about"))) >= _MOST:
            raise Refusal(
                413,
                "too_many_files",
                say("You have {n} files.", "您已有 {n} 个文件。", n=_MOST),
                hint=say("Delete some.", "请删除一些。"),
            )
        about = {
            "id": f"file-{(id_ or uuid.uuid4()).hex}",
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "expires_at": None,
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }
        make_folder(self._folder, private=True)
        for part, inside in (("content", content), ("about", json.dumps(about).encode())):
            path = self._folder / f"{about['id']}.{part}"
            write_atomic(path, self._vault.seal(inside, f"file/{path.name}"), private=True)
        return about

    def every(self) -> Sequence[Mapping[str, Any]]:
        """All, newest first."""
        found = [json.loads(self._read(path)) for path in self._folder.glob("*.about")]
        return sorted(found, key=lambda each: (-each["created_at"], each["id"]))

    def about(self, id_: str) -> Mapping[str, Any]:
        """What is known of one.

        Raises:
            Refusal: there is none of that id.
        """
        return json.loads(self._read(self._path(id_, "about")))

    def content(self, id_: str) -> bytes:
        """Its bytes; see `about`."""
        return self._read(self._path(id_, "content"))

    def remove(self, id_: str) -> None:
        """Delete one; see `about`."""
        for part in ("about", "content"):
            self._path(id_, part).unlink(missing_ok=part == "content")

    def _path(self, id_: str, part: str) -> Path:
        path = self._folder / f"{id_}.{part}"
        if not _ID.fullmatch(id_) or not path.is_file():
            raise Refusal(
                404,
                "no_file",
                say("There is no file {id!r}.", "没有文件 {id!r}。", id=id_[:60]),
                hint="GET /v1/files",
                param="file_id",
            )
        return path

    def _read(self, path: Path) -> bytes:
        return self._vault.unseal(path.read_bytes(), f"file/{path.name}")
