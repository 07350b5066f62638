"""What the stages learn from: pictures and captions of a collection, and which of them are learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia.modalities.image.recolour import name_of
from castalia.training.collections import Collection
from castalia.training.collections.pictures import Captioned
from castalia.training.images.captions import Captions, Said

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Material:
    """A collection as it is learned.

    Attributes:
        names: Of the pictures.
        pixels: (S, S, 3) each, in the order of their names.
        captions: Of the same pictures.
        train: Numbers of those to learn.
        valid: Numbers of those to measure on, and to show.
    """

    names: Sequence[str]
    pixels: Sequence[Pixels]
    captions: Captions
    train: Sequence[int]
    valid: Sequence[int]

    @staticmethod
    def of(collection: Collection[Captioned], side: int, most: int | None = None) -> Material:
        """The first pictures of a collection, or all, of that many pixels a side."""
        names = list(collection.pieces)[:most]
        pixels = _Shrunk(collection, names, side)
        said: list[Said] = []
        for name in names:
            piece = collection.pieces[name]
            said.append(Said(piece.text, piece.other, piece.style))
        train = [at for at, name in enumerate(names) if collection.split[name] == "train"]
        captions = Captions(said, [name_of(each) for each in pixels], train)
        valid = [at for at, name in enumerate(names) if collection.split[name] != "train"]
        return Material(names, pixels, captions, train, valid or train[:1])


class _Shrunk(Sequence[Pixels]):
    """Pictures of a collection by number, with a side that is smaller or the same, each read when it is asked for."""

    def __init__(self, collection: Collection[Captioned], names: Sequence[str], side: int) -> None:
        self._pieces, self._names, self._side = collection.pieces, names, side

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, at: int) -> Pixels:  # type: ignore[override]
        whole = self._pieces[self._names[at]].pixels
        if len(whole) == self._side:
            return whole
        return np.array(Image.fromarray(whole).resize((self._side, self._side), Image.Resampling.BOX))
