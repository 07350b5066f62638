"""`castalia config`: every setting, its value and where it came from."""

from __future__ import annotations

import json

import click

from castalia.cli.show import padded
from castalia.core.language import current, say

_SOURCES = {"command line": "命令行", "environment": "环境变量", "file": "文件", "default": "默认"}


@click.command(help=say("Show every setting, its value and where it came from.", "列出所有设置、取值及来源。"))
@click.option("--json", "as_json", is_flag=True)
def config(as_json: bool) -> None:
    """Parse, call, print."""
    from castalia.core import config as settings
    from castalia.core.files import config_file

    loaded = settings.load()
    side = 1 if current() == "zh" else 0
    rows = {
        name: {
            "value": getattr(loaded.config, name),
            "source": loaded.sources[name],
            "help": (field.description or "").split(" | ")[side],
        }
        for name, field in settings.Config.model_fields.items()
    }
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    click.echo(say("file: {path}", "文件：{path}", path=config_file()))
    for name, row in rows.items():
        value = "" if row["value"] is None else row["value"]
        source = say(str(row["source"]), _SOURCES[str(row["source"])])
        click.echo(f"{name:30} {value!s:23} {padded(source, 13)} {row['help']}")
