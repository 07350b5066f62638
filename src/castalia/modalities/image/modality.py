"""Pictures as a modality: compose a plan's pictures into a draft."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from castalia.core import seeds
from castalia.core.language import say
from castalia.core.picture import (
    CoverStep,
    CutOutStep,
    DirectStep,
    DrawStep,
    EnlargeStep,
    MixStep,
    PaintStep,
    PatternStep,
    Picture,
    PictureStep,
    RedrawStep,
    SheetStep,
    StickerStep,
)
from castalia.core.ports import Plan, Progress
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.modalities.image.cover import TYPESETTER, cover, picture_of
from castalia.modalities.image.cut_out import cut_out
from castalia.modalities.image.mask import masked
from castalia.modalities.image.painters import Drawer, Method, Model, Painters, Pixels
from castalia.modalities.image.pattern import LONGEST, half_drop, seamless
from castalia.modalities.image.sets import laid_out, sticker
from castalia.modalities.image.size import within

LATER = "put into the pixels when the picture is marked"
"""Why a draft has no watermark yet."""


@dataclass(frozen=True)
class Made:
    """What one step made."""

    picture: Picture
    model: Model
    told: Mapping[str, str] = field(default_factory=dict[str, str])
    """What rules are to know of it beside, by names that begin with the step's."""
    filled_from: Mapping[str, str] = field(default_factory=dict[str, str])
    """See `Evidence`."""


def compose(
    brief: Brief,
    plan: Plan,
    painters: Painters,
    assemble: Callable[[Brief, Mapping[str, str]], Content],
    *,
    before: Draft | None = None,
    attempt: int = 0,
    progress: Progress | None = None,
) -> Draft:
    """Make one draft.

    Args:
        brief: What is asked for.
        plan: The genre's pictures.
        painters: The models.
        assemble: The genre's way of making the work from what the steps made, pictures as JSON.
        before: The draft of the plan's texts and music, where it has some.
        attempt: The k-th try; selects the seed.
        progress: Told before each step.

    Raises:
        MissingError: a model is not installed.
    """
    began = time.monotonic()
    seed = seeds.following(brief.seed, attempt)
    parts: dict[str, str] = dict(before.parts) if before else {}
    done: list[Made] = []
    for number, each in enumerate(plan.pictures):
        step = each(parts) if callable(each) else each
        if progress:
            progress(say("making {step}", "正在制作：{step}", step=step.name), number / len(plan.pictures))
        made = _make(step, painters, seed, progress)
        parts[step.name] = made.picture.model_dump_json()
        parts |= made.told or _told(step, made, painters, seed)
        done.append(made)
    evidence = _evidence(done, seed) if before is None else _added(before.evidence, done)
    taken = evidence.seconds + time.monotonic() - began
    return Draft(
        brief=brief,
        content=assemble(brief, parts),
        parts=parts,
        score=before.score if before else 0.0,
        evidence=evidence.model_copy(update={"seconds": round(taken, 3)}),
    )


def _told(step: PictureStep, made: Made, painters: Painters, seed: int) -> Mapping[str, str]:
    """What rules are to know of a drawn picture: words that said nothing to the model, what it is near, how it agrees.

    They stand under the step's name with `.unknown`, one word a line, `.nearest`, a `Neighbour` as JSON, `.agreement`,
    and `.after`: the learned picture that filled in what the words leave open, then what was said and is not its own.
    Where nobody here knows what the model learned, `.nearest` is empty and the others are left out.
    """
    if not isinstance(step, DrawStep | RedrawStep | MixStep | DirectStep):
        return {}
    words = step.words if isinstance(step.words, str) else " ".join(step.words)
    drawer, pixels = painters.drawer, made.picture.pixels
    near, unknown, agreed = drawer.nearest(pixels), drawer.unknown(words), drawer.agreement(words, step.style, pixels)
    told = {f"{step.name}.nearest": json.dumps(near) if near else ""}
    if after := made.filled_from.get(step.name):
        told[f"{step.name}.after"] = "\n".join((after, *drawer.missed(step, seed)))
    told |= {} if unknown is None else {f"{step.name}.unknown": "\n".join(unknown)}
    return told if agreed is None else told | {f"{step.name}.agreement": f"{agreed:.3f}"}


def _make(step: PictureStep, painters: Painters, seed: int, progress: Progress | None) -> Made:
    match step:
        case DrawStep():
            drawer = painters.drawer
            picture = Picture.of(drawer.draw(step.words, step.style, seed, step.size), step.words)
            return Made(picture, drawer, filled_from=_filled(drawer, step, seed))
        case RedrawStep():
            pixels = _inside(step, painters.drawer.redraw(step, seed))
            picture = Picture.of(pixels, step.words, made_by=step.picture.made_by)
            return Made(picture, painters.drawer, filled_from=_filled(painters.drawer, step, seed))
        case MixStep():
            made_by = "person" if any(each.made_by == "person" for each in step.pictures) else "model"
            pixels = painters.drawer.mix(step)
            return Made(Picture.of(pixels, " + ".join(step.words), made_by=made_by), painters.drawer)
        case DirectStep():
            pixels = _inside(step, painters.drawer.direct(step))
            return Made(Picture.of(pixels, step.words, made_by=step.picture.made_by), painters.drawer)
        case PaintStep():
            style = step.style if isinstance(step.style, str) else step.style.pixels[..., :3]
            pixels = step.picture.pixels
            painted = painters.painter.paint(
                pixels[..., :3], style, strength=step.strength, keep_colours=step.keep_colours
            )
            return Made(_from(step.picture, _with_alpha(_inside(step, painted), pixels)), painters.painter)
        case EnlargeStep(enough=enough) if 0 < enough <= min(step.picture.width, step.picture.height):
            return Made(step.picture, Method("as it is"))
        case EnlargeStep():
            large = painters.enlarger.enlarge(step.picture.pixels, step.factor, step.kind, progress)
            return Made(_from(step.picture, large), painters.enlarger)
        case _:
            return _by_method(step)


def _by_method(step: PatternStep | CutOutStep | StickerStep | SheetStep | CoverStep) -> Made:
    """What is made without weights."""
    match step:
        case PatternStep():
            return Made(_from(step.picture, _tile(step)), Method("pattern"))
        case CutOutStep():
            subject = cut_out(step.picture.pixels[..., :3]).pixels
            return Made(_from(step.picture, subject), Method("cut-out"))
        case StickerStep():
            return Made(_from(step.picture, sticker(step.picture.pixels, step.side, rim=step.rim)), Method("sticker"))
        case SheetStep():
            return Made(laid_out(step), Method("sheet"))
        case CoverStep():
            made = cover(step)
            told = {f"{step.name}.ground": Picture.of(made.ground).model_dump_json(), f"{step.name}.lines": made.lines}
            return Made(picture_of(made, step), Method("cover", build=TYPESETTER), told)


def _filled(drawer: Drawer, step: DrawStep | RedrawStep, seed: int) -> Mapping[str, str]:
    name = drawer.filled_from(step, seed)
    return {step.name: name} if name else {}


def _tile(step: PatternStep) -> Pixels:
    """A motif repeated, where there is alpha to tell it by; else the picture folded, at most `LONGEST` a side."""
    pixels = step.picture.pixels
    return half_drop(pixels, step.ground) if pixels.shape[2] == 4 else seamless(within(pixels, LONGEST))


def _from(picture: Picture, pixels: Pixels) -> Picture:
    """The picture changed: its description stays, and so does the person whose work it is."""
    return Picture.of(pixels, picture.described, made_by=picture.made_by)


def _inside(step: RedrawStep | DirectStep | PaintStep, changed: Pixels) -> Pixels:
    """What was changed, where the mask lets it."""
    return changed if step.mask is None else masked(step.picture, changed, step.mask)


def _with_alpha(pixels: Pixels, old: Pixels) -> Pixels:
    return np.concatenate([pixels, old[..., 3:]], axis=2)


def _evidence(done: list[Made], seed: int) -> Evidence:
    """Of pictures alone: the last model with weights, whose work is seen; the others stand beside the engine."""
    last = next((each.model for each in reversed(done) if each.model.digest), done[-1].model)
    return Evidence(
        model=last.name,
        digest=last.digest,
        engine=_engines(last.build, [each for each in done if each.model.name != last.name]),
        threads=1,
        seed=seed,
        watermark_reason=LATER,
        action=_action(done),
        filled_from=_all_filled(done),
    )


def _added(before: Evidence, done: list[Made]) -> Evidence:
    """Of words or music and pictures: their own, by which `remake` loads a language model, with the models named."""
    return before.model_copy(
        update={"engine": _engines(before.engine, done), "action": _action(done), "filled_from": _all_filled(done)}
    )


def _all_filled(done: list[Made]) -> Mapping[str, str]:
    return {step: name for each in done for step, name in each.filled_from.items()}


def _action(done: list[Made]) -> Literal["generated", "modified"]:
    return "modified" if any(each.picture.made_by == "person" for each in done) else "generated"


def _engines(first: str, others: list[Made]) -> str:
    named = [f"{each.model.name} {_short(each.model.digest)} ({each.model.build})" for each in others]
    return "; ".join(dict.fromkeys((first, *named)))


def _short(digest: str) -> str:
    return "endpoint" if digest.startswith("http") else digest[:12]
