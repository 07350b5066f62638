"""`castalia serve`."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import click

from castalia.core.errors import MissingError
from castalia.core.language import say


@click.command(
    help=say(
        "Serve the studio: a web page, an API of its own, and OpenAI's, with accounts and a queue.",
        "提供网络服务：网页、自有接口与 OpenAI 兼容接口，含账户与任务队列。",
    )
)
@click.option("--host", default="127.0.0.1", show_default=True, help=say("address to listen on", "监听地址"))
@click.option("--port", type=click.IntRange(0, 65535), default=8471, show_default=True, help=say("0: any", "0 为任意"))
@click.option(
    "--url",
    default="",
    help=say(
        "under which browsers reach it, behind a proxy or by a name: https://studio.example",
        "浏览器访问的网址（经代理或域名）：https://studio.example",
    ),
)
@click.option("--certificate", type=click.Path(path_type=Path), metavar="CHAIN.pem", help=say("for TLS", "用于 TLS"))
@click.option("--key", type=click.Path(path_type=Path), metavar="KEY.pem", help=say("its private key", "其私钥"))
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help=say("accounts, works and jobs", "账户、作品与任务所在文件夹"),
)
@click.option(
    "--database",
    default="",
    envvar="CASTALIA_DATABASE",
    metavar="URL",
    help=say(
        "PostgreSQL for accounts and jobs, in the place of a file; with a password better as CASTALIA_DATABASE",
        "用 PostgreSQL 存放账户与任务以代替文件；含密码时宜用 CASTALIA_DATABASE",
    ),
)
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    default=0,
    show_default=True,
    help=say(
        "jobs that run at a time, each with a language model in memory; 0: one for each two processors",
        "同时运行的任务数，各自载入一个语言模型；0：每两个处理器一个",
    ),
)
@click.option(
    "--requests",
    type=click.IntRange(0),
    default=3000,
    show_default=True,
    help=say(
        "requests a minute of one account, a fifth of it of an address that is not logged in; 0: any number",
        "每个账户每分钟的请求数，未登录的地址为其五分之一；0 为不限",
    ),
)
def serve(
    host: str,
    port: int,
    url: str,
    certificate: Path | None,
    key: Path | None,
    data: Path | None,
    database: str,
    workers: int,
    requests: int,
) -> None:
    """Parse, call, print."""
    for part in ("fastapi", "python_multipart", "uvicorn"):
        if not find_spec(part):
            raise MissingError(
                say("The server is not installed: {part} is missing.", "未安装服务器：缺少 {part}。", part=part),
                hint='pip install "castalia[server]"',
            )
    from castalia.server import ServerSettings
    from castalia.server import serve as run

    settings = ServerSettings(
        host=host,
        port=port,
        url=url.rstrip("/"),
        certificate=certificate,
        key=key,
        database=database,
        workers=workers,
        most_requests=requests,
    )
    if data:
        settings = replace(settings, data=data)
    run(settings, lambda address: click.echo(say("Listening on {url}", "正在监听 {url}", url=address)))
