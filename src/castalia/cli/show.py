"""How a work, and a finding about it, is shown on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from castalia.core.errors import StorageError, UsageError
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.core.picture import Picture
    from castalia.core.values import Finding, Work
    from castalia.provenance import Face
    from castalia.studio import Studio


def show_work(studio: Studio, work: Work, files: Mapping[str, str] | None = None, *, as_json: bool = False) -> None:
    """Print a work: marked text on standard output, everything about it on standard error."""
    if as_json:
        click.echo(json.dumps(work.as_json(files), ensure_ascii=False))
        return
    from castalia import provenance

    # On a terminal the label is enough to read; into a pipe goes the whole marked text.
    marked = studio.printed(work)
    click.echo(provenance.without_footer(marked) if sys.stdout.isatty() else marked.rstrip("\n"))
    click.echo(
        say(
            "{genre} {id} · seed {seed} · {model} · tries {tries} · {seconds:.1f} s",
            "{genre} {id} · 种子 {seed} · {model} · 尝试 {tries} 次 · {seconds:.1f} 秒",
            genre=work.genre,
            id=work.id,
            seed=work.evidence.seed,
            model=work.evidence.model,
            tries=work.tries,
            seconds=work.evidence.seconds,
        ),
        err=True,
    )
    for finding in work.findings:
        if not finding.ok:
            click.echo(f"  · {finding_line(finding)}", err=True)
    for path in (files or {}).values():
        click.echo(say("wrote {path}", "已写入 {path}", path=path), err=True)
    if work.content.picture is not None:
        command = "" if files else f": castalia works export {work.id[:8]} {work.genre}.png"
        click.echo(say("a picture of {size}", "图片 {size}", size=size_of(work.content.picture)) + command, err=True)


def finding_line(finding: Finding) -> str:
    """One finding in one line."""
    found = say("{rule}: {found}", "{rule}：{found}", rule=finding.rule, found=finding.found)
    wanted = say(" (wanted: {wanted})", "（应为：{wanted}）", wanted=finding.wanted) if finding.wanted else ""
    place = f" [{finding.place}]" if finding.place else ""
    return f"{found}{wanted}{place}" + (f" → {finding.hint}" if finding.hint else "")


def size_of(picture: Picture) -> str:
    """How large a picture is."""
    return say("{w} × {h} pixels", "{w} × {h} 像素", w=picture.width, h=picture.height)


def face_of(path: Path) -> str:
    """The format that a file's extension stands for."""
    return path.suffix.lstrip(".").lower()


def check_files(paths: Sequence[Path], formats: Mapping[str, Face]) -> None:
    """Look before any work is done whether the files can be written.

    Args:
        paths: The files.
        formats: What may be written.

    Raises:
        UsageError: a file's extension is no format.
        StorageError: its folder cannot be written.
    """
    named = {name for face in formats.values() for name in (face.extension, *face.other_names)}
    for path in paths:
        if face_of(path) not in named:
            raise UsageError(
                say("No format for the file {path}.", "文件 {path} 没有对应的格式。", path=path),
                hint=say("Use one of: {faces}.", "可用：{faces}。", faces=", ".join("." + face for face in formats)),
            )
        folder = next(parent for parent in path.absolute().parents if parent.exists())
        if not folder.is_dir() or not os.access(folder, os.W_OK):
            raise StorageError(
                say("No permission to write {path}.", "没有写入 {path} 的权限。", path=path),
                hint=say("Choose another folder.", "请另选文件夹。"),
            )


def padded(text: str, columns: int) -> str:
    """The text and spaces up to that many terminal columns; Chinese characters take two."""
    return text + " " * max(1, columns - sum(2 if ord(letter) > 0x2E7F else 1 for letter in text))
