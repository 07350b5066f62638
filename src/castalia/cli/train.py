"""`castalia train …`."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from castalia.cli.training import needs_training
from castalia.core.errors import UsageError
from castalia.core.files import folders
from castalia.core.language import say

F = TypeVar("F", bound=Callable[..., Any])


@click.group(help=say("Train models on your own collections.", "用自己的收藏训练模型。"))
def train() -> None:
    """The group."""


def _options(presets: str) -> Callable[[F], F]:
    """The options that training of every kind has."""
    options = (
        click.option("--collection", required=True, metavar="NAME", help=say("what is learned", "训练所用的收藏")),
        click.option("--preset", metavar="NAME", help=presets),
        click.option(
            "--steps", type=click.IntRange(1), help=say("most updates of each network", "每个网络的最多更新次数")
        ),
        click.option(
            "--minutes",
            type=click.FloatRange(0, 100_000, min_open=True),
            help=say(
                "minutes for all networks together, instead of --steps; a picture model's directions take some more",
                "全部网络合计的分钟数，代替 --steps；图片模型寻找方向另需数分钟",
            ),
        ),
        click.option(
            "--seed", type=int, help=say("same seed, same model (default 0)", "相同种子得到相同模型（默认 0）")
        ),
        click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help=say("threads", "线程数")),
        click.option(
            "--out",
            type=click.Path(path_type=Path, file_okay=False),
            help=say("folder of the model; a stopped run goes on there", "模型文件夹；中断的训练在此继续"),
        ),
    )

    def added(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return added


@train.command(help=say("Train a model of chorales or tunes.", "训练四部合唱或旋律模型。"))
@_options(say("tiny, small (default), large, shipped", "tiny、small（默认）、large、shipped"))
def music(
    collection: str,
    preset: str | None,
    steps: int | None,
    minutes: float | None,
    seed: int | None,
    threads: int,
    out: Path | None,
) -> None:
    """Train, say how it goes, and where the model is."""
    found = _of_kind(collection, ("chorale", "tune"), "music")
    room = needs_training(".chorales")
    room.use_threads(threads)
    folder = out or folders().data / "music" / f"{collection}-{preset or 'small'}"
    genre = "melody" if found.kind == "tune" else "chorale"
    recipe = needs_training(".tunes").train_tunes if found.kind == "tune" else room.train_chorales
    with _resumable(folder):
        made = recipe(found, folder, preset=preset, steps=steps, minutes=minutes, seed=seed, log=_line)
    click.echo(say("Model: {folder}", "模型：{folder}", folder=made))
    click.echo(f"CASTALIA_MUSIC_MODEL={shlex.quote(str(made))} castalia create {genre} …")


def _named(context: click.Context, option: click.Parameter, given: Sequence[str]) -> Mapping[str, str]:
    del context, option
    named = [each.partition("=") for each in given]
    if wrong := [each for each, (_, sign, _) in zip(given, named, strict=True) if not sign]:
        raise click.BadParameter(say("{given!r} is not NAME=NUMBER.", "{given!r} 不是 NAME=NUMBER。", given=wrong[0]))
    return {name.strip(): value.strip() for name, _, value in named}


@train.command(help=say("Train a model that draws from words.", "训练按文字绘画的模型。"))
@_options(say("tiny, small (default), large", "tiny、small（默认）、large"))
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="NAME=NUMBER",
    callback=_named,
    help=say(
        "another number of the recipe, as run.json lists them: looks=5, patience=8, augment=0.6, bits=16",
        "配方中的其他数值，见 run.json：looks=5、patience=8、augment=0.6、bits=16",
    ),
)
def image(
    collection: str,
    preset: str | None,
    steps: int | None,
    minutes: float | None,
    seed: int | None,
    threads: int,
    out: Path | None,
    changes: Mapping[str, str],
) -> None:
    """Train, say how it goes, and where the model is."""
    found = _of_kind(collection, ("picture",), "image")
    needs_training(".chorales").use_threads(threads)
    folder = out or folders().data / "images" / f"{collection}-{preset or 'small'}"
    recipe = needs_training(".images").train_images
    with _resumable(folder):
        made = recipe(found, folder, preset=preset, steps=steps, minutes=minutes, seed=seed, changes=changes, log=_line)
    click.echo(say("Model: {folder}", "模型：{folder}", folder=made))
    click.echo(f"CASTALIA_IMAGE_MODEL={shlex.quote(str(made))} castalia create picture …")


def _of_kind(collection: str, kinds: Sequence[str], command: str) -> Any:  # noqa: ANN401 - of an extra's room
    """The collection of that name.

    Raises:
        UsageError: it is of another kind, or not there.
    """
    found = needs_training().find(collection)
    if found.kind not in kinds:
        other = "image" if found.kind == "picture" else "music"
        raise UsageError(
            say(
                "{name} is a collection of the kind {kind}, which `train {command}` does not learn.",
                "{name} 是 {kind} 类收藏，`train {command}` 不能训练它。",
                name=collection,
                kind=found.kind,
                command=command,
            ),
            hint=f"castalia train {other} --collection {collection}",
        )
    return found


@train.command(
    help=say(
        "Find directions in a picture model, such as taller, and write them into its card; training ends with it.",
        "在图片模型中寻找方向（如更高）并写入其说明。训练结束时会自动进行。",
    )
)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def directions(folder: Path) -> None:
    """Find them, and say what they do."""
    for each in needs_training(".images").add_directions(folder, log=_line).directions:
        click.echo(each.told)


@train.command(help=say("Write a trained model for other programs.", "将训练好的模型导出给其他程序。"))
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--to", "kind", type=click.Choice(("onnx",)), default="onnx", show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help=say("where to", "输出文件夹")
)
def export(folder: Path, kind: str, out: Path) -> None:
    """Write its graphs, what they need, and its card; name the files with their sizes, and what was compared."""
    del kind
    for path in needs_training(".portable").export_model(folder, out, log=_line):
        click.echo(f"{path}\t{path.stat().st_size / 1e6:.2f} MB")


@contextmanager
def _resumable(folder: Path) -> Generator[None]:
    """Say how to go on, where the run is stopped by its user."""
    try:
        yield
    except KeyboardInterrupt:
        if (folder / "run.json").exists():
            click.echo(
                say(
                    "Stopped. The same command goes on where {folder} was.",
                    "已停止。同一命令会从 {folder} 的进度继续。",
                    folder=folder,
                ),
                err=True,
            )
        raise


def _line(figures: Mapping[str, Any]) -> None:
    """One line of figures; what has gone by and what is left, and where a sample is, in words."""
    said = [f"{name} {value}" for name, value in figures.items() if name not in ("minutes", "left", "sample")]
    if "left" in figures:
        gone, left = f"{figures['minutes']:.1f}", f"{figures['left']:.1f}"
        said.append(
            say(
                "{gone} min gone, at most {left} left of this stage",
                "已用 {gone} 分钟，此阶段至多还需 {left} 分钟",
                gone=gone,
                left=left,
            )
            if "stage" in figures
            else say(
                "{gone} min gone, at most {left} left", "已用 {gone} 分钟，至多还需 {left} 分钟", gone=gone, left=left
            )
        )
    if "sample" in figures:
        said.append(say("sample: {path}", "样例：{path}", path=figures["sample"]))
    click.echo("  ".join(said))
