"""Explain a drawn picture: leave out what it was made from, part by part, and draw it again under the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from castalia.core.explained_picture import Fields, Part, PictureExplanation, Way
from castalia.core.picture import DirectStep, DrawnStep, DrawStep, MixStep, Picture, RedrawStep
from castalia.modalities.image.draw.drawing import Drawing
from castalia.modalities.image.draw.layers import Floats
from castalia.modalities.image.draw.square import resized, squared
from castalia.modalities.image.mask import masked
from castalia.modalities.image.oklab import Pixels, Plane, oklab

if TYPE_CHECKING:
    from castalia.modalities.image.draw.model import DrawingModel

Given = Literal["picture", "direction"]
FIELD = 8
"""Pixels a side of the fields whose change is told: as many latents as a picture has."""
RANDOMS = 4
"""Random words that are tried in each place."""
NEIGHBOURS = 4
_FRAMES = 9
_FARTHEST = 4.0
"""How far a direction is followed on its way, see `DirectStep`."""


def explain(model: DrawingModel, step: DrawnStep, seed: int, work: Picture) -> PictureExplanation:
    """Which words moved which regions, what was filled in, learned pictures that come near, and the way between ends.

    Occlusion (Zeiler & Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2) of words in
    the place of pixels: each thing that was said is left out, under the same seed and with the same words filled in. So
    that a change can be weighed, random words of the vocabulary are put in its place, and said beside.

    Args:
        model: That draws.
        step: What was asked for.
        seed: The work's.
        work: The picture that is explained.

    Raises:
        UsageError: the model knows none of the words, or not the style or direction.
    """
    drawing = model.drawing(step, seed)
    numbers = drawing.numbers
    drawn = model.drawn(numbers, drawing.code(numbers))
    others = random_words(model, numbers, seed)
    base = oklab(drawn)
    said_too = [_drawn(model, drawing, (*numbers, other)) for other in others]
    parts = [_of_words(model, drawing, group, others, drawn) for group in range(len(drawing.groups))]
    near = model.neighbours(work.pixels, NEIGHBOURS)
    return PictureExplanation(
        model=model.name,
        same=np.array_equal(_inside(step, model.finished(drawing)), work.pixels),
        field=FIELD,
        side=model.network.side,
        chance=_rounded(np.mean([difference(base, oklab(each)).mean() for each in said_too])),
        randoms=RANDOMS,
        parts=(*parts, *_of_givens(model, step, seed, drawn)),
        learned=drawing.learned,
        left=tuple(drawing.left),
        near=tuple(near),
        usual=_rounded(model.apart),
        thumbnails=tuple(Picture.of(model.thumbnail(each.name), each.name) for each in near),
        way=_way(model, step, seed),
    )


def _inside(step: DrawnStep, drawn: Pixels) -> Pixels:
    """What stands in the work of what was drawn."""
    if isinstance(step, RedrawStep | DirectStep) and step.mask is not None:
        return masked(step.picture, drawn, step.mask)
    return drawn


def random_words(model: DrawingModel, numbers: Sequence[int], seed: int) -> Sequence[int]:
    """Numbers of `RANDOMS` words that are not among these."""
    free = np.setdiff1d(np.arange(1, len(model.vocabulary.words) + 1), numbers)
    chosen = np.random.default_rng((seed, 1)).choice(free, min(RANDOMS, len(free)), replace=False)
    return [int(each) for each in chosen]


def difference(first: Plane, second: Plane) -> Plane:
    """Of two pictures in OKLab, by pixel (height, width): 100 from black to white."""
    return (100 * np.sqrt(((first - second) ** 2).sum(-1))).astype(np.float32)


def by_fields(values: Plane, field: int = FIELD) -> Plane:
    """Means of fields (height / field, width / field)."""
    height, width = (side // field for side in values.shape)
    return values[: height * field, : width * field].reshape(height, field, width, field).mean((1, 3))


def _drawn(model: DrawingModel, drawing: Drawing, numbers: Sequence[int]) -> Pixels:
    return model.drawn(numbers, drawing.code(numbers))


def _of_words(model: DrawingModel, drawing: Drawing, group: int, others: Sequence[int], drawn: Pixels) -> Part:
    said, base = drawing.groups[group], oklab(drawn)
    swapped = [_drawn(model, drawing, drawing.replaced(group, other)) for other in others]
    exchanged = (
        np.mean([difference(base, oklab(each)) for each in swapped], 0) if swapped else np.zeros_like(base[..., 0])
    )
    rest = drawing.without(group)
    without = _drawn(model, drawing, rest) if rest else drawn
    change = difference(base, oklab(without))
    return Part(
        words=said.words,
        by=said.by,
        change=_rounded(change.mean()) if rest else None,
        exchanged=_rounded(exchanged.mean()),
        where=_fields(change if rest else exchanged),
        picture=Picture.of(without, said.words),
    )


def _of_givens(model: DrawingModel, step: DrawnStep, seed: int, drawn: Pixels) -> list[Part]:
    """Of what was given beside words: a picture that is drawn again, or a direction."""
    match step:
        case RedrawStep():
            return [_left(model, replace(step, strength=1.0), seed, drawn, "picture", step.picture.described)]
        case DirectStep():
            return [_left(model, replace(step, amount=0.0), seed, drawn, "direction", step.direction)]
        case _:
            return []


def _left(model: DrawingModel, step: DrawnStep, seed: int, drawn: Pixels, by: Given, words: str) -> Part:
    drawing = model.drawing(step, seed)
    without = _drawn(model, drawing, drawing.numbers)
    change = difference(oklab(drawn), oklab(without))
    picture = Picture.of(without, words)
    return Part(words=words, by=by, change=_rounded(change.mean()), where=_fields(change), picture=picture)


def _way(model: DrawingModel, step: DrawnStep, seed: int) -> Way | None:
    """Drawn from one end to the other of what the step lets its user choose; of words alone there is none."""
    match step:
        case MixStep():
            of, chosen, ends, given = "share", step.share, (0.0, 1.0), step.pictures
        case RedrawStep():
            of, chosen, ends, given = "strength", step.strength, (0.0, 1.0), (step.picture,)
        case DirectStep():
            of, chosen, ends, given = "amount", step.amount, (-_FARTHEST, _FARTHEST), (step.picture,)
        case DrawStep():
            return None
    at = tuple(float(each) for each in np.linspace(*ends, _FRAMES))
    drawings = [model.drawing(replace(step, **{of: each}), seed) for each in at]
    frames = [_drawn(model, each, each.numbers) for each in drawings]
    seen = [oklab(each) for each in frames]
    first, last = (each.code(each.numbers) for each in (drawings[0], drawings[-1]))
    return Way(
        of=of,
        at=at,
        chosen=chosen,
        steps=tuple(_rounded(difference(*each).mean()) for each in pairwise(seen)),
        ends=_rounded(difference(seen[0], seen[-1]).mean()),
        codes=_rounded(apart(model, first, last)),
        missed=tuple(_missed(model, each, drawings[0].numbers) for each in given),
        pictures=tuple(Picture.of(each) for each in frames),
    )


def apart(model: DrawingModel, first: Floats, second: Floats) -> float:
    """Distance of two codes: root of the mean square over components, each in its deviations."""
    return float(np.sqrt((((first - second) / np.maximum(model.network.spread, 1e-6)) ** 2).mean()))


def _missed(model: DrawingModel, picture: Picture, numbers: Sequence[int]) -> float:
    given = resized(squared(picture.pixels), model.network.side)
    return _rounded(difference(oklab(given), oklab(model.drawn(numbers, model.seen(picture)))).mean())


def _fields(values: Plane) -> Fields:
    return tuple(tuple(round(float(each), 1) for each in row) for row in by_fields(values))


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 2)
