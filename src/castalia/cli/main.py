"""The command `castalia`: finds the subcommand, and turns errors into a message and an exit code."""

from __future__ import annotations

import errno
import gettext
import importlib
import io
import os
import sys
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from castalia import __version__
from castalia.core import language
from castalia.core.errors import CastaliaError
from castalia.core.files import config_file, storage_error
from castalia.core.language import say

COMMANDS: dict[str, tuple[str, str]] = {
    "create": ("make a work from a brief", "根据要求创作作品"),
    "batch": ("make a work of each row of a table, and go on where it stopped", "按表格逐行创作，可从中断处继续"),
    "mark": ("put every mark on a file that another program made", "为其他程序制作的文件加上标识"),
    "verify": ("check the marks of a file", "检验文件的标识"),
    "works": (
        "your library: list, show, search, export, files, rate, remake, delete",
        "作品库：列出、查看、搜索、导出、文件、评分、重做、删除",
    ),
    "explain": ("why a piece of music or a picture is as it is", "说明音乐或图片作品为何如此"),
    "look": ("describe a picture by what can be measured", "按可测量的特征描述图片"),
    "genres": ("the kinds of works", "作品体裁"),
    "models": ("the models: list, show, pull, remove, path, default", "模型：列出、查看、下载、删除、路径、默认"),
    "collections": (
        "your own works to train on: add, show, list, remove",
        "用于训练的自有作品：添加、显示、列出、删除",
    ),
    "train": ("train models on a collection: music; export them", "用收藏训练模型：music；并导出"),
    "serve": (
        "serve the studio: a web page and an API, OpenAI's too, with accounts and a queue",
        "提供网络服务：网页与接口（兼容 OpenAI），含账户与任务队列",
    ),
    "backup": ("write your works and keys, or a server's, into one file", "将作品与密钥（或服务器数据）写入一个文件"),
    "restore": ("put a backup in place", "恢复备份"),
    "keys": ("signing, watermark and endpoint keys", "签名、水印与端点密钥"),
    "config": ("settings and where each comes from", "设置及其来源"),
    "doctor": ("what is installed, what is missing, what this machine can run", "检查已安装、缺少的部件和本机能力"),
}
"""Subcommands, each in the file of its name; the help text stands here so that `--help` need not load them."""


class _Lazy(click.Group):
    """A group that loads a subcommand's file only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"castalia.cli.{cmd_name}")
        return getattr(module, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section(say("Commands", "命令")):
            formatter.write_dl([(name, say(*texts)) for name, texts in COMMANDS.items()])

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(
                say(
                    "A creative studio on your own machine. Every work keeps its form, says what it is, and is yours.",
                    "运行在您自己机器上的创作工作室：作品合乎格律，标明来源，归您所有。",
                )
            )
            formatter.write_paragraph()
            formatter.write_text('castalia create haiku "first snow over the harbour"')


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--lang", metavar="en|zh", help="interface language | 界面语言")
@click.version_option(__version__, prog_name="castalia")
def castalia(lang: str | None) -> None:
    """Entry of the group; the language option was read before, so that `--help` speaks it too."""


def run() -> NoReturn:
    """Run the command line; never returns."""
    arguments = joined_options(sys.argv[1:])
    _speak(_language(arguments))
    for stream in (sys.stdout, sys.stderr):
        # A pipe on Windows, or a locale of old, has no Chinese; a file's name may hold bytes that are no text.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = castalia.main(args=arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo(say("Cancelled.", "已取消。"), err=True)
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except CastaliaError as error:
        click.echo(f"castalia: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            click.echo(f"castalia: {storage_error(error, Path(error.filename or os.curdir))}", err=True)
            sys.exit(4)
        if os.environ.get("CASTALIA_DEBUG"):
            raise
        click.echo(
            say(
                "castalia: internal error: {kind}: {why}\n  → CASTALIA_DEBUG=1 shows where; please report it.",
                "castalia：内部错误：{kind}：{why}\n  → 设 CASTALIA_DEBUG=1 可查看位置；请报告此问题。",
                kind=type(error).__name__,
                why=error,
            ),
            err=True,
        )
        sys.exit(4)
    # Outside standalone mode click hands an `Exit`'s code back instead of raising it.
    sys.exit(code if isinstance(code, int) else 0)


def joined_options(arguments: list[str]) -> list[str]:
    """`-o key value` becomes `-o key=value` in `create`, so that both ways of writing it work."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument == "--":
            break
        if argument in ("-o", "--option") and "create" in joined:
            key = next(rest, None)
            if key is None:
                break
            if "=" not in key:
                value = next(rest, None)
                key = key if value is None else f"{key}={value}"
            joined.append(key)
    return [*joined, *rest]


def _language(arguments: list[str]) -> str:
    """`--lang` wherever it stands, else the environment's, else that of the user's own settings file."""
    for index, argument in enumerate(arguments):
        if argument == "--lang" and index + 1 < len(arguments):
            return arguments[index + 1]
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
    if named := os.environ.get("CASTALIA_LANG"):
        return named
    try:
        return str(tomllib.loads(config_file().read_text(encoding="utf-8")).get("lang", ""))
    except (OSError, ValueError, CastaliaError):
        return ""  # the command that needs the settings says what is wrong with them


def _speak(wanted: str) -> None:
    """Use this interface language for our messages and for click's own."""
    overlays: Path | None = None
    with suppress(CastaliaError):  # without a home folder there are none
        overlays = config_file().parent / "messages"
    language.use(wanted, overlays)
    gettext.bindtextdomain("castalia", str(Path(__file__).parent / "locale"))
    gettext.textdomain("castalia")
    os.environ["LANGUAGE"] = language.current()
