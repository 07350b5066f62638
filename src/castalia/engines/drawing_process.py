"""A process of its own that draws: both ends of the line between it and the studio.

It is started at the first picture, kept warm, and ends when its input is closed, which an end of the studio does too.
First line out: `build` and `side`. A request: `words`, `seed`, and `side`, or `strength` with `bytes` of PNG behind the
line. An answer: lines of `step` and `of`, then `bytes` and so many bytes of PNG; or `error`, with `alive` where more
may be asked; or `missing`. All lines are JSON. None of the studio's keys are in its environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Any, NoReturn

from castalia.core.errors import EngineError, MissingError
from castalia.core.language import say
from castalia.core.ports import Progress

_MOST_LINE = 1_000_000
_MOST_PICTURE = 100_000_000
"""Bytes."""
Tell = Callable[[int, int], None]
"""Called after each step: its number, and how many there are."""
Draw = Callable[[dict[str, Any], bytes, Tell], bytes]
"""A request and its PNG, maybe empty → the PNG of the answer."""


class DrawingProcess:
    """A picture engine beside this process; see `modalities.image.pipeline.PictureEngine`.

    Args:
        worker: Module that is run.
        path: Of the weights.
        digest: Makes their SHA-256 when it is wanted.
        install: The command for what the worker wants.
        side: Pixels a side; 0 takes the worker's own.
        steps: Of denoising; 0 leaves them to the worker.
        guidance: How closely it keeps to the words; None leaves it to the worker.
        progress: Told after each step.
    """

    def __init__(
        self,
        worker: str,
        path: Path,
        *,
        digest: Callable[[], str],
        install: str,
        side: int = 0,
        steps: int = 0,
        guidance: float | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.name = path.stem if path.is_file() else path.name
        self._path, self._worker, self._install = path, worker, install
        self._digest, self._side, self._progress = digest, side, progress
        self._dials = {"steps": steps, "guidance": guidance}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        return self._digested

    @cached_property
    def _digested(self) -> str:
        return self._digest()

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
        """What the process says of itself when it has loaded the weights."""
        self._report(say("loading {name}", "正在载入 {name}", name=self.name), 0.0)
        self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", self._worker, str(self._path), json.dumps(self._dials)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env=_environment(),
        )
        told = self._line()
        if not {"build", "side"} <= told.keys():
            self._broken(str(told)[:200])
        return told

    def _asked(self, request: dict[str, Any], png: bytes = b"") -> bytes:
        _ = self._told
        assert self._process
        assert self._process.stdin
        assert self._process.stdout
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
        content = self._process.stdout.read(length)
        if len(content) < length:
            self._broken("")
        return content

    def _line(self) -> dict[str, Any]:
        """The process's next line.

        Raises:
            MissingError: what it wants is not installed.
            EngineError: it says what went wrong, or has ended.
        """
        assert self._process
        assert self._process.stdout
        try:
            line: dict[str, Any] = json.loads(self._process.stdout.readline(_MOST_LINE))
        except ValueError:
            self._broken("")
        if "missing" in line:
            self.close()
            raise MissingError(
                say(
                    "{name} cannot draw yet: {why}.", "{name} 还不能绘画：{why}。", name=self.name, why=line["missing"]
                ),
                hint=self._install,
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
        self._complaints.seek(0)
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


def serve(load: Callable[[str, Mapping[str, Any]], tuple[Draw, str, int]], arguments: list[str]) -> int:
    """The other end, in the worker: load, say so, draw until there is nothing more to draw.

    Args:
        load: Path and dials (`steps`, `guidance`) → what draws, its build, its side in pixels.
        arguments: Of the command line.
    """
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is a complaint, no answer

    def tell(**told: object) -> None:
        out.write(json.dumps(told).encode() + b"\n")
        out.flush()

    path, dials = arguments[1], json.loads(arguments[2])
    try:
        draw, build, side = load(path, dials)
    except ImportError as error:
        tell(missing=str(error))
        return MissingError.exit_code
    except Exception as error:  # whatever a stranger's weights lead to
        tell(error=f"{type(error).__name__}: {error}")
        return EngineError.exit_code
    tell(build=", ".join([build, *(f"{name} {value:g}" for name, value in dials.items() if value)]), side=side)
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        given = sys.stdin.buffer.read(request["bytes"])
        try:
            png = draw(request, given, lambda step, of: tell(step=step, of=of))
        except Exception as error:
            tell(error=f"{type(error).__name__}: {error}", alive=True)
            continue
        tell(bytes=len(png))
        out.write(png)
        out.flush()
    return 0


def _environment() -> dict[str, str]:
    """Of the process: no network, and none of the studio's keys."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CASTALIA_")}
    return kept | {
        "OMP_WAIT_POLICY": "PASSIVE",  # threads that spin against each other on a busy machine collapse
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DIFFUSERS_VERBOSITY": "error",
        "TRANSFORMERS_VERBOSITY": "error",
        "TOKENIZERS_PARALLELISM": "false",
    }
