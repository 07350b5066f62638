"""`castalia genres list | show`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from castalia.core.language import current, say

if TYPE_CHECKING:
    from castalia.core.ports import Genre


@click.group(help=say("The kinds of works.", "作品体裁。"))
def genres() -> None:
    """Group."""


@genres.command("list", help=say("List all genres.", "列出所有体裁。"))
@click.option("--json", "as_json", is_flag=True)
@click.option("--markdown", is_flag=True, help=say("With all fields, as tables.", "连同全部字段，以表格列出。"))
def list_genres(as_json: bool, markdown: bool) -> None:
    """Parse, call, print."""
    from castalia.genres import every

    found = every()
    if as_json:
        click.echo(json.dumps([_described(genre) for genre in found], ensure_ascii=False))
        return
    if markdown:
        click.echo("\n\n".join(_table(_described(genre)) for genre in found))
        return
    for genre in found:
        click.echo(f"{genre.name:14}{'/'.join(genre.languages):7}{say(*genre.title)} — {say(*genre.summary)}")


@genres.command(help=say("Show a genre and the fields of its brief.", "查看体裁及其字段。"))
@click.argument("name")
@click.option("--json", "as_json", is_flag=True)
def show(name: str, as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.genres import find

    genre = find(name)
    described = _described(genre)
    if as_json:
        click.echo(json.dumps(described, ensure_ascii=False))
        return
    click.echo(f"{genre.name} — {say(*genre.title)}\n{say(*genre.summary)}")
    if genre.aliases:
        click.echo(say("also called: {names}", "别名：{names}", names=", ".join(genre.aliases)))
    for field in described["fields"]:
        click.echo(f"  -o {field['name']:14}{field['help']}  [{field['default']}]")


def _described(genre: Genre) -> dict[str, Any]:
    side = 1 if current() == "zh" else 0
    fields = [
        {
            "name": name,
            "help": ((field.description or "").split(" | ") * 2)[side],
            "default": "" if field.is_required() else _plain(field.get_default(call_default_factory=True)),
        }
        for name, field in genre.fields.model_fields.items()
    ]
    return {
        "name": genre.name,
        "aliases": list(genre.aliases),
        "languages": list(genre.languages),
        "title": say(*genre.title),
        "summary": say(*genre.summary),
        "fields": fields,
    }


def _table(described: dict[str, Any]) -> str:
    """A section with a table of the fields."""
    rows: list[tuple[object, ...]] = [
        (say("field", "字段"), say("meaning", "含义"), say("default", "默认")),
        ("---", "---", "---"),
        *((f"`{each['name']}`", each["help"], f"`{each['default']}`") for each in described["fields"]),
    ]
    names = ", ".join(f"`{name}`" for name in (described["name"], *described["aliases"]))
    table = "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)
    return f"## {described['title']}\n\n{names}: {described['summary']}.\n\n{table}"


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
