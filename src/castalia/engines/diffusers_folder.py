"""A local diffusers folder as a picture engine: torch runs in a process of its own, `diffusers_worker`.

The folder is the user's, and nobody vouches for it: only safetensors are read, no code that lies in it is run, and the
process is told to use no network.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.ports import Progress
from castalia.engines.drawing_process import DrawingProcess

INDEX = "model_index.json"
"""What makes a folder a diffusers folder."""
_MOST_INDEX = 1_000_000
"""Bytes."""


def open_folder(
    path: Path,
    *,
    side: int = 0,
    steps: int = 0,
    guidance: float | None = None,
    progress: Progress | None = None,
) -> DrawingProcess:
    """A picture engine over one folder; see `DrawingProcess`.

    Args:
        path: Holds `model_index.json` and the parts that it names.
        side: Pixels a side; 0 takes the pipeline's own.
        steps: Of denoising; 0 leaves them to the pipeline.
        guidance: How closely it keeps to the words; None leaves it to the pipeline.
        progress: Told after each step.

    Raises:
        UsageError: it is no such folder, holds code, or no weights as safetensors.
    """
    path = path.resolve()
    check_folder(path)
    return DrawingProcess(
        "castalia.engines.diffusers_worker",
        path,
        digest=lambda: _digest(path),
        install="pip install 'castalia[diffusers]'",
        side=side,
        steps=steps,
        guidance=guidance,
        progress=progress,
    )


def check_folder(path: Path) -> str:
    """The pipeline that a folder names, when it may be loaded.

    Raises:
        UsageError: it is no diffusers folder, holds code, or no weights as safetensors.
    """
    try:
        with (path / INDEX).open("rb") as stream:
            index: Any = json.loads(stream.read(_MOST_INDEX))
        name = index["_class_name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _refused(path, say("{file} cannot be read", "无法读取 {file}", file=INDEX)) from error
    if not isinstance(name, str) or not name.isidentifier():
        raise _refused(path, say("it wants code of its own", "需要自带代码"))
    if any(path.rglob("*.py")):
        raise _refused(path, say("it holds Python code, which is not run", "其中含有 Python 代码，不会运行"))
    if not any(path.rglob("*.safetensors")):
        raise _refused(
            path,
            say("it has no weights as safetensors, and nothing else is read", "没有 safetensors 权重，其他格式不读取"),
        )
    return name


def _digest(path: Path) -> str:
    """SHA-256 over the names and contents of the files that are read."""
    whole = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.suffix in (".json", ".txt", ".model", ".safetensors") and file.is_file():
            with file.open("rb") as stream:
                own = hashlib.file_digest(stream, "sha256").hexdigest()
            whole.update(f"{file.relative_to(path).as_posix()} {own}\n".encode())
    return whole.hexdigest()


def _refused(path: Path, why: str) -> UsageError:
    return UsageError(
        say("{folder} cannot be used to draw: {why}.", "{folder} 不能用于绘画：{why}。", folder=path, why=why),
        hint=say(
            "Save it with `pipeline.save_pretrained(FOLDER, safe_serialization=True)`.",
            "请用 `pipeline.save_pretrained(文件夹, safe_serialization=True)` 保存。",
        ),
    )
