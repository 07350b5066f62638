"""llama.cpp with a vision model and its projector (`mmproj`), in a process of its own that serves this one alone.

It listens on the loopback at a port of its choice, wants a random key, and ends when its input is closed, which an end
of this process does too. A file on which llama.cpp breaks off ends that process, not this one.

The process: python -m castalia.engines.vision_server MODEL.gguf MMPROJ.gguf THREADS, the key in its environment.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from castalia.core.errors import EngineError
from castalia.core.language import say
from castalia.core.values import Language
from castalia.engines.vision import VisionModel

_CONTEXT = 8192
"""Tokens: a large picture takes up to some thousands."""
_KEY = "CASTALIA_VISION_SERVER_KEY"


class LocalVision:
    """A vision model in two GGUF files; see `VisionModel`.

    Args:
        model: The language model's file.
        projector: Its `mmproj` file.
        digest: SHA-256 of the model's file.
        threads: For the process.

    Raises:
        EngineError: llama.cpp does not load them.
    """

    def __init__(self, model: Path, projector: Path, *, digest: str, threads: int = 1) -> None:
        key = secrets.token_hex(16)
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, str(model.resolve()), str(projector.resolve()), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            env={name: value for name, value in os.environ.items() if not name.startswith("CASTALIA_")} | {_KEY: key},
        )
        assert self._process.stdout
        line = self._process.stdout.readline(10_000)
        try:
            url = str(json.loads(line)["address"])
        except (ValueError, KeyError, TypeError):
            self._complaints.seek(0)
            said = self._complaints.read().decode(errors="replace").strip().splitlines()
            wrong = [each for each in said if "error" in each.lower() or "fail" in each.lower()] or said
            self._end()
            raise EngineError(
                say(
                    "llama.cpp does not load {model} with {projector}: {why}",
                    "llama.cpp 无法加载 {model} 和 {projector}：{why}",
                    model=model,
                    projector=projector,
                    why=wrong[-1][:300] if wrong else f"({self._process.returncode})",
                ),
                hint=say(
                    "vision_projector must be the mmproj file that was made for vision_model.",
                    "vision_projector 必须是与 vision_model 配套的 mmproj 文件。",
                ),
            ) from None
        self.name = model.stem
        self.digest = digest
        self.build = f"xllamacpp {version('xllamacpp')}"
        try:
            self._model = VisionModel(f"{url}/v1", model=self.name, key=key, digest=digest, build=self.build)
        except BaseException:
            self._end()
            raise

    def describe(self, png: bytes, language: Language = "en") -> str:
        """See `VisionModel.describe`."""
        return self._model.describe(png, language)

    def close(self) -> None:
        """End the process."""
        self._model.close()
        self._end()

    def _end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                assert pipe
                pipe.close()
        try:
            self._process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._complaints.close()


def _serve(model: str, projector: str, threads: int) -> int:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # llama.cpp's own words are no answer
    library: Any = import_module("xllamacpp")
    parameters = library.CommonParams()
    parameters.model.path = model
    parameters.mmproj.path = projector
    parameters.n_ctx = _CONTEXT
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = threads
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [os.environ.pop(_KEY)]
    server = library.Server(parameters)
    address = str(server.listening_address)
    out.write(json.dumps({"address": address if address.startswith("http") else f"http://{address}"}) + "\n")
    out.flush()
    sys.stdin.buffer.read()
    os._exit(0)  # the server's threads would be waited for


if __name__ == "__main__":
    sys.exit(_serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
