"""Where a collection's pieces lie: one archive, written and read piece by piece."""

from __future__ import annotations

import os
import weakref
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from castalia.core.files import storage_error

P = TypeVar("P")
Numbers = NDArray[Any]
NAME = "pieces.npz"


class Filling:
    """An archive that is being written; it takes the place of the one before when all went well.

    Args:
        folder: Of the collection.
    """

    def __init__(self, folder: Path) -> None:
        self._path, self._partial = folder / NAME, folder / f"{NAME}.partial"
        self._file = zipfile.ZipFile(self._partial, "w", zipfile.ZIP_DEFLATED, compresslevel=3)
        self._count = 0

    def put(self, numbers: Numbers) -> None:
        """The next piece.

        Raises:
            StorageError: the disk is full, or the folder cannot be written.
        """
        try:
            with self._file.open(f"p{self._count}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(numbers), allow_pickle=False)
        except OSError as error:
            raise storage_error(error, self._path) from error
        self._count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._file.close()
            if kind is None:
                os.replace(self._partial, self._path)
        except (OSError, ValueError) as failed:  # of a member that could not be finished it is the second
            if error is None:
                raise (storage_error(failed, self._path) if isinstance(failed, OSError) else failed) from failed
        finally:
            self._partial.unlink(missing_ok=True)


class Shelf(Mapping[str, P]):
    """Pieces by name, each read when it is asked for.

    Args:
        folder: Of the collection.
        said: What the card says of each piece, by name, in the archive's order.
        unpack: See `Intake.unpack`.
    """

    def __init__(
        self, folder: Path, said: Mapping[str, Mapping[str, Any]], unpack: Callable[[Numbers, Mapping[str, Any]], P]
    ) -> None:
        self._folder, self._said, self._unpack = folder, said, unpack
        self._places = {name: f"p{at}" for at, name in enumerate(said)}

    @cached_property
    def _arrays(self) -> Mapping[str, Numbers]:
        arrays = np.load(self._folder / NAME, allow_pickle=False)
        weakref.finalize(self, arrays.close)
        return arrays

    def __getitem__(self, name: str) -> P:
        return self._unpack(self._arrays[self._places[name]], self._said[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._said)

    def __len__(self) -> int:
        return len(self._said)
