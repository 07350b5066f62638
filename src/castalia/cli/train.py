"""`castalia train …`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from castalia.cli.training import needs_training
from castalia.core.files import folders
from castalia.core.language import say


@click.group(help=say("Train models on your own collections.", "用自己的收藏训练模型。"))
def train() -> None:
    """The group."""


@train.command(help=say("Train a model of chorales or tunes.", "训练四部合唱或旋律模型。"))
@click.option("--collection", required=True, metavar="NAME", help=say("what is learned", "训练所用的收藏"))
@click.option("--preset", default="small", show_default=True, help="tiny, small, large")
@click.option("--steps", type=click.IntRange(1), help=say("updates of each network", "每个网络的更新次数"))
@click.option(
    "--seed", type=int, default=0, show_default=True, help=say("same seed, same model", "相同种子得到相同模型")
)
@click.option("--threads", type=click.IntRange(1), default=2, show_default=True, help=say("threads", "线程数"))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help=say("folder of the model; a stopped run goes on there", "模型文件夹；中断的训练在此继续"),
)
def music(collection: str, preset: str, steps: int | None, seed: int, threads: int, out: Path | None) -> None:
    """Train, say how it goes, and where the model is."""
    found = needs_training().find(collection)
    room = needs_training(".music")
    room.use_threads(threads)
    folder = out or folders().data / "music" / f"{collection}-{preset}"
    genre = "melody" if found.kind == "tune" else "chorale"
    recipe = needs_training(".tunes").train_tunes if found.kind == "tune" else room.train_music
    made = recipe(found, folder, preset=preset, steps=steps, seed=seed, log=_line)
    click.echo(say("Model: {folder}", "模型：{folder}", folder=made))
    click.echo(f"CASTALIA_MUSIC_MODEL={made} castalia create {genre} …")


def _line(figures: Mapping[str, Any]) -> None:
    click.echo("  ".join(f"{name} {value}" for name, value in figures.items()))
