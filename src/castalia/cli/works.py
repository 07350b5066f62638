"""`castalia works`: the library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from castalia.cli.opening import open_studio, progress_line
from castalia.cli.show import check_files, padded, show_work, size_of
from castalia.core.errors import UsageError
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.core.values import Work

_WIDTH = 48
_json = click.option("--json", "as_json", is_flag=True, help=say("JSON instead of text", "输出 JSON"))
_limit = click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
_work = click.argument("work_id", metavar="ID")


@click.group(
    help=say(
        "Your library. ID is a work's id or its first four characters or more.",
        "作品库。ID 为作品编号，或其开头至少四位。",
    )
)
def works() -> None:
    """The group; each command is below."""


@works.command("list", help=say("Works, newest first.", "列出作品，新的在前。"))
@click.option("--genre", metavar="GENRE", help=say("of this genre alone", "仅此体裁"))
@click.option("--language", metavar="en|zh", help=say("in this language alone", "仅此语言"))
@_limit
@click.option("--offset", type=click.IntRange(0), default=0, help=say("leave out so many", "跳过的数量"))
@_json
def list_(genre: str | None, language: str | None, limit: int, offset: int, as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.genres import find

    name = find(genre).name if genre else None
    library = open_studio().library
    _print(library.list(limit=limit, offset=offset, genre=name, language=language), as_json=as_json)
    rest = library.count() - offset - limit
    if rest > 0 and not as_json and not (genre or language):
        click.echo(
            say("… {n} more: --offset {next}", "…… 还有 {n} 件：--offset {next}", n=rest, next=offset + limit), err=True
        )


@works.command(help=say("A work with its brief, findings and lineage.", "查看作品及其要求、检查结果和来源。"))
@_work
@_json
def show(work_id: str, as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.core.values import pictures_in

    studio = open_studio()
    work = studio.library.get(work_id)
    if as_json:
        click.echo(json.dumps(work.as_json() | {"rating": work.rating}, ensure_ascii=False))
        return
    show_work(studio, work)
    click.echo(say("brief: {words}", "要求：{words}", words=work.brief.words), err=True)
    fields = work.brief.fields
    pictures = {name: "; ".join(map(size_of, held)) for name, value in fields if (held := pictures_in(value))}
    given: dict[str, object] = fields.model_dump(mode="json", exclude_defaults=True, exclude={"language", *pictures})
    for name, value in (given | pictures).items():
        if value:
            shown = "; ".join(map(str, cast("list[object]", value))) if isinstance(value, list) else value
            click.echo(f"  {name}: {shown}", err=True)
    if work.rating:
        click.echo(say("rating: {n} of 5", "评分：{n}/5", n=work.rating), err=True)
    for label, ids in (
        (say("made from", "来源作品"), studio.library.parents(work.id)),
        (say("used in", "衍生作品"), studio.library.children(work.id)),
    ):
        if ids:
            click.echo(f"{label}: {', '.join(ids)}", err=True)


@works.command(help=say("Works that hold every word, best first.", "查找包含所有词语的作品。"))
@click.argument("query", nargs=-1, required=True)
@_limit
@_json
def search(query: Sequence[str], limit: int, as_json: bool) -> None:
    """Parse, call, print."""
    _print(open_studio().library.search(" ".join(query), limit=limit), as_json=as_json)


@works.command(
    help=say(
        "Write a work as marked files; the extension chooses the format.", "将作品写为带标识的文件；扩展名决定格式。"
    )
)
@_work
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE…")
def export(work_id: str, files: Sequence[Path]) -> None:
    """Parse, call, print."""
    from castalia.provenance import FORMATS

    check_files(files, FORMATS)
    studio = open_studio()
    work = studio.library.get(work_id)
    for path in files:
        click.echo(say("wrote {path}", "已写入 {path}", path=studio.export(work, path)))


@works.command(
    help=say(
        "Marked files that left the studio, newest first: exports of works, and files marked by `castalia mark`.",
        "离开工作室的带标识文件，新的在前：作品的导出文件和 `castalia mark` 标识的文件。",
    )
)
@_limit
@click.option("--offset", type=click.IntRange(0), default=0, help=say("leave out so many", "跳过的数量"))
@_json
def files(limit: int, offset: int, as_json: bool) -> None:
    """Parse, call, print."""
    found = open_studio().library.files(limit=limit, offset=offset)
    if as_json:
        click.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False))
        return
    for each in found:
        label = each.label or say("label left out", "已省略标识")
        name = each.name or say("(standard output)", "（标准输出）")
        click.echo(
            f"{each.record.id[:8]}  {each.made:%Y-%m-%d %H:%M}  {each.record.genre:11} {padded(label, 14)} {name}"
        )
    if not found:
        click.echo(say("No files.", "没有文件。"), err=True)


@works.command(help=say("Rate a work from 1 to 5.", "为作品评分（1 到 5）。"))
@_work
@click.argument("rating", type=int)
def rate(work_id: str, rating: int) -> None:
    """Parse, call, print."""
    work = open_studio().library.rate(work_id, rating)
    click.echo(say("{id}: {n} of 5", "{id}：{n}/5", id=work.id, n=rating))


@works.command(
    help=say(
        "Make a work again as its record says; exit code 1 when it differs. Nothing new is kept.",
        "按记录重做作品；不一致时退出码为 1。不另行保存。",
    )
)
@_work
@click.option("-m", "--model", metavar="MODEL", help=say("with this model instead", "改用此模型"))
@_json
def remake(work_id: str, model: str | None, as_json: bool) -> None:
    """Parse, call, print."""
    with progress_line(quiet=as_json) as progress:
        studio = open_studio(progress, model=model)
        try:
            work, differences = studio.remake(work_id)
        finally:
            studio.close()
    if as_json:
        click.echo(json.dumps(work.as_json() | {"differences": list(differences)}, ensure_ascii=False))
    else:
        show_work(studio, work)
        same = say("the same, byte for byte", "与原作逐字节相同")
        click.echo("; ".join(differences) or same, err=True)
    if differences:
        raise click.exceptions.Exit(1)


@works.command(
    help=say(
        "Delete works for good, and forget their files; the files themselves stay.",
        "永久删除作品并忘记其文件；文件本身不受影响。",
    )
)
@click.argument("work_ids", nargs=-1, required=True, metavar="ID…")
@click.option("--yes", "-y", is_flag=True, help=say("do not ask", "不再询问"))
def delete(work_ids: Sequence[str], yes: bool) -> None:
    """Parse, call, print."""
    library = open_studio().library
    found = [library.find_record(each) for each in work_ids]
    for record in found:
        try:
            _print([library.get(record.id)], as_json=False)
        except UsageError:  # a marked file
            click.echo(f"{record.id[:8]}  {record.created:%Y-%m-%d %H:%M}  {record.genre}")
    if not yes:
        click.confirm(say("Delete for good?", "确定永久删除？"), abort=True, err=True)
    for record in found:
        click.echo(say("deleted {id}", "已删除 {id}", id=library.delete(record.id)))


def _print(found: Sequence[Work], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([work.as_json() | {"rating": work.rating} for work in found], ensure_ascii=False))
        return
    for work in found:
        begin = " / ".join((work.content.title or work.text).split("\n"))
        begin = begin if len(begin) <= _WIDTH else begin[: _WIDTH - 1] + "…"
        stars = "★" * (work.rating or 0)
        click.echo(f"{work.id[:8]}  {work.record.created:%Y-%m-%d %H:%M}  {work.genre:11} {stars:5} {begin}")
    if not found:
        click.echo(say("No works.", "没有作品。"), err=True)
