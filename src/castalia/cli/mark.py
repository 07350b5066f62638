"""`castalia mark`: put every mark on files that other programs made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from castalia.cli.opening import open_studio
from castalia.cli.show import check_files
from castalia.core.errors import UsageError
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.core.values import KeptFile


@click.command(
    help=say(
        "Mark files that a model made or changed elsewhere: visible label, labels for machines, watermark in pictures "
        "and sounds, C2PA signature. A file stays in its format; what marks it carries are kept as its lineage.",
        "为其他程序中由模型生成或修改的文件加上标识：可见标识、机器可读标识、图片与声音中的水印、C2PA 签名。"
        "格式不变；文件原有的标识作为来源保留。",
    )
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE…")
@click.option(
    "--out",
    "-O",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=say("write this file instead of NAME-marked beside it", "写入此文件，而不是同目录的 名称-marked"),
)
@click.option(
    "--modified",
    is_flag=True,
    help=say("a person's work that a model changed; else a model made it", "由模型修改的人的作品；否则为模型生成"),
)
@click.option(
    "-m", "--model", default="", metavar="MODEL", help=say("name of the model that made it", "生成它的模型名称")
)
@click.option("--kind", default="", metavar="KIND", help=say("kind of work, in your own words", "作品种类"))
@click.option(
    "--language", type=click.Choice(["en", "zh"]), help=say("language of the visible label", "可见标识的语言")
)
@click.option(
    "--parent",
    "parents",
    multiple=True,
    metavar="ID",
    help=say("id of a work that it is made from (repeatable)", "来源作品的编号（可重复）"),
)
@click.option(
    "--labelled",
    is_flag=True,
    help=say(
        "a label is seen or heard in it already; for files that take none here: MP4, M4A without ffmpeg, animations",
        "文件中已有可见或可听的标识；用于无法写入标识的文件：MP4、没有 ffmpeg 时的 M4A、动图",
    ),
)
@click.option("--json", "as_json", is_flag=True, help=say("one JSON object a file", "每个文件输出一个 JSON 对象"))
def mark(
    files: Sequence[Path],
    out: Path | None,
    modified: bool,
    model: str,
    kind: str,
    language: Literal["en", "zh"] | None,
    parents: Sequence[str],
    labelled: bool,
    as_json: bool,
) -> None:
    """Parse, call, print."""
    from castalia.provenance import FORMATS

    if out is not None and len(files) > 1:
        raise UsageError(
            say("--out takes one file, not {n}.", "--out 只用于一个文件，而不是 {n} 个。", n=len(files)),
            hint=say("Leave it out: each is written as NAME-marked.", "省略它：每个文件写为 名称-marked。"),
        )
    check_files([out] if out else files, FORMATS)
    studio = open_studio()
    action: Literal["generated", "modified"] = "modified" if modified else "generated"
    try:
        for path in files:
            kept = studio.mark_file(
                path,
                out,
                action=action,
                model=model,
                kind=kind,
                language=language,
                parents=parents,
                labelled=labelled,
            )
            _show(kept, out or path.with_name(kept.name), as_json=as_json)
    finally:
        studio.close()


def _show(kept: KeptFile, path: Path, *, as_json: bool) -> None:
    record = kept.record
    if as_json:
        shown = {"id": record.id, "file": str(path), "sha256": kept.sha256, "label": kept.label}
        click.echo(json.dumps(shown | {"castalia": record.model_dump(mode="json")}, ensure_ascii=False))
        return
    click.echo(say("wrote {path}", "已写入 {path}", path=path))
    label = f"“{kept.label}”" if kept.label else say("left out: you take responsibility", "已省略：由您承担责任")
    watermark = record.watermark if record.watermark != "none" else f"none ({record.watermark_reason})"
    lines = {say("id", "编号"): record.id, say("label", "标识"): label, say("watermark", "水印"): watermark}
    if record.parents:
        lines[say("made from", "来源作品")] = ", ".join(record.parents)
    for name, value in lines.items():
        click.echo(f"  {name}: {value}", err=True)
