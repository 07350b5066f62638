"""Where pieces come from: a folder or file of scores, or one of the corpora that music21 carries."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.ports import Progress

SUFFIXES = (".mid", ".midi", ".musicxml", ".xml", ".mxl", ".abc", ".krn")
MOST_BYTES = 20_000_000
CORPORA = ("airdsAirs", "oneills1850", "ryansMammoth")
"""Tunes that music21 carries, in ABC."""

Part = Literal["train", "valid", "test"]


def files_in(source: str, dropped: dict[str, str], progress: Progress | None) -> Iterator[tuple[str, Path]]:
    """(name, path) of each score of a file or folder; what is too large is named in `dropped`.

    Raises:
        UsageError: there is nothing of that name.
    """
    path = Path(source)
    if not path.exists():
        raise UsageError(
            say("{path} does not exist.", "{path} 不存在。", path=path),
            hint=say("Give a folder of scores, or music21:bach.", "请给出乐谱文件夹，或 music21:bach。"),
        )
    found = sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    for number, file in enumerate(found):
        title = file.name if file == path else file.relative_to(path).as_posix()
        if progress:
            progress(say("reading {name}", "正在读取 {name}", name=title), number / len(found))
        if file.stat().st_size > MOST_BYTES:
            dropped[title] = say("larger than {n} MB", "大于 {n} MB", n=MOST_BYTES // 1_000_000)
            continue
        yield title, file


def corpus_of(name: str) -> Path:
    """The folder of one of `CORPORA`; music21 itself is not loaded, which takes seconds.

    Raises:
        UsageError: there is no such corpus, or music21 is not installed.
    """
    spec = find_spec("music21")
    if spec is None or spec.origin is None:
        raise UsageError(say("music21 is not installed.", "未安装 music21。"), hint="pip install 'castalia[train]'")
    path = Path(spec.origin).parent / "corpus" / name
    if name not in CORPORA or not path.is_dir():
        raise UsageError(
            say("{name} is no corpus of tunes.", "{name} 不是曲调集。", name=name),
            hint=", ".join(f"music21:{each}" for each in CORPORA),
        )
    return path
