"""`castalia verify`: what marks a file carries, and what each is worth."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from castalia.core.errors import CastaliaError
from castalia.core.files import folders
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.provenance import Report

_NAMES = {
    "label": "可见标识",
    "implicit": "隐式标识",
    "source": "来源类型",
    "c2pa": "C2PA 签名",
    "watermark": "文本水印",
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
        "Check the marks of files, `-` for standard input. The sidecar FILE.c2pa is read from beside each. "
        "Exit code 0: marks were found and none is broken; 1: one is broken, or none was found.",
        "检验文件的标识，`-` 表示标准输入；同目录的 FILE.c2pa 会一并读取。"
        "退出码 0：发现标识且无损坏；1：有损坏或未发现标识。",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…|-")
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
    trusted = [provenance.anchors_in(folders().data / "certificates"), *map(provenance.read_limited, anchors)]
    good = True
    for name in files:
        source = sys.stdin.buffer.read(provenance.LONGEST + 1) if name == "-" else Path(name)
        report = provenance.verify(source, sidecar=manifest, anchors=b"\n".join(trusted), **known)
        good &= report.ok
        if as_json:
            shown = report.model_dump(mode="json") | {"ok": report.ok, "verdict": report.verdict}
            click.echo(json.dumps(shown, ensure_ascii=False))
        else:
            _show(report)
    if not good:
        raise click.exceptions.Exit(1)


def _known() -> dict[str, Any]:
    """What this user's studio adds: private watermark keys and the library; nothing is made for it."""
    known: dict[str, Any] = {}
    if folders().data.exists():
        with suppress(CastaliaError):
            from castalia.studio import Studio

            studio = Studio()
            known["watermark_keys"] = studio.keys.watermarks()
            known["find"] = studio.find
    return known


def _show(report: Report) -> None:
    click.echo(report.file)
    for layer in report.layers:
        name = say(layer.name, _NAMES[layer.name])
        state = say(layer.state, _STATES[layer.state])
        click.echo(f"  {_padded(name, 11)}{_padded(state, 12)}{layer.detail}")
    click.echo(f"  → {report.verdict}")


def _padded(text: str, columns: int) -> str:
    """The text and spaces up to that many terminal columns; Chinese characters take two."""
    return text + " " * max(1, columns - sum(2 if ord(letter) > 0x2E7F else 1 for letter in text))
