"""Does a picture show what was asked for: `python benchmarks/bench_pictures_prompts.py --collection emoji`.

    castalia models pull features
    python tools/gather_emoji.py FOLDER 3d
    castalia collections add emoji --as picture --from FOLDER --owner Microsoft --licence MIT

64 prompts are drawn by a model (`--model`, by default the one that comes with the program): 32 names that it learned;
16 names in colours that it learned with other things but not with these (`held_out`); 16 names of things with no main
colour, in a colour, which it never saw in another (`free`). They are spread evenly over the collection, and none was
chosen by its result. `pictures_prompts.png` shows all of them.

Protocol of `found`: features (EfficientNet-Lite0, cosine) of the drawn picture against those of every picture that was
learned; top 1 and top 5 say how often the one that bears the asked name is nearest, or among the five nearest. Pictures
of the same name count as one. `ceiling` is the same of the learned pictures themselves, through encoder and decoder and
in the asked colour where the recolouring can give them one; `chance` of pictures drawn for other prompts of the group.
`colour`: how often the asked colour is the one of ten that most of the subject's pixels are nearest to (OKLab,
lightness by half). Intervals are 95 % (Wilson).

The benchmark fails (exit 1) where fewer than .8 of the learned names are found among five, or fewer than .5 of the
colours of `held_out` are right.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from _report import HERE, emit, interval
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.look import colour_named
from castalia.modalities.image.oklab import oklab
from castalia.modalities.image.recolour import COLOURS, recoloured
from castalia.training.collections import find
from castalia.training.features import Features, features_of
from castalia.training.images.generate import is_held_out
from castalia.training.images.material import Material

SEED, SIDE = 1, 128
WHITE, GREY, LIGHTNESS = 0.95, 0.04, 0.5
"""OKLab: lightness of the ground, chroma below which it is grey, and how much lightness counts between colours."""
GROUPS = {"learned": 32, "held_out": 16, "free": 16}


@dataclass(frozen=True)
class Prompt:
    """What is asked for: a picture of the material by its number, its name, and a colour."""

    group: str
    picture: int
    name: str
    colour: str = ""

    @property
    def words(self) -> str:
        """As a user would say it."""
        return f"{self.colour} {self.name}".strip()


def main() -> None:
    """Draw, look, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--collection", default="emoji")
    parser.add_argument("--model", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    collection = find(chosen.collection)
    model = DrawingModel(chosen.model) if chosen.model else DrawingModel.default()
    material = Material.of(collection, SIDE)
    names = [collection.pieces[each].text.partition(",")[0].strip().lower() for each in material.names]
    asked = prompts(material, names)
    drawn = [model.draw(each.words, "", SEED, SIDE) for each in asked]
    network = Features.installed()
    known = list(material.train)
    kept = normed(features_of(network, [material.pixels[at] for at in known]))
    seen = normed(features_of(network, drawn))
    best = normed(features_of(network, [as_it_is(model, material, each) for each in asked]))
    figures: dict[str, Any] = {"model": model.name, "digest": model.digest[:12], "learned_pictures": len(known)}
    for group in GROUPS:
        of = [at for at, each in enumerate(asked) if each.group == group]
        wanted = [asked[at].name for at in of]
        own = [names[at] for at in known]
        figures[group] = {
            "prompts": len(of),
            "top_1": found(seen[of], kept, own, wanted, 1),
            "top_5": found(seen[of], kept, own, wanted, 5),
            "ceiling_top_1": found(best[of], kept, own, wanted, 1),
            "chance_top_5": found(seen[of], kept, own, [*wanted[1:], wanted[0]], 5),
        }
        if asked[of[0]].colour:
            right = sum(colour_seen(drawn[at]) == asked[at].colour for at in of)
            figures[group]["colour"] = interval(right, len(of))
    sheet(drawn, asked, HERE / "pictures_prompts.png")
    reached = {"learned": figures["learned"]["top_5"][0] >= 0.8, "colour": figures["held_out"]["colour"][0] >= 0.5}
    emit(
        "pictures_prompts",
        "found: nearest learned picture by EfficientNet-Lite0 features bears the asked name; "
        "colour: of ten, nearest in OKLab to most of the subject",
        {**figures, "reached": reached, "prompts": [each.words for each in asked]},
    )
    if not all(reached.values()):
        sys.exit(1)


def prompts(material: Material, names: Sequence[str]) -> list[Prompt]:
    """Those of all groups."""
    kinds: dict[str, list[Prompt]] = {group: [] for group in GROUPS}
    colours = list(COLOURS)
    for number, at in enumerate(material.train):
        if set(names[at].replace("-", " ").split()).intersection(COLOURS):
            continue
        kinds["learned"].append(Prompt("learned", at, names[at]))
        colour = colours[number % len(colours)]
        made = recoloured(material.pixels[at], colours)
        if not made:
            kinds["free"].append(Prompt("free", at, names[at], colour))
        kinds["held_out"] += [Prompt("held_out", at, names[at], each) for each in made if is_held_out(at, each)][:1]
    return [
        each
        for group, many in GROUPS.items()
        for each in kinds[group][len(kinds[group]) // (2 * many) :: max(1, len(kinds[group]) // many)][:many]
    ]


def as_it_is(model: DrawingModel, material: Material, prompt: Prompt) -> NDArray[np.uint8]:
    """The picture that was asked for, through encoder and decoder."""
    own = material.pixels[prompt.picture]
    own = recoloured(own, [prompt.colour]).get(prompt.colour, own) if prompt.colour else own
    return model.network.pixels(model.network.encoded(own))


def colour_seen(pixels: NDArray[np.uint8]) -> str:
    """The name that most of the subject, what is not nearly white, would be given."""
    lab = oklab(pixels).reshape(-1, 3)
    subject = lab[(lab[:, 0] < WHITE) | (np.hypot(lab[:, 1], lab[:, 2]) > GREY)]
    typical = oklab(np.array([[colour_named(each) for each in COLOURS]], np.uint8))[0]
    away = (subject[:, None] - typical) * (LIGHTNESS, 1, 1)
    return list(COLOURS)[int(np.bincount((away**2).sum(-1).argmin(1), minlength=len(COLOURS)).argmax())]


def normed(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Of length one."""
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def found(
    seen: NDArray[np.float32], kept: NDArray[np.float32], names: Sequence[str], wanted: Sequence[str], among: int
) -> tuple[float, float, float]:
    """Share, with its interval, of pictures among whose nearest learned ones is one of the wanted name."""
    near = np.argsort(-(seen @ kept.T), axis=1)
    good = 0
    for row, name in zip(near, wanted, strict=True):
        good += name in list(dict.fromkeys(names[at] for at in row[: 20 * among]))[:among]
    return interval(good, len(wanted))


def sheet(drawn: Sequence[NDArray[np.uint8]], asked: Sequence[Prompt], path: Path, columns: int = 8) -> None:
    """All pictures with their words."""
    wide, high = SIDE + 12, SIDE + 26
    whole = Image.new("RGB", (columns * wide, -(-len(drawn) // columns) * high), "white")
    pen, font = ImageDraw.Draw(whole), ImageFont.load_default(11)
    for at, (pixels, prompt) in enumerate(zip(drawn, asked, strict=True)):
        x, y = at % columns * wide + 6, at // columns * high + 4
        whole.paste(Image.fromarray(pixels), (x, y))
        pen.text((x + SIDE / 2, y + SIDE + 2), prompt.words[:24], fill="black", font=font, anchor="ma")
    whole.save(path, optimize=True)


if __name__ == "__main__":
    main()
