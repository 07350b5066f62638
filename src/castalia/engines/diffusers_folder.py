"""A local diffusers folder as a picture engine: torch runs in a process of its own, `diffusers_worker`.

The folder is the user's, and nobody vouches for it: only safetensors are read, no code that lies in it is run, and the
process is told to use no network. It is started at the first picture, kept warm, and ends when its input is closed,
which an end of this process does too.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NoReturn

from castalia.core.errors import EngineError, MissingError, UsageError
from castalia.core.language import say
from castalia.core.ports import Progress

INDEX = "model_index.json"
"""What makes a folder a diffusers folder."""
_MOST_INDEX = 1_000_000
_MOST_PICTURE = 100_000_000
"""Bytes."""
_TOLD = ("name", "build", "side")
INSTALL = "pip install 'castalia[diffusers]'"


class DiffusersFolder:
    """A picture engine over one folder; see `modalities.image.pipeline.PictureEngine`.

    Args:
        path: Holds `model_index.json` and the parts that it names.
        side: Pixels a side; 0 takes the pipeline's own.
        steps: Of denoising; 0 leaves them to the pipeline.
        guidance: How closely it keeps to the words; None leaves it to the pipeline.
        progress: Told after each step.

    Raises:
        UsageError: it is no such folder, holds code, or no weights as safetensors.
    """

    def __init__(
        self,
        path: Path,
        *,
        side: int = 0,
        steps: int = 0,
        guidance: float | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._path = path.resolve()
        self._dials = {"steps": steps, "guidance": guidance}
        self._side = side
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None
        self.pipeline = check_folder(self._path)
        self.name = self._path.name

    @property
    def digest(self) -> str:
        """SHA-256 over the names and contents of the files that are read."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        whole = hashlib.sha256()
        for file in sorted(self._path.rglob("*")):
            if file.suffix in (".json", ".txt", ".model", ".safetensors") and file.is_file():
                with file.open("rb") as stream:
                    own = hashlib.file_digest(stream, "sha256").hexdigest()
                whole.update(f"{file.relative_to(self._path).as_posix()} {own}\n".encode())
        return whole.hexdigest()

    @property
    def build(self) -> str:
        """Versions, threads, steps and guidance: all that the same seed depends on."""
        return str(self._told["build"])

    @property
    def side(self) -> int:
        """Pixels a side."""
        return self._side or int(self._told["side"])

    def draw(self, words: str, *, seed: int, side: int) -> bytes:
        """See `PictureEngine.draw`."""
        return self._asked({"words": words, "seed": seed, "side": side})

    def redraw(self, words: str, png: bytes, *, strength: float, seed: int) -> bytes:
        """See `PictureEngine.redraw`."""
        return self._asked({"words": words, "seed": seed, "strength": strength}, png)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        self.__dict__.pop("_told", None)
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                assert pipe
                pipe.close()
        try:
            process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._complaints.close()

    @cached_property
    def _told(self) -> dict[str, Any]:
        """What the process says of itself when it has loaded the pipeline."""
        self._report(say("loading {name}", "正在载入 {name}", name=self.name), 0.0)
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "castalia.engines.diffusers_worker", str(self._path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=_environment() | {"CASTALIA_DIALS": json.dumps(self._dials)},
        )
        told = self._line()
        if not all(name in told for name in _TOLD):
            self._broken(str(told)[:200])
        return told

    def _asked(self, request: dict[str, Any], png: bytes = b"") -> bytes:
        _ = self._told
        assert self._process
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(request | {"bytes": len(png)}).encode() + b"\n" + png)
            self._process.stdin.flush()
        except OSError:
            self._broken("")
        while "step" in (answer := self._line()):
            of = max(int(answer["of"]), 1)
            message = say("drawing, step {n} of {of}", "绘画中，第 {n} 步，共 {of} 步", n=answer["step"], of=of)
            self._report(message, answer["step"] / of)
        length = answer.get("bytes")
        if not isinstance(length, int) or not 0 < length <= _MOST_PICTURE:
            self._broken(str(answer)[:200])
        assert self._process
        assert self._process.stdout
        content = self._process.stdout.read(length)
        if len(content) < length:
            self._broken("")
        return content

    def _line(self) -> dict[str, Any]:
        """The process's next line.

        Raises:
            MissingError: diffusers is not installed.
            EngineError: it says what went wrong, or has ended.
        """
        assert self._process
        assert self._process.stdout
        try:
            line: dict[str, Any] = json.loads(self._process.stdout.readline(_MOST_INDEX))
        except ValueError:
            self._broken("")
        if "missing" in line:
            self.close()
            raise MissingError(
                say(
                    "A diffusers folder wants diffusers, transformers and torch: {why}.",
                    "diffusers 文件夹需要 diffusers、transformers 和 torch：{why}。",
                    why=line["missing"],
                ),
                hint=INSTALL,
            )
        if "error" in line:
            if not line.get("alive"):
                self.close()
            raise EngineError(
                say("{name} failed: {why}.", "{name} 出错：{why}。", name=self.name, why=str(line["error"])[:500]),
                hint=say(
                    "Check image_size, image_steps and image_guidance, or choose another model.",
                    "请检查 image_size、image_steps、image_guidance，或更换模型。",
                ),
            )
        return line

    def _broken(self, said: str) -> NoReturn:
        """The process has ended, or speaks nonsense: what it last complained of is told."""
        assert self._process
        self._process.kill()
        code = self._process.wait()
        self._complaints.seek(max(self._complaints.tell() - 2_000, 0))
        lines = self._complaints.read().decode(errors="replace").strip().splitlines()
        self.close()
        raise EngineError(
            say(
                "The process that draws with {name} ended ({code}): {why}",
                "用 {name} 绘画的进程已结束（{code}）：{why}",
                name=self.name,
                code=code,
                why=said or (lines[-1][:300] if lines else "–"),
            ),
            hint=say(
                "Memory may not suffice: set a smaller image_size, or choose a smaller model.",
                "可能内存不足：请减小 image_size，或选择更小的模型。",
            ),
            retryable=True,
        )

    def _report(self, message: str, share: float) -> None:
        if self._progress:
            self._progress(message, share)


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


def _refused(path: Path, why: str) -> UsageError:
    return UsageError(
        say("{folder} cannot be used to draw: {why}.", "{folder} 不能用于绘画：{why}。", folder=path, why=why),
        hint=say(
            "Save it with `pipeline.save_pretrained(FOLDER, safe_serialization=True)`.",
            "请用 `pipeline.save_pretrained(文件夹, safe_serialization=True)` 保存。",
        ),
    )


def _environment() -> dict[str, str]:
    """Of the process: no network, and none of the studio's keys."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CASTALIA_")}
    return kept | {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DIFFUSERS_VERBOSITY": "error",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
    }
