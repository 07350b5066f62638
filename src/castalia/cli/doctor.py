"""`castalia doctor`: what is installed, what is missing and how to get it, what this machine can run."""

from __future__ import annotations

import json
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import click

from castalia.core.errors import CastaliaError
from castalia.core.language import say


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
    checks = [check for source in (_system, _engine, _models, _library, _network) for check in _guarded(source)]
    if as_json:
        click.echo(json.dumps([asdict(check) for check in checks], ensure_ascii=False))
    else:
        for check in checks:
            click.echo(f"{'✓' if check.ok else '✗'} {check.part:12} {check.found}")
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


def _engine() -> Iterator[Check]:
    from castalia.engines import llama_library

    llama_library.open_library()
    yield Check("engine", ok=True, found=llama_library.build())


def _models() -> Iterator[Check]:
    from castalia import models

    found = models.installed()
    for model in found:
        yield Check("model", ok=True, found=model.name)
    chosen = models.default()
    if not found:
        yield Check(
            "model",
            ok=False,
            found=say("none installed", "未安装任何模型"),
            mend=f"castalia models pull {chosen}",
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
