"""A trained picture model: a folder with its weights, its words and its card."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from castalia.core.errors import UsageError
from castalia.core.explained_picture import Neighbour, PictureExplanation
from castalia.core.language import say
from castalia.core.picture import DirectStep, DrawnStep, DrawStep, MixStep, Picture, RedrawStep
from castalia.modalities.image.draw.agreement import agreement
from castalia.modalities.image.draw.direction import Direction
from castalia.modalities.image.draw.drawing import Drawing, Said, numbers_of
from castalia.modalities.image.draw.explain import explain
from castalia.modalities.image.draw.fitting import Fitting
from castalia.modalities.image.draw.folder import PARTS, Learned, ModelFolder
from castalia.modalities.image.draw.layers import Floats
from castalia.modalities.image.draw.network import Network
from castalia.modalities.image.draw.outline import alike
from castalia.modalities.image.draw.square import resized, squared
from castalia.modalities.image.draw.words import COLOURS, SAME, Reading
from castalia.modalities.image.read import read_picture
from castalia.modalities.image.recolour import COLOURS as RECOLOURED
from castalia.modalities.image.recolour import coloured

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class _Filled:
    """What fills in what words leave open: words of what learned picture, and what was said that it has not."""

    words: tuple[int, ...] = ()
    learned: str = ""
    colours: Sequence[str] = ()
    missing: Sequence[str] = ()
    left: Sequence[int] = ()


_SHAKEN = 0.05
"""Deviations by which chance moves a code in every way: more is drawn as patches."""
_SWAYED = 0.3
"""Deviation of the amounts by which chance moves it along the found directions: this tells seeds apart, cleanly."""
USUAL, LARGEST = 128, 512
"""Pixels a side where none are asked for, and at most: its networks draw smaller, and more would be seen to be soft."""


class DrawingModel:
    """Draws from words; see `Drawer`.

    Args:
        path: Holds the files of `PARTS`.

    Raises:
        MissingError: a file is not there.
        UsageError: a file is no part of a picture model, see `ModelFolder`.
    """

    def __init__(self, path: Path) -> None:
        self._folder = ModelFolder(path)
        self.path, self.card, self.vocabulary = path, self._folder.card, self._folder.vocabulary

    @staticmethod
    def default() -> DrawingModel:
        """The one that comes with the program."""
        return DrawingModel(Path(str(files("castalia") / "data" / "image" / "emoji")))

    @property
    def name(self) -> str:
        """As its card says."""
        return str(self.card["name"])

    @property
    def digest(self) -> str:
        """SHA-256 over its files, in the order of `PARTS`."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        whole = hashlib.sha256()
        for name in PARTS:
            whole.update((self.path / name).read_bytes())
        return whole.hexdigest()

    @property
    def build(self) -> str:
        """Engine and version."""
        return f"numpy {np.__version__}"

    @property
    def styles(self) -> Sequence[str]:
        """What its collection calls its manners, the first the one that is taken where none is said."""
        return self.card["styles"]

    @cached_property
    def network(self) -> Network:
        """Its networks."""
        return Network(self._folder.weights(), self._folder.size)

    def read(self, words: str, style: str = "") -> Reading:
        """The words as the model reads them, the style among the known.

        Raises:
            UsageError: it knows none of the words, or not that style.
        """
        if style and style not in self.styles:
            raise UsageError(
                say("The picture model knows no style {style!r}.", "图片模型没有风格 {style!r}。", style=style),
                hint=say("Use one of: {names}.", "可用：{names}。", names=", ".join(self.styles))
                if self.styles
                else say("It has a single manner: leave the style out.", "它只有一种画法：请去掉风格。"),
            )
        reading = self.vocabulary.read(words)
        if not reading.numbers:
            raise UsageError(
                say(
                    "The picture model knows none of these words: {words}.",
                    "图片模型不认识这些词：{words}。",
                    words=words[:200],
                ),
                hint=say(
                    "It draws what it was taught: `castalia models words` lists it; "
                    "`castalia train image` teaches it your own pictures.",
                    "它只画学过的内容：`castalia models words` 会列出；可用 `castalia train image` 教它您自己的图片。",
                ),
            )
        named = any(set(self.vocabulary.read(each).numbers) <= set(reading.numbers) for each in self.styles)
        style = style or ("" if named or not self.styles else self.styles[0])
        added = self.vocabulary.read(style) if style else Reading((), (), ())
        return Reading((*reading.numbers, *added.numbers), (*reading.known, *added.known), reading.unknown)

    def known(self) -> Mapping[str, Sequence[str]]:
        """See `Drawer.known`."""
        directions = [each.told for each in self.directions]
        return {"words": self.vocabulary.words, "styles": self.styles, "directions": directions}

    def unknown(self, words: str) -> Sequence[str]:
        """See `Drawer.unknown`."""
        return self.vocabulary.read(words).unknown

    def nearest(self, pixels: Pixels) -> Neighbour:
        """See `Drawer.nearest`: in fields, of which a picture has as many as its thumbnail, or in its outlines."""
        return self.neighbours(pixels, 1)[0]

    def agreement(self, words: str, style: str, pixels: Pixels) -> float | None:
        """See `Drawer.agreement`."""
        said, added = self.vocabulary.read(words).numbers, self.read(words, style).numbers
        style_alone = [each for each in added if each not in said]
        return agreement(self.network, self.seen(Picture.of(pixels)), said, style_alone, self._usual)

    @cached_property
    def _usual(self) -> Floats:
        words = self._learned.words
        return self.network.meant_by(words[(words > 0).any(1)]).mean(0)

    def neighbours(self, pixels: Pixels, most: int) -> Sequence[Neighbour]:
        """The learned pictures that are most like this one, the nearest first."""
        learned, seen = self._learned, np.ascontiguousarray(pixels[..., :3])
        side = learned.thumbnails.shape[1]
        small = np.array(Image.fromarray(seen).resize((side, side), Image.Resampling.BOX), np.float32)
        far = np.abs(learned.thumbnails - small).mean((1, 2, 3)).tolist()
        like = [None] * len(far) if learned.outlines is None else alike(seen, learned.outlines).tolist()
        found = [Neighbour(*each) for each in zip(learned.names, far, like, strict=True)]
        return sorted(found, key=lambda each: each.apart)[:most]

    @cached_property
    def apart(self) -> float:
        """How far a learned picture is from its own nearest neighbour: the median, as `nearest` measures."""
        thumbnails = self._learned.thumbnails
        flat = thumbnails.reshape(len(thumbnails), -1)
        least = [np.partition(np.abs(flat - each).mean(1), 1)[1] for each in flat] if len(flat) > 1 else [0.0]
        return float(np.median(least))

    def thumbnail(self, name: str) -> Pixels:
        """What is kept of a learned picture (side, side, 3)."""
        at = self._learned.names.index(name)
        if not self._learned.files:
            return self._learned.thumbnails[at].astype(np.uint8)
        return read_picture(self._learned.files[at], name).pixels[..., :3]

    @cached_property
    def _learned(self) -> Learned:
        return self._folder.learned()

    @property
    def count(self) -> int:
        """Pictures that were learned."""
        return len(self._learned.names)

    def taught(self, at: int) -> Sequence[int]:
        """The numbers of the words that name a learned picture."""
        return [int(word) for word in self._learned.words[at] if word]

    # ---------------------------------------------------------------- drawing

    def draw(self, words: str, style: str, seed: int, size: int) -> Pixels:
        """See `Drawer.draw`: what the words leave open is taken from one of the pictures that have them all."""
        return self.finished(self.drawing(DrawStep("picture", words, size, style), seed))

    def redraw(self, step: RedrawStep, seed: int) -> Pixels:
        """See `Drawer.redraw`: the picture's code, moved towards what its words give under another seed."""
        return self.finished(self.drawing(step, seed))

    def mix(self, step: MixStep) -> Pixels:
        """See `Drawer.mix`: between the codes of both, as the words of both say."""
        return self.finished(self.drawing(step))

    def direct(self, step: DirectStep) -> Pixels:
        """See `Drawer.direct`: the picture's code, moved along the direction."""
        return self.finished(self.drawing(step))

    def drawing(self, step: DrawnStep, seed: int = 0) -> Drawing:
        """What a step asks for, before it is drawn.

        Args:
            step: One that asks the model.
            seed: Of drawing and redrawing; the other steps leave nothing to chance.

        Raises:
            UsageError: a style, a direction or all words are unknown.
        """
        match step:
            case DrawStep():
                groups, filled, code = self._by_chance(step.words, step.style, seed, _SHAKEN)
                own = [each for each in filled.colours if each in RECOLOURED]
                colour, side = own[0] if len(own) == 1 else "", _asked(step.size, self.name)
                return Drawing(
                    groups, code, side, filled.learned, colour, filled.missing, self._left(step.words, filled)
                )
            case RedrawStep():
                groups, filled, there = self._by_chance(step.words, step.style, seed, 2 * _SHAKEN)
                own = self.seen(step.picture)

                def towards(numbers: Sequence[int]) -> Floats:
                    return (own + step.strength * (there(numbers) - own)).astype(np.float32)

                left = self._left(step.words, filled)
                return Drawing(groups, towards, _side(step.picture), filled.learned, left=left)
            case MixStep():
                first, second = (self.seen(picture) for picture in step.pictures)
                between = (first + step.share * (second - first)).astype(np.float32)
                groups = tuple(dict.fromkeys(each for words in step.words for each in self._groups(words, step.style)))
                return Drawing(groups, lambda _: between, max(map(_side, step.pictures)))
            case DirectStep():
                direction = self.direction(step.direction)
                moved = (self.seen(step.picture) + step.amount * direction.vector).astype(np.float32)
                return Drawing(self._groups(step.words, step.style), lambda _: moved, _side(step.picture))

    def _left(self, text: str, filled: _Filled) -> Sequence[str]:
        return [part for part, numbers in self.vocabulary.said(text).items() if set(filled.left).issuperset(numbers)]

    def filled_from(self, step: DrawnStep, seed: int) -> str:
        """See `Drawer.filled_from`."""
        return self.drawing(step, seed).learned

    def missed(self, step: DrawnStep, seed: int) -> Sequence[str]:
        """See `Drawer.missed`."""
        return self.drawing(step, seed).missing

    def explain(self, step: DrawnStep, seed: int, work: Picture) -> PictureExplanation:
        """See `Drawer.explain`."""
        return explain(self, step, seed, work)

    def _by_chance(
        self, words: str, style: str, seed: int, far: float
    ) -> tuple[tuple[Said, ...], _Filled, Callable[[Sequence[int]], Floats]]:
        """What is said and filled in, by what, and codes that chance moved so far."""
        rng = np.random.default_rng(seed)
        groups = self._groups(words, style)
        filled = self._filled(words, numbers_of(groups), rng)
        groups = tuple(each for each in groups if not set(filled.left).issuperset(each.numbers))
        spread = self.network.spread
        moved: Floats = far * spread * rng.standard_normal(len(spread)).astype(np.float32)
        for each in self.directions:
            moved += np.float32(far / _SHAKEN * _SWAYED * rng.standard_normal()) * each.vector
        if added := filled.words:
            groups = (*groups, Said(" ".join(self.vocabulary.words[each - 1] for each in added), added, "learned"))
        return groups, filled, lambda numbers: (self.network.meant(numbers) + moved).astype(np.float32)

    def _groups(self, words: str, style: str) -> tuple[Said, ...]:
        """What was said, and the style; see `read`."""
        reading = self.read(words, style)
        said = [Said(part, numbers) for part, numbers in self.vocabulary.said(words).items()]
        there = set(numbers_of(said))
        added = tuple(each for each in reading.numbers if each not in there)
        called = " ".join(self.vocabulary.words[each - 1] for each in added)
        return (*said, *([Said(called, added, "style")] if added else []))

    def finished(self, drawing: Drawing) -> Pixels:
        """The picture, in the colour that was asked for, of the asked size."""
        pixels = self.drawn(drawing.numbers, drawing.code(drawing.numbers))
        return resized(coloured(pixels, drawing.colour) if drawing.colour else pixels, drawing.side)

    def direction(self, name: str) -> Direction:
        """The direction of that name, English or Chinese.

        Raises:
            UsageError: there is none.
        """
        found = [each for each in self.directions if name.strip().lower() in (each.name, each.chinese)]
        if not found:
            raise UsageError(
                say("The picture model knows no direction {name!r}.", "图片模型没有方向 {name!r}。", name=name),
                hint=", ".join(f"{each.name} ({each.chinese})" for each in self.directions) or "–",
            )
        return found[0]

    @cached_property
    def directions(self) -> Sequence[Direction]:
        """What was found among its codes, each named by what it does."""
        return [Direction.of(each) for each in self.card.get("directions", ())]

    def drawn(self, words: Sequence[int], code: Floats) -> Pixels:
        """A picture (S, S, 3) from numbers of words and a code, in the network's own size."""
        with np.errstate(over="ignore", invalid="ignore"):  # `pixels` says so
            return self.network.pixels(self.network.latents(words, code))

    def _filled(self, text: str, words: Sequence[int], rng: np.random.Generator) -> _Filled:
        """What a learned picture that fits the words has beside them; its colour may be another than theirs."""
        named = {number: each for each in COLOURS for number in self.vocabulary.read(each).numbers}
        colours = set(named).intersection(words)
        about = [word for word in words if word not in colours] or list(words)
        parts = [each for each in self.vocabulary.clause(text) if not colours.issuperset(each)]
        fit = self._fitting.fit(about, parts, rng)
        if fit is None:
            return _Filled(colours=[named[each] for each in colours])
        taught = self.taught(fit.picture)
        added = [word for word in taught if not (colours and word in named) and word not in words]
        return _Filled(
            tuple(dict.fromkeys(added)),
            self._learned.names[fit.picture],
            [named[each] for each in colours if each not in taught],
            [part for part, numbers in self.vocabulary.said(text).items() if set(fit.missing).issuperset(numbers)],
            fit.left,
        )

    @cached_property
    def _fitting(self) -> Fitting:
        read = self.vocabulary.read
        styles = {number for each in self.styles for number in read(each).numbers}
        same = [{number for word in each for number in read(word).numbers} for each in SAME]
        return Fitting(self._learned, styles, [each for each in same if len(each) > 1])

    def seen(self, picture: Picture) -> Floats:
        """The code of a picture."""
        square = resized(squared(picture.pixels), self.network.side)
        return self.network.code(self.network.encoded(square))


def _asked(size: int, name: str) -> int:
    """The side that is asked for, `USUAL` for 0.

    Raises:
        UsageError: it is more than `LARGEST`.
    """
    if size > LARGEST:
        raise UsageError(
            say(
                "{name} draws at most {most} pixels a side, not {size}.",
                "{name} 每边最多画 {most} 像素，而不是 {size}。",
                name=name,
                most=LARGEST,
                size=size,
            ),
            hint=say(
                "Draw it smaller, then `castalia create enlarge --picture`.",
                "请先画小，再用 `castalia create enlarge --picture` 放大。",
            ),
        )
    return size or USUAL


def _side(picture: Picture) -> int:
    """Of what is made from a picture: its longer side, 64 to 512."""
    return min(max(picture.width, picture.height, 64), 512)
