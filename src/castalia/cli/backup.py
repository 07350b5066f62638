"""`castalia backup`."""

from __future__ import annotations

from pathlib import Path

import click

from castalia.core.files import folders
from castalia.core.language import say


@click.command(
    help=say(
        "Write all works and keys into one new file, or a server's. It may run on; what is encrypted stays so.",
        "将全部作品与密钥（或服务器的数据）写入一个新文件。其间可继续使用；已加密的内容保持加密。",
    )
)
@click.argument("archive", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help=say("a server's folder; without, your own", "服务器的文件夹；默认为您自己的"),
)
def backup(archive: Path, data: Path | None) -> None:
    """Parse, call, print."""
    from castalia.backup import backup as run

    made = run(data or folders().data, archive)
    click.echo(
        say(
            "{n} files, {size:,.1f} MB → {path}",
            "{n} 个文件，{size:,.1f} MB → {path}",
            n=made.files,
            size=made.bytes / 1e6,
            path=made.path,
        )
    )
    if made.open:
        click.echo(
            say(
                "The library has no password, so this file opens by itself: whoever has it can read the works "
                "(`castalia keys password` sets one).",
                "作品库没有密码，此文件可直接打开：得到它的人可以阅读作品（`castalia keys password` 可设置密码）。",
            ),
            err=True,
        )
