"""`castalia verify`: what marks files carry, and what each is worth."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from castalia.cli.show import padded
from castalia.core.errors import CastaliaError, UsageError
from castalia.core.files import folders
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.provenance import Report

_NAMES = {
    "label": "可见标识",
    "implicit": "隐式标识",
    "source": "来源类型",
    "c2pa": "C2PA 签名",
    "watermark": "水印",
    "record": "记录",
    "library": "作品库",
}
_STATES = {
    "present": "存在",
    "absent": "没有",
    "valid": "有效",
    "trusted": "受信任",
    "broken": "损坏",
    "can't tell": "无法判断",
}


@click.command(
    help=say(
        "Check the marks of files, of every file in folders, `-` for standard input. The sidecar FILE.c2pa is read "
        "from beside each. Exit code 0: marks were found in all and none is broken; 1: else.",
        "检验文件、文件夹中所有文件的标识，`-` 表示标准输入；同目录的 FILE.c2pa 会一并读取。"
        "退出码 0：全部发现标识且无损坏；1：其他情况。",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILE|FOLDER…|-")
@click.option("--json", "as_json", is_flag=True, help=say("one JSON object a file", "每个文件输出一个 JSON 对象"))
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PEM",
    help=say("trust the authority of this certificate too", "同时信任此证书的机构"),
)
@click.option(
    "--sidecar",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=say("the C2PA manifest, when it is not beside the file", "不在文件旁时的 C2PA 清单"),
)
def verify(files: Sequence[str], as_json: bool, anchors: Sequence[Path], sidecar: Path | None) -> None:
    """Parse, call, print."""
    from castalia import provenance

    manifest = provenance.read_limited(sidecar) if sidecar else None
    known = _known()
    own = _home()
    trusted = [provenance.anchors_in(own / "certificates") if own else b"", *map(provenance.read_limited, anchors)]
    sums = {"good": 0, "broken": 0, "unmarked": 0, "unread": 0}
    for name in _without_sidecars(files):
        folder = name != "-" and Path(name).is_dir()
        for each in _files(Path(name)) if folder else [name]:
            source = sys.stdin.buffer.read(provenance.LONGEST + 1) if each == "-" else Path(each)
            try:
                report = provenance.verify(source, sidecar=manifest, anchors=b"\n".join(trusted), **known)
            except CastaliaError as error:
                if not folder:
                    raise
                _unread(each, error, as_json=as_json)
                sums["unread"] += 1
                continue
            sums["broken" if report.broken else "good" if report.found else "unmarked"] += 1
            _show(report, as_json=as_json, short=folder)
    if sum(sums.values()) > 1 or not any(sums.values()):
        click.echo(_summary(sums), err=as_json)
    if sums["good"] != sum(sums.values()) or not sums["good"]:
        raise click.exceptions.Exit(1)


def _without_sidecars(names: Sequence[str]) -> list[str]:
    """The files named, without the sidecars that a pattern of the shell took along with their files."""
    named = set(names)
    return [name for name in names if not (name.endswith(".c2pa") and name.removesuffix(".c2pa") in named)]


def _files(folder: Path) -> Iterator[str]:
    """Every file below a folder in order, but hidden ones and sidecars beside their files; follows no link."""
    for place, inside, names in os.walk(folder, followlinks=False):
        inside[:] = sorted(each for each in inside if not each.startswith("."))
        for name in sorted(_without_sidecars(names)):
            path = Path(place) / name
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield str(path)


def _home() -> Path | None:
    """Where this user's keys and works are; None without a home folder, and marks are read all the same."""
    with suppress(UsageError):
        return folders().data
    return None


def _known() -> dict[str, Any]:
    """What this user's studio adds: private watermark keys and the library; nothing is made for it."""
    known: dict[str, Any] = {}
    if (own := _home()) and own.exists():
        with suppress(CastaliaError):
            from castalia.studio import Studio

            studio = Studio()
            known["watermark_keys"] = studio.keys.watermarks()
            known["find"] = studio.record_of
    return known


def _unread(name: str, error: CastaliaError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"file": name, "ok": False, "error": error.message}, ensure_ascii=False))
    else:
        click.echo(f"{name}\n  → {error.message}")


def _show(report: Report, *, as_json: bool, short: bool) -> None:
    """All layers; of a file in a folder the verdict, and the layers only where one is broken."""
    if as_json:
        shown = report.model_dump(mode="json") | {"ok": report.ok, "verdict": report.verdict}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(report.file)
    for layer in report.layers if not short or report.broken else ():
        name = say(layer.name, _NAMES[layer.name])
        state = say(layer.state, _STATES[layer.state])
        click.echo(f"  {padded(name, 11)}{padded(state, 12)}{layer.detail}")
    click.echo(f"  → {report.verdict}")


def _summary(sums: dict[str, int]) -> str:
    return say(
        "{n} files: {good} marked and whole, {broken} broken, {unmarked} without marks, {unread} not read",
        "{n} 个文件：{good} 个标识完好，{broken} 个损坏，{unmarked} 个没有标识，{unread} 个无法读取",
        n=sum(sums.values()),
        **sums,
    )
