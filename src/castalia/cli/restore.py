"""`castalia restore`."""

from __future__ import annotations

from pathlib import Path

import click

from castalia.core.files import folders
from castalia.core.language import say


@click.command(
    help=say(
        "Put a backup in place, all of it once every digest was right. Restore only what you backed up yourself.",
        "恢复备份：全部摘要核对无误后整体放入。请只恢复您自己的备份。",
    )
)
@click.argument("archive", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help=say("a server's folder; without, your own", "服务器的文件夹；默认为您自己的"),
)
@click.option("--replace", is_flag=True, help=say("move what is there aside", "将已有内容移到旁边"))
def restore(archive: Path, data: Path | None, replace: bool) -> None:
    """Parse, call, print."""
    from castalia.backup import restore as run

    place = data or folders().data
    held, aside = run(archive, place, replace=replace)
    click.echo(
        say(
            "{n} files of {made:%Y-%m-%d %H:%M} UTC → {path}",
            "{n} 个文件（{made:%Y-%m-%d %H:%M} UTC）→ {path}",
            n=held.files,
            made=held.made,
            path=place,
        )
    )
    if aside:
        click.echo(say("What was there before is now {path}.", "原有内容现位于 {path}。", path=aside))
