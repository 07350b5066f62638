"""`castalia explain WORK`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from castalia.cli.opening import open_studio
from castalia.cli.show import check_files
from castalia.core.language import say


@click.command(
    help=say(
        "Why a work is as it is. Of a piece of music: where its model was unsure, which rules turned down what it "
        "wanted, and which training pieces it comes near. Of a drawn picture: which words moved which regions, what "
        "filled in the rest, and which learned pictures it comes near. WORK is a work's id or its first four "
        "characters or more.",
        "说明一件作品为何如此。音乐：模型在何处不确定、哪些规则否决了它想写的音、与哪些训练曲目相近。"
        "绘制的图片：每个词改动了哪里、其余由什么补入、与哪些训练图片相近。"
        "WORK 为作品编号，或其开头至少四位。",
    )
)
@click.argument("work_id", metavar="WORK")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=say(
        "the coloured score or picture (.svg, .png), with the text (.html), or all figures (.json)",
        "着色的乐谱或图片（.svg、.png）、附文字（.html）或全部数据（.json）",
    ),
)
@click.option("--notes", is_flag=True, help=say("a line for each note of music", "音乐的每个音一行"))
@click.option("--json", "as_json", is_flag=True, help=say("JSON instead of text", "输出 JSON"))
def explain(work_id: str, out: Path | None, notes: bool, as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.explaining import EXPLAINED, tell
    from castalia.provenance import FORMATS

    if out is not None:
        check_files([out], {name: FORMATS[name] for name in EXPLAINED})
    studio = open_studio()
    try:
        work = studio.library.get(work_id)
        explanation = studio.explain(work)
        written = studio.export_explanation(work, explanation, out) if out else None
    finally:
        studio.close()
    if as_json:
        click.echo(json.dumps(explanation.as_json(), ensure_ascii=False))
    else:
        click.echo(tell(explanation, work, notes=notes))
    if written:
        click.echo(say("wrote {path}", "已写入 {path}", path=written), err=True)
