"""`castalia batch FILE`: a brief a row, and a work of each; goes on where it stopped."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from castalia.cli.opening import open_studio, progress_line
from castalia.cli.show import finding_line
from castalia.core.errors import CastaliaError, MissingError, RefusedError, StorageError, UsageError
from castalia.core.files import write_atomic
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.core.ports import Progress
    from castalia.core.values import Work
    from castalia.studio import Studio

_MOST_BYTES = 50_000_000
_MOST_ROWS = 100_000
_WORDS = ("brief", "words", "要求")
_OWN = ("genre", "体裁", "seed", "种子", *_WORDS)
_REPORT = "refused.csv"


@dataclass(frozen=True)
class Row:
    """A brief of the file."""

    number: int
    """From 1."""
    work: str
    """Id of its work, which follows from the file and the row."""
    genre: str
    words: str
    seed: int
    fields: Mapping[str, Any]


@click.command(
    help=say(
        "Make a work of each row of FILE (.csv or .jsonl) and go on where an earlier run stopped. Columns: genre, "
        "brief, seed, and fields of the genre; an empty cell leaves a field as it is.",
        "为 FILE（.csv 或 .jsonl）的每一行创作一件作品，可从上次中断处继续。"
        "列：genre、brief、seed 及体裁字段；空单元格取默认值。",
    )
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--out",
    "-O",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help=say("write each work there as a marked file, and refused.csv", "把作品写为带标识的文件，并写出 refused.csv"),
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="EXTENSION",
    help=say("of the files (repeatable); default: png, mid or txt", "文件格式（可重复）；默认 png、mid 或 txt"),
)
@click.option("--genre", metavar="GENRE", help=say("of rows that name none", "未写体裁的行所用的体裁"))
@click.option("-m", "--model", metavar="MODEL", help=say("a model's name, path or URL", "模型名称、路径或网址"))
@click.option("--tries", type=click.IntRange(1, 100), help=say("drafts written before giving up", "放弃前的尝试次数"))
@click.option("--json", "as_json", is_flag=True, help=say("one JSON object a row", "每行输出一个 JSON 对象"))
def batch(
    file: Path,
    out: Path | None,
    formats: Sequence[str],
    genre: str | None,
    model: str | None,
    tries: int | None,
    as_json: bool,
) -> None:
    """Parse, call, print."""
    rows = _rows(file, genre or "")
    refused: list[tuple[Row, CastaliaError]] = []
    counts = {"made": 0, "kept": 0}
    began = time.monotonic()
    with progress_line(quiet=as_json) as progress:
        estimate = _Estimate(progress, len(rows))
        studio = open_studio(estimate, model=model, tries=tries)
        try:
            for row in rows:
                estimate.begin(row.number)
                there = studio.library.has(row.work)
                try:
                    work = studio.library.get(row.work) if there else _made(studio, row, formats)
                    files = _written(studio, row, work, out, formats)
                except (StorageError, MissingError):
                    raise  # the next row would fare no better
                except CastaliaError as error:
                    refused.append((row, error))
                    progress("", 1)
                    _say_refused(row, error, as_json=as_json)
                    continue
                counts["kept" if there else "made"] += 1
                estimate.end(fresh=not there)
                progress("", 1)
                _say_made(row, work, files, there=there, as_json=as_json)
        finally:
            studio.close()
            if out:
                _report(out, refused)
    if not as_json:
        click.echo(
            say(
                "{made} made, {kept} there already, {refused} refused, in {seconds:.0f} s",
                "新作 {made}，已有 {kept}，未通过 {refused}，用时 {seconds:.0f} 秒",
                **counts,
                refused=len(refused),
                seconds=time.monotonic() - began,
            ),
            err=True,
        )
    if refused:
        raise click.exceptions.Exit(1)


class _Estimate:
    """Progress of all rows: which one it is, and how long the rest takes by those that were made now."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._number, self._made = 0, 0
        self._began = self._spent = 0.0

    def begin(self, number: int) -> None:
        self._number, self._began = number, time.monotonic()

    def end(self, *, fresh: bool) -> None:
        if fresh:
            self._made, self._spent = self._made + 1, self._spent + time.monotonic() - self._began

    def __call__(self, message: str, share: float) -> None:
        left = self._spent / self._made * (self._total - self._number + 1) if self._made else None
        told = say("row {n} of {all}", "第 {n}/{all} 行", n=self._number, all=self._total)
        if left is not None:
            told += say(", {left:.0f} s left", "，剩余 {left:.0f} 秒", left=left)
        self._progress(f"{told}: {message}" if message else told, (self._number - 1 + min(share, 1)) / self._total)


def _rows(file: Path, genre: str) -> list[Row]:
    """The rows of a file, each looked at before any is made.

    Raises:
        UsageError: it is none, or a row names no genre or what its genre does not have; says which.
    """
    from castalia import genres
    from castalia.core import seeds
    from castalia.given import takes

    try:
        content = file.read_bytes() if file.stat().st_size <= _MOST_BYTES else None
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    if content is None:
        raise UsageError(
            say("{file} is larger than {n} MB.", "{file} 大于 {n} MB。", file=file, n=_MOST_BYTES // 10**6)
        )
    digest = hashlib.sha256(content).hexdigest()
    rows: list[Row] = []
    for number, cells in enumerate(_cells(file, content), 1):
        try:
            room = genres.find(str(cells.get("genre") or cells.get("体裁") or genre))
            fields = {name: value for name, value in cells.items() if name not in _OWN and value not in ("", None)}
            for name in fields:
                if not takes(room, name):
                    genres.fields_of(room, {name: ""})  # says which there are
            seed = cells.get("seed") or cells.get("种子")
            words = str(next((cells[name] for name in _WORDS if cells.get(name)), ""))
            chosen = seeds.chosen(int(seed)) if seed not in ("", None) else int(digest[:7], 16) + 1000 * number
        except (UsageError, ValueError, TypeError) as error:
            why = error.message if isinstance(error, UsageError) else str(error)
            raise UsageError(
                say("Row {n} of {file}: {why}", "{file} 第 {n} 行：{why}", n=number, file=file.name, why=why),
                hint=error.hint if isinstance(error, UsageError) else "",
            ) from error
        work = str(uuid.uuid5(uuid.NAMESPACE_OID, f"castalia batch {digest} {number}"))
        rows.append(Row(number, work, room.name, words, chosen % seeds.SEED_LIMIT, fields))
    if not rows or len(rows) > _MOST_ROWS:
        raise UsageError(
            say("{file} has {n} rows.", "{file} 有 {n} 行。", file=file, n=len(rows)),
            hint=say("1 to {n:,}, below a line of names.", "1 至 {n:,} 行，首行为列名。", n=_MOST_ROWS),
        )
    return rows


def _cells(file: Path, content: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        text = content.decode("utf-8-sig")
        if file.suffix.lower() == ".jsonl":
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
            if not all(isinstance(each, dict) for each in found):
                raise ValueError(say("a line is no JSON object", "有一行不是 JSON 对象"))
            return cast("list[Mapping[str, Any]]", found)
        if file.suffix.lower() == ".csv":
            table = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="", restval="")
            rows = [{name.strip(): value for name, value in row.items()} for row in table]
            if any("" in row for row in rows):
                raise ValueError(say("a row has more cells than there are names", "有一行的单元格多于列名"))
            return rows
    except (ValueError, csv.Error, RecursionError) as error:
        raise UsageError(
            say("{file} cannot be read: {why}.", "无法读取 {file}：{why}。", file=file, why=error)
        ) from error
    raise UsageError(
        say("{file} is neither .csv nor .jsonl.", "{file} 既不是 .csv 也不是 .jsonl。", file=file),
        hint=say("genre,brief on the first line, a brief a row.", "首行 genre,brief，每行一个要求。"),
    )


def _made(studio: Studio, row: Row, formats: Sequence[str]) -> Work:
    return studio.create(row.genre, row.words, seed=row.seed, faces=formats, work_id=row.work, **row.fields)


def _written(studio: Studio, row: Row, work: Work, out: Path | None, formats: Sequence[str]) -> list[str]:
    """Write the files that are not there yet."""
    if out is None:
        return []
    usual = "png" if work.content.picture is not None else "mid" if work.content.score is not None else "txt"
    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{row.number:05}-{work.genre}.{face.lstrip('.').lower()}" for face in formats or (usual,)]
    return [str(path if path.exists() else studio.export(work, path)) for path in paths]


def _say_made(row: Row, work: Work, files: Sequence[str], *, there: bool, as_json: bool) -> None:
    if as_json:
        click.echo(
            json.dumps({"row": row.number, **work.as_json(), "files": files, "new": not there}, ensure_ascii=False)
        )
        return
    first = (work.content.title or work.text).strip().partition("\n")[0][:60]
    click.echo(f"{row.number}\t{work.id[:8]}\t{work.genre}\t{first}\t{' '.join(files)}".rstrip())


def _say_refused(row: Row, error: CastaliaError, *, as_json: bool) -> None:
    if as_json:
        shown = {"row": row.number, "id": None, "genre": row.genre, "status": "refused", "error": error.message}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(f"{row.number}\t✗ {row.genre}: {error.message}", err=True)
    if isinstance(error, RefusedError):
        for finding in error.best.broken[:3]:
            click.echo(f"  ✗ {finding_line(finding)}", err=True)


def _report(out: Path, refused: Sequence[tuple[Row, CastaliaError]]) -> None:
    """Write down which rows were refused, by which rules and what helps; nothing is left of an earlier run's."""
    path = out / _REPORT
    if not refused:
        path.unlink(missing_ok=True)
        return
    table = io.StringIO()
    sheet = csv.writer(table)
    sheet.writerow(["row", "genre", "brief", "rule", "place", "found", "wanted", "hint"])
    for row, error in refused:
        findings = error.best.broken if isinstance(error, RefusedError) else ()
        for each in findings:
            sheet.writerow(
                [
                    row.number,
                    row.genre,
                    row.words,
                    each.rule,
                    each.place,
                    each.found,
                    each.wanted,
                    each.hint or error.hint,
                ]
            )
        if not findings:
            sheet.writerow([row.number, row.genre, row.words, "", "", error.message, "", error.hint])
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(path, table.getvalue().encode("utf-8-sig"))
