"""`castalia doctor`: what is installed, what is missing and how to get it, what this machine can run."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec

import click

from castalia.cli.show import padded
from castalia.core.errors import CastaliaError
from castalia.core.language import say

_PLAYER = "pip install --no-deps tinysoundfont"
_NAMES = {
    "machine": "机器",
    "disk": "磁盘",
    "engine": "引擎",
    "sound": "声音",
    "model": "模型",
    "can run": "可运行",
    "library": "作品库",
    "keys": "密钥",
    "network": "网络",
}


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    part: str
    ok: bool
    found: str
    mend: str = ""


@click.command(
    help=say(
        "Say what is installed, what is missing, and what this machine can run.", "检查已安装、缺少的部件和本机能力。"
    )
)
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> None:
    """Run every check; exit code 3 when something that is needed is missing."""
    sources = (_system, _engine, _ffmpeg, _sound, _models, _library, _network)
    checks = [check for source in sources for check in _guarded(source)]
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
    else:
        for check in checks:
            part = say(check.part, _NAMES.get(check.part, check.part))
            click.echo(f"{'✓' if check.ok else '✗'} {padded(part, 12)} {check.found}")
            if check.mend:
                click.echo(f"  {'':12} → {check.mend}")
    if not all(check.ok for check in checks):
        raise click.exceptions.Exit(3)


def _guarded(source: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """A check that fails is a finding, not the end of the report."""
    try:
        yield from source()
    except CastaliaError as error:
        yield Check(source.__name__.strip("_"), ok=False, found=error.message, mend=error.hint)


def _system() -> Iterator[Check]:
    from castalia import __version__, models
    from castalia.core.files import folders

    yield Check("castalia", ok=True, found=f"{__version__}, Python {platform.python_version()}, {platform.platform()}")
    machine = models.machine()
    gib = 1024**3
    yield Check(
        "machine",
        ok=True,
        found=say(
            "{cores} cores, {free:.1f} of {total:.1f} GiB memory free, GPU: {gpu}",
            "{cores} 核，内存 {total:.1f} GiB 中空闲 {free:.1f} GiB，GPU：{gpu}",
            cores=machine.cores,
            free=machine.memory_free / gib,
            total=machine.memory_total / gib,
            gpu=machine.gpu or say("none seen", "未发现"),
        ),
    )
    places = folders()
    parent = next(path for path in (places.cache, *places.cache.parents) if path.exists())
    free = shutil.disk_usage(parent).free
    yield Check(
        "disk",
        ok=free > 2 * gib,
        found=say("{free:.1f} GiB free for {path}", "{path} 可用 {free:.1f} GiB", free=free / gib, path=places.cache),
        mend=""
        if free > 2 * gib
        else say("Set CASTALIA_HOME to a larger disk.", "请将 CASTALIA_HOME 设到更大的磁盘。"),
    )


def _ffmpeg() -> Iterator[Check]:
    there = shutil.which("ffmpeg")
    need = say("M4A files get label and watermark only with it", "仅在有它时 M4A 文件才能写入标识与水印")
    yield Check("ffmpeg", ok=True, found=there or say("none: {need}", "没有：{need}", need=need))


def _sound() -> Iterator[Check]:
    there = find_spec("tinysoundfont") is not None
    need = say(
        "music is written and printed, not played: {command}", "音乐可写可印，不能演奏：{command}", command=_PLAYER
    )
    yield Check("sound", ok=True, found="tinysoundfont" if there else say("none: {need}", "没有：{need}", need=need))


def _engine() -> Iterator[Check]:
    from castalia.engines import llama_library

    llama_library.open_library()
    yield Check("engine", ok=True, found=llama_library.build())


def _models() -> Iterator[Check]:
    from castalia import models
    from castalia.core.config import load

    chosen = models.default()
    found = models.installed()
    for model in found:
        used = say(" (used when none is named)", "（未指定时使用）") if model.name == chosen else ""
        yield Check("model", ok=True, found=model.name + used)
    if not found and chosen in models.catalogue():
        switch = "CASTALIA_OFFLINE=0 " if load().config.offline else ""
        yield Check(
            "model",
            ok=False,
            found=say("none installed", "未安装任何模型"),
            mend=f"{switch}castalia models pull {chosen}",
        )
    elif chosen not in models.catalogue():
        yield Check("model", ok=True, found=say("{model}, by your settings", "{model}（由设置指定）", model=chosen))
    here = models.machine()
    fitting = [model.name for model in models.catalogue().values() if here.fits(model.memory)]
    yield Check(
        "can run",
        ok=bool(fitting),
        found=", ".join(fitting) or say("no model of the catalogue fits", "内存容不下目录中的任何模型"),
        mend=""
        if fitting
        else say("Free memory, or name an endpoint: --model URL.", "请释放内存，或指定端点：--model 网址。"),
    )


def _library() -> Iterator[Check]:
    from castalia.studio import Studio

    studio = Studio()
    yield Check("library", ok=True, found=say("{n} works", "{n} 件作品", n=studio.library.count()))
    yield Check("keys", ok=True, found=studio.vault.protection())
    studio.close()


def _network() -> Iterator[Check]:
    from castalia.core.config import load

    offline = load().config.offline
    yield Check(
        "network",
        ok=True,
        found=say("switched off", "已关闭")
        if offline
        else say("only for `models pull` and configured endpoints", "仅用于 `models pull` 和已配置的端点"),
    )
