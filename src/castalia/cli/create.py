"""`castalia create GENRE [BRIEF]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from castalia.cli.opening import open_studio, progress_line
from castalia.cli.show import check_faces, finding_line, show_work
from castalia.core.errors import RefusedError, UsageError
from castalia.core.language import say


@click.command(
    help=say(
        "Make a work of GENRE from BRIEF (words, or `-` or a pipe for standard input), check it, mark it and keep it.",
        "按体裁 GENRE 和要求 BRIEF（文字；`-` 或管道表示标准输入）创作，检查、标识并存入作品库。",
    )
)
@click.argument("genre")
@click.argument("brief", required=False)
@click.option(
    "--out",
    "-O",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=say(
        "write a marked file; the extension chooses the format (repeatable)",
        "写出带标识的文件；扩展名决定格式（可重复）",
    ),
)
@click.option(
    "-o",
    "--option",
    multiple=True,
    metavar="KEY VALUE",
    help=say("a field of the genre, KEY VALUE or KEY=VALUE (repeatable)", "体裁字段：KEY VALUE 或 KEY=VALUE（可重复）"),
)
@click.option(
    "-m",
    "--model",
    metavar="MODEL",
    help=say("a model's name, a path or an endpoint's URL", "模型名称、路径或端点网址"),
)
@click.option("-s", "--system", "style", metavar="TEXT", help=say("how it should sound", "希望的风格"))
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help=say("how many variations", "作品数量"),
)
@click.option("--seed", type=int, help=say("same seed, same work", "相同的种子得到相同的作品"))
@click.option("--tries", type=click.IntRange(1, 100), help=say("drafts written before giving up", "放弃前的尝试次数"))
@click.option("--offline", is_flag=True, default=None, help=say("forbid all downloads", "禁止一切下载"))
@click.option("--json", "as_json", is_flag=True, help=say("one JSON object a work", "每件作品输出一个 JSON 对象"))
def create(
    genre: str,
    brief: str | None,
    out: Sequence[Path],
    option: Sequence[str],
    model: str | None,
    style: str | None,
    number: int,
    seed: int | None,
    tries: int | None,
    offline: bool | None,
    as_json: bool,
) -> None:
    """Parse, call, print."""
    words = _words(brief)
    fields = _fields(option) | ({"style": style} if style else {})
    with progress_line(quiet=as_json) as progress:
        studio = open_studio(progress, model=model, tries=tries, offline=offline)
        faces = ["txt", *dict.fromkeys(path.suffix.lstrip(".").lower() for path in out)]
        check_faces(out)
        try:
            for count, work in enumerate(studio.variations(genre, words, n=number, seed=seed, faces=faces, **fields)):
                paths = [_numbered(path, count, number) for path in out]
                files = {path.suffix.lstrip("."): str(studio.export(work, path)) for path in paths}
                progress("", 1)
                show_work(studio, work, files, as_json=as_json)
        except RefusedError as refused:
            progress("", 1)
            _show_refused(refused, as_json=as_json)
            raise click.exceptions.Exit(1) from refused
        finally:
            studio.close()


def _words(brief: str | None) -> str:
    if brief not in (None, "-"):
        return brief or ""
    if brief == "-" or not sys.stdin.isatty():
        raw = sys.stdin.buffer.read(1_000_001)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise UsageError(
                say(
                    "Standard input is not UTF-8 (byte {place}).",
                    "标准输入不是 UTF-8（第 {place} 字节）。",
                    place=error.start,
                ),
                hint="iconv -t UTF-8",
            ) from error
    return ""


def _fields(options: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise UsageError(
                say(
                    "-o wants KEY VALUE or KEY=VALUE, not {option!r}.",
                    "-o 需要 KEY VALUE 或 KEY=VALUE，而不是 {option!r}。",
                    option=option,
                )
            )
        fields[key.replace("-", "_")] = value
    return fields


def _numbered(path: Path, count: int, number: int) -> Path:
    """`poem.txt` → `poem-2.txt` for the second of several."""
    return path if number == 1 else path.with_name(f"{path.stem}-{count + 1}{path.suffix}")


def _show_refused(refused: RefusedError, *, as_json: bool) -> None:
    draft = refused.best.draft
    if as_json:
        shown: dict[str, Any] = {
            "id": None,
            "genre": draft.brief.genre,
            "status": "refused",
            "seed": draft.evidence.seed,
            "model": draft.evidence.model,
            "tries": refused.tries,
            "text": draft.content.text,
        }
        if draft.content.fields:
            shown["fields"] = dict(draft.content.fields)
        shown |= {"findings": [finding.model_dump() for finding in refused.best.findings], "files": {}}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(say("REFUSED — best draft, not kept:", "未通过——以下为最佳草稿，未存入作品库："), err=True)
    click.echo(draft.content.text, err=True)
    for finding in refused.best.broken:
        click.echo(f"  ✗ {finding_line(finding)}", err=True)
    click.echo(f"castalia: {refused}", err=True)
