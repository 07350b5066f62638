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


@collections.command(help=say("Take in scores or pictures under a NAME.", "以 NAME 收入乐谱或图片。"))
@click.argument("name")
@click.option(
    "--from",
    "source",
    required=True,
    metavar="SOURCE",
    help=say(
        "a folder or file of .mid, .musicxml, .mxl, .abc, .krn; grids as .json; music21:bach; "
        "tunes also music21:ryansMammoth+oneills1850+airdsAirs; pictures: a folder or .zip, with captions in "
        "captions.jsonl, captions.csv, .txt files or file names",
        "含 .mid、.musicxml、.mxl、.abc、.krn 的文件夹或文件；.json 网格；music21:bach；"
        "曲调也可用 music21:ryansMammoth+oneills1850+airdsAirs；图片：文件夹或 .zip，"
        "说明文字取自 captions.jsonl、captions.csv、.txt 或文件名",
    ),
)
@click.option(
    "--as",
    "kind",
    type=click.Choice(("chorale", "tune", "picture")),
    default="chorale",
    show_default=True,
    help=say(
        "what its pieces are: four voices, one melody, or pictures with captions", "种类：四声部、单旋律或带说明的图片"
    ),
)
@click.option(
    "--ground",
    metavar="COLOUR",
    help=say(
        "beneath what is transparent in pictures, and beside them: a name or #rrggbb (default white)",
        "图片透明处之下及四周的底色：颜色名或 #rrggbb（默认 white）",
    ),
)
@click.option(
    "--fit",
    type=click.Choice(("pad", "crop")),
    help=say("pictures become squares by padding (default) or by cutting", "图片变方：补边（默认）或裁切"),
)
@click.option("--owner", default="", help=say("who has the rights", "权利人"))
@click.option("--licence", default="", help=say("under which they may be used", "使用许可"))
@click.option("--json", "as_json", is_flag=True, help=say("one JSON object", "输出一个 JSON 对象"))
def add(
    name: str,
    source: str,
    kind: str,
    ground: str | None,
    fit: str | None,
    owner: str,
    licence: str,
    as_json: bool,
) -> None:
    """Clean and keep, and say what was dropped and why."""
    training = needs_training()
    framing = training.Framing.of(ground or "white", fit or "pad") if ground or fit else None
    with progress_line(quiet=as_json) as progress:
        made = training.add(name, source, kind=kind, owner=owner, licence=licence, framing=framing, progress=progress)
        progress("", 1)
    dropped: dict[str, str] = made.card["dropped"]
    parts: list[str] = list(made.split.values())
    if as_json:
        split = dict(Counter(parts))
        shown = {"name": name, "kind": kind, "pieces": len(made.pieces), "split": split, "dropped": dropped}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    _counted(name, parts, len(dropped))
    for why, number in Counter(dropped.values()).most_common(10):
        click.echo(f"  {number} × {why}")
    if dropped:
        click.echo(say("All of them: {command}", "全部列出：{command}", command=f"castalia collections show {name}"))


@collections.command("list", help=say("Name all collections.", "列出全部收藏。"))
def list_() -> None:
    """Names and sizes."""
    training = needs_training()
    for name in training.names():
        found = training.find(name)
        click.echo(
            f"{name}\t{len(found.pieces)}\t{found.card['owner']}\t{found.card['licence']}\t{found.card['source']}"
        )


@collections.command(
    help=say("Show a collection, and what was dropped and why.", "显示收藏，以及舍去了什么、为何舍去。")
)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help=say("one JSON object", "输出一个 JSON 对象"))
def show(name: str, as_json: bool) -> None:
    """Owner, licence, counts and digest, then every dropped piece by reason."""
    found = needs_training().find(name)
    parts: list[str] = list(found.split.values())
    dropped: dict[str, str] = found.card["dropped"]
    if as_json:
        counts = {"pieces": len(found.pieces), "split": dict(Counter(parts)), "digest": found.digest}
        click.echo(json.dumps({**found.card, **counts}, ensure_ascii=False))
        return
    _counted(name, parts, len(dropped))
    for label, value in (
        (say("kind", "种类"), found.kind),
        (say("owner", "权利人"), found.card["owner"]),
        (say("licence", "许可"), found.card["licence"]),
        (say("source", "来源"), found.card["source"]),
        (say("digest", "摘要"), found.digest),
    ):
        click.echo(f"  {label}: {value or '–'}")
    for why, number in Counter(dropped.values()).most_common():
        click.echo(f"  {number} × {why}")
        for title in sorted(title for title, each in dropped.items() if each == why):
            click.echo(f"      {title}")


def _counted(name: str, parts: list[str], dropped: int) -> None:
    counts = Counter(parts)
    click.echo(
        say(
            "{name}: {n} pieces ({train} to train, {valid} to validate, {test} to test), {dropped} dropped",
            "{name}：{n} 件（训练 {train}，验证 {valid}，测试 {test}），舍去 {dropped} 首",
            name=name,
            n=len(parts),
            train=counts["train"],
            valid=counts["valid"],
            test=counts["test"],
            dropped=dropped,
        )
    )


@collections.command(help=say("Delete a collection; models made of it stay.", "删除收藏；由它训练的模型保留。"))
@click.argument("name")
def remove(name: str) -> None:
    """Delete."""
    needs_training().remove(name)
