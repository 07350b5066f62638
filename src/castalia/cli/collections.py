"""`castalia collections …`."""

from __future__ import annotations

import json
from collections import Counter

import click

from castalia.cli.opening import progress_line
from castalia.cli.training import needs_training
from castalia.core.language import say


@click.group(help=say("Collections of your own works, to train on.", "用于训练的自有作品收藏。"))
def collections() -> None:
    """The group."""


@collections.command(help=say("Take in scores under a NAME.", "以 NAME 收入乐谱。"))
@click.argument("name")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="SOURCE",
    help=say(
        "a folder or file of .mid, .musicxml, .mxl, .abc, .krn; grids as .json; music21:bach; "
        "tunes also music21:ryansMammoth+oneills1850+airdsAirs",
        "含 .mid、.musicxml、.mxl、.abc、.krn 的文件夹或文件；.json 网格；music21:bach；"
        "曲调也可用 music21:ryansMammoth+oneills1850+airdsAirs",
    ),
)
@click.option(
    "--as",
    "kind",
    type=click.Choice(("chorale", "tune")),
    default="chorale",
    show_default=True,
    help=say("what its pieces are: four voices, or one melody", "乐曲种类：四声部或单旋律"),
)
@click.option("--owner", default="", help=say("who has the rights", "权利人"))
@click.option("--licence", default="", help=say("under which they may be used", "使用许可"))
@click.option("--json", "as_json", is_flag=True, help=say("one JSON object", "输出一个 JSON 对象"))
def add(name: str, source: str, kind: str, owner: str, licence: str, as_json: bool) -> None:
    """Clean and keep, and say what was dropped and why."""
    training = needs_training()
    with progress_line(quiet=as_json) as progress:
        made = training.add(name, source, kind=kind, owner=owner, licence=licence, progress=progress)
        progress("", 1)
    dropped: dict[str, str] = made.card["dropped"]
    parts: list[str] = list(made.split.values())
    counts = Counter(parts)
    if as_json:
        shown = {"name": name, "kind": kind, "pieces": len(made.pieces), "split": dict(counts), "dropped": dropped}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(
        say(
            "{name}: {n} pieces ({train} to train, {valid} to validate, {test} to test), {dropped} dropped",
            "{name}：{n} 首（训练 {train}，验证 {valid}，测试 {test}），舍去 {dropped} 首",
            name=name,
            n=len(made.pieces),
            train=counts["train"],
            valid=counts["valid"],
            test=counts["test"],
            dropped=len(dropped),
        )
    )
    for why, number in Counter(dropped.values()).most_common(10):
        click.echo(f"  {number} × {why}")


@collections.command("list", help=say("Name all collections.", "列出全部收藏。"))
def list_() -> None:
    """Names and sizes."""
    training = needs_training()
    for name in training.names():
        found = training.find(name)
        click.echo(
            f"{name}\t{len(found.pieces)}\t{found.card['owner']}\t{found.card['licence']}\t{found.card['source']}"
        )


@collections.command(help=say("Delete a collection; models made of it stay.", "删除收藏；由它训练的模型保留。"))
@click.argument("name")
def remove(name: str) -> None:
    """Delete."""
    needs_training().remove(name)
