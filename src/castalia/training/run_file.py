# pyright: basic
"""The run file, `run.json` in a model's folder: all that its training is a function of, the command first."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from castalia.core.errors import UsageError
from castalia.core.files import write_atomic
from castalia.core.language import say
from castalia.core.seeds import SEED_LIMIT
from castalia.training.collections import Collection
from castalia.training.started import preset_of

R = TypeVar("R")
NAME = "run.json"
PRESET = "small"
"""Where none is asked for."""
_MADE = ("member-*", "*.checkpoint", "weights.safetensors")
"""What tells that a model was trained, or begun, in a folder."""


@dataclass(frozen=True)
class Asked:
    """What the user said; None is left to the run file, else to the preset.

    Attributes:
        preset: Name of a recipe.
        steps: Updates of each member.
        minutes: Of wall clock for all members' networks together, in the place of steps.
        seed: Same seed, same model.
        changes: Values of other fields of the recipe as they were typed, by name.
    """

    preset: str | None = None
    steps: int | None = None
    minutes: float | None = None
    seed: int | None = None
    changes: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Run(Generic[R]):
    """A run.

    Attributes:
        preset: The recipe's name.
        recipe: The recipe, with the steps that are taken.
        minutes: The minutes that the steps were chosen for; None where they were not.
        collection: `name`, `digest` of its pieces, `kind`.
        versions: Of what computes.
        timed: What was timed to choose the steps.
        begun: Whether the folder holds the run already.
        changes: What of the recipe is not as the preset has it, beside steps and seed.
    """

    preset: str
    recipe: R
    minutes: float | None
    collection: Mapping[str, str]
    versions: Mapping[str, str]
    timed: Mapping[str, float]
    begun: bool
    changes: Mapping[str, float] = field(default_factory=dict[str, float])

    def command(self, folder: Path) -> str:
        """What to type for the same run, with its steps."""
        recipe: Any = self.recipe
        what = "image" if self.collection["kind"] == "picture" else "music"
        said = ["castalia", "train", what, "--collection", self.collection["name"], "--preset", self.preset]
        said += ["--steps", str(recipe.steps), "--seed", str(recipe.seed), "--threads", self.versions["threads"]]
        said += [part for name, value in self.changes.items() for part in ("--set", f"{name}={value}")]
        return shlex.join([*said, "--out", str(folder)])

    def within(self, steps: int, timed: Mapping[str, float]) -> Run[R]:
        """The same with the steps that fit into its minutes."""
        return replace(self, recipe=replace(self.recipe, steps=steps), timed=timed)  # type: ignore[type-var]

    def write(self, folder: Path) -> None:
        """Keep it; a run that was begun keeps its file."""
        if self.begun:
            return
        recipe: Any = self.recipe
        held = {"command": self.command(folder), "preset": self.preset, "seed": recipe.seed, "minutes": self.minutes}
        held |= {"timed": self.timed, "recipe": asdict(recipe), "collection": self.collection}
        held |= {"versions": self.versions, "changes": self.changes}
        write_atomic(folder / NAME, (json.dumps(held, ensure_ascii=False, indent=1) + "\n").encode())


def opened(
    folder: Path, asked: Asked, collection: Collection[Any], presets: Mapping[str, R], versions: Mapping[str, str]
) -> Run[R]:
    """The run that a folder holds, or a new one.

    Args:
        folder: Of the model.
        asked: What the user said of the recipe.
        collection: What is learned.
        presets: Recipes by name.
        versions: See `versions_with`.

    Raises:
        UsageError: both steps and minutes are said, the preset is unknown, or the folder holds another run.
    """
    if asked.steps and asked.minutes:
        raise UsageError(
            say(
                "Both steps ({steps}) and minutes ({minutes:g}) are given; the one follows from the other.",
                "同时给出了步数（{steps}）和分钟数（{minutes:g}）；两者只能取一。",
                steps=asked.steps,
                minutes=asked.minutes,
            ),
            hint=say("Give --steps or --minutes.", "请只给 --steps 或 --minutes。"),
        )
    learned = {"name": collection.name, "digest": collection.digest, "kind": collection.kind}
    if (folder / NAME).is_file():
        return _held(folder, asked, learned, presets)
    if any(True for made in _MADE for _ in folder.glob(made)):
        raise _other(folder, say("it has no run file ({name})", "没有运行文件（{name}）", name=NAME))
    preset = asked.preset or PRESET
    recipe: Any = replace(preset_of(presets, preset), seed=(asked.seed or 0) % SEED_LIMIT)  # type: ignore[type-var]
    changes = changes_of(recipe, asked.changes)
    recipe = replace(recipe, steps=asked.steps or recipe.steps, **changes)
    return Run(preset, recipe, asked.minutes, learned, versions, {}, begun=False, changes=changes)


def changes_of(recipe: object, asked: Mapping[str, str]) -> Mapping[str, float]:
    """Values of fields of a recipe that the user typed, by name.

    Raises:
        UsageError: a name is none of a number of the recipe, or has an option of its own; or a value does not fit.
    """
    hints = get_type_hints(type(recipe), include_extras=True)
    kinds = {name: kind for name, kind in hints.items() if name not in ("size", "steps", "seed")}
    made: dict[str, float] = {}
    for name, typed in asked.items():
        if name not in kinds:
            raise UsageError(
                say("{name!r} is no number of the recipe.", "{name!r} 不是配方中的数值。", name=name),
                hint=", ".join(kinds),
            )
        try:
            made[name] = TypeAdapter(kinds[name]).validate_json(typed)
        except ValidationError as error:
            raise UsageError(
                say("{name} cannot be {value!r}.", "{name} 不能是 {value!r}。", name=name, value=typed),
                hint=error.errors()[0]["msg"],
            ) from error
    return made


def versions_with(threads: int) -> Mapping[str, str]:
    """What computes: versions and threads; the same ones give the same model, bit for bit."""
    named = {name: version(name) for name in ("castalia", "torch", "numpy")}
    return {**named, "python": platform.python_version(), "machine": platform.machine(), "threads": str(threads)}


def changed(run: Run[Any], versions: Mapping[str, str]) -> str:
    """What computes otherwise than when the run was begun; empty when nothing does."""
    return ", ".join(
        f"{name} {run.versions.get(name, '–')} → {now}"
        for name, now in versions.items()
        if run.versions.get(name) != now
    )


def _held(folder: Path, asked: Asked, learned: Mapping[str, str], presets: Mapping[str, R]) -> Run[R]:
    try:
        held = json.loads((folder / NAME).read_text(encoding="utf-8"))
        kind: Any = next(iter(presets.values()))
        size = type(kind.size)
        same = held["collection"]["kind"] == learned["kind"]
        recipe = type(kind)(**{**held["recipe"], "size": size(**held["recipe"]["size"])}) if same else kind
        run = Run(
            held["preset"], recipe, held["minutes"], held["collection"], held["versions"], held["timed"],
            begun=True, changes=held.get("changes", {}),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = say("its run file cannot be read: {why}", "运行文件无法读取：{why}", why=str(error)[:200])
        raise _other(folder, why) from error
    differs: list[str] = []
    seed = None if asked.seed is None else asked.seed % SEED_LIMIT
    for name, wanted, there in (
        ("preset", asked.preset, run.preset),
        ("steps", asked.steps, recipe.steps),
        ("minutes", asked.minutes, run.minutes),
        ("seed", seed, recipe.seed),
        ("collection", learned["name"], run.collection["name"]),
        ("pieces", learned["digest"][:12], run.collection["digest"][:12]),
        *((name, value, getattr(recipe, name)) for name, value in changes_of(recipe, asked.changes).items()),
    ):
        if wanted is not None and wanted != there:
            differs.append(f"{name} {'–' if there is None else there} ≠ {wanted}")
    if differs:
        raise _other(folder, ", ".join(differs))
    return run


def _other(folder: Path, why: str) -> UsageError:
    return UsageError(
        say("{folder} holds another run: {why}.", "{folder} 中是另一次训练：{why}。", folder=folder, why=why),
        hint=say("--out OTHER trains in another folder.", "用 --out OTHER 在其他文件夹中训练。"),
    )
