"""`castalia create GENRE [BRIEF]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from castalia.cli.opening import open_studio, progress_line
from castalia.cli.show import check_files, face_of, finding_line, show_work
from castalia.core.errors import RefusedError, StorageError, UsageError
from castalia.core.language import say

if TYPE_CHECKING:
    from castalia.core.values import Work
    from castalia.studio import Studio

_MOST_BYTES = 1_000_001


@click.command(
    help=say(
        "Make a work of GENRE from BRIEF (words, or `-` or a pipe for standard input), check it, mark it and keep it.",
        "按体裁 GENRE 和要求 BRIEF（文字；`-` 或管道表示标准输入）创作，检查、标识并存入作品库。",
    )
)
@click.argument("genre")
@click.argument("brief", required=False)
@click.option(
    "--out",
    "-O",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=say(
        "write a marked file; the extension chooses the format (repeatable)",
        "写出带标识的文件；扩展名决定格式（可重复）",
    ),
)
@click.option(
    "-o",
    "--option",
    multiple=True,
    metavar="KEY VALUE",
    help=say(
        "a field of the genre, KEY VALUE or KEY=VALUE (repeatable); "
        "also temperature, top_k, top_p, min_p, repeat_penalty, presence_penalty, frequency_penalty",
        "体裁字段：KEY VALUE 或 KEY=VALUE（可重复）；"
        "也可为 temperature、top_k、top_p、min_p、repeat_penalty、presence_penalty、frequency_penalty",
    ),
)
@click.option(
    "--melody",
    metavar="FILE",
    help=say("music: a score whose melody is set for voices (.mid, .musicxml, .abc)", "音乐：为其旋律配和声的乐谱文件"),
)
@click.option(
    "--hum",
    metavar="FILE",
    help=say(
        "music: a recording of one voice, hummed, sung or played (.wav, .flac, .mp3, .ogg)",
        "音乐：哼唱或演奏单一旋律的录音",
    ),
)
@click.option(
    "--continue",
    "continued",
    metavar="FILE",
    help=say("music: a score that is to go on", "音乐：待续写的乐谱文件"),
)
@click.option(
    "--lyrics",
    metavar="FILE|WORK",
    help=say("music: words that are sung: a text file, or a work's id", "音乐：要演唱的歌词：文本文件或作品编号"),
)
@click.option(
    "--picture",
    metavar="FILE|WORK",
    help=say(
        "a picture to start from, or that words or music are to be about; or a work's id",
        "作为起点、或文字与音乐所写的图片文件或作品编号",
    ),
)
@click.option(
    "-m",
    "--model",
    metavar="MODEL",
    help=say("a model's name, a path or an endpoint's URL", "模型名称、路径或端点网址"),
)
@click.option("-s", "--system", "style", metavar="TEXT", help=say("how it should sound", "希望的风格"))
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1, 100),
    default=1,
    show_default=True,
    help=say("how many variations", "作品数量"),
)
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=say("pictures: all that -n made, side by side in one more work", "图片：将 -n 所作并排为另一件作品"),
)
@click.option("--seed", type=int, help=say("same seed, same work", "相同的种子得到相同的作品"))
@click.option("--tries", type=click.IntRange(1, 100), help=say("drafts written before giving up", "放弃前的尝试次数"))
@click.option("--offline", is_flag=True, default=None, help=say("forbid all downloads", "禁止一切下载"))
@click.option("--json", "as_json", is_flag=True, help=say("one JSON object a work", "每件作品输出一个 JSON 对象"))
def create(
    genre: str,
    brief: str | None,
    out: Sequence[Path],
    option: Sequence[str],
    melody: str | None,
    hum: str | None,
    continued: str | None,
    lyrics: str | None,
    picture: str | None,
    model: str | None,
    style: str | None,
    number: int,
    sheet: Path | None,
    seed: int | None,
    tries: int | None,
    offline: bool | None,
    as_json: bool,
) -> None:
    """Parse, call, print."""
    from castalia.core.config import SAMPLING
    from castalia.provenance import FORMATS

    words = _words(brief)
    named = {"style": style, "melody": melody, "continued": continued, "lyrics": lyrics, "picture": picture}
    if hum:
        named[_humming(genre)] = hum
    fields = _fields(option) | {name: value for name, value in named.items() if value}
    sampling = {name: fields.pop(name) for name in SAMPLING if name in fields}
    check_files([*out, *([sheet] if sheet else [])], FORMATS)
    if sheet and number == 1:
        raise UsageError(
            say("A contact sheet wants several pictures.", "样片总览需要多张图片。"),
            hint=say("Say how many with -n, e.g. -n 8.", "请用 -n 指定数量，例如 -n 8。"),
        )
    made: list[Work] = []
    faces = list(dict.fromkeys(face_of(path) for path in out))
    refusals = 0
    with progress_line(quiet=as_json) as progress:
        studio = open_studio(progress, model=model, tries=tries, offline=offline, **sampling)
        try:
            for count, each in enumerate(studio.seeds(number, seed)):
                try:
                    work = studio.create(genre, words, seed=each, faces=faces, **fields)
                except RefusedError as refused:
                    refusals += 1
                    progress("", 1)
                    _show_refused(refused, as_json=as_json)
                    continue
                paths = [_numbered(path, count, number) for path in out]
                progress("", 1)
                _deliver(studio, work, paths, as_json=as_json)
                made.append(work)
            if sheet and len(made) > 1:
                ids = [each.id for each in made]
                whole = studio.create("sheet", pictures=ids, language=made[0].content.language, faces=[face_of(sheet)])
                progress("", 1)
                _deliver(studio, whole, [sheet], as_json=as_json)
        finally:
            studio.close()
    if refusals:
        raise click.exceptions.Exit(1)


def _deliver(studio: Studio, work: Work, paths: Sequence[Path], *, as_json: bool) -> None:
    """Write the files and show the work; a work whose file can not be written is shown and stays in the library."""
    files: dict[str, str] = {}
    try:
        for path in paths:
            face = face_of(path)
            same = sum(name.partition(":")[0] == face for name in files)
            files[f"{face}:{same + 1}" if same else face] = str(studio.export(work, path))
    except StorageError as error:
        show_work(studio, work, files, as_json=as_json)
        kept = say(
            "The work is kept: castalia works export {id} FILE",
            "作品已保存：castalia works export {id} 文件",
            id=work.id,
        )
        raise StorageError(error.message, hint=kept) from error
    show_work(studio, work, files, as_json=as_json)


def _words(brief: str | None) -> str:
    if brief not in (None, "-"):
        return brief or ""
    if brief == "-" or not sys.stdin.isatty():
        raw = sys.stdin.buffer.read(_MOST_BYTES)
        try:
            # A brief that long is refused anyway; the character that the limit cut in two is no fault of the user's.
            return raw.decode(errors="strict" if len(raw) < _MOST_BYTES else "replace")
        except UnicodeDecodeError as error:
            raise UsageError(
                say(
                    "Standard input is not UTF-8 (byte {place}).",
                    "标准输入不是 UTF-8（第 {place} 字节）。",
                    place=error.start,
                ),
                hint="iconv -t UTF-8",
            ) from error
    return ""


def _humming(genre: str) -> str:
    """The field of a genre that takes a hummed tune.

    Raises:
        UsageError: it has none.
    """
    from castalia.genres import find

    room = find(genre)
    for name in ("hum", "melody"):
        if name in room.fields.model_fields:
            return name
    raise UsageError(
        say("{genre} takes no hummed tune.", "体裁 {genre} 不接受哼唱录音。", genre=room.name),
        hint="castalia create chorale --hum take.wav",
    )


def _fields(options: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise UsageError(
                say(
                    "-o wants KEY VALUE or KEY=VALUE, not {option!r}.",
                    "-o 需要 KEY VALUE 或 KEY=VALUE，而不是 {option!r}。",
                    option=option,
                )
            )
        fields[key.replace("-", "_")] = value
    return fields


def _numbered(path: Path, count: int, number: int) -> Path:
    """`poem.txt` → `poem-2.txt` for the second of several."""
    return path if number == 1 else path.with_name(f"{path.stem}-{count + 1}{path.suffix}")


def _show_refused(refused: RefusedError, *, as_json: bool) -> None:
    draft = refused.best.draft
    if as_json:
        shown: dict[str, Any] = {
            "id": None,
            "genre": draft.brief.genre,
            "status": "refused",
            "seed": draft.evidence.seed,
            "model": draft.evidence.model,
            "tries": refused.tries,
            "text": draft.content.text,
        }
        if draft.content.fields:
            shown["fields"] = dict(draft.content.fields)
        findings = [finding.model_dump() for finding in refused.best.findings]
        shown |= {"findings": findings, "files": {}, "castalia": None}
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    click.echo(say("REFUSED — best draft, not kept:", "未通过——以下为最佳草稿，未存入作品库："), err=True)
    click.echo(draft.content.text, err=True)
    for finding in refused.best.broken:
        click.echo(f"  ✗ {finding_line(finding)}", err=True)
    click.echo(f"castalia: {refused}", err=True)
