"""Try a GGUF file that nobody vouches for in a process of its own, once: llama.cpp aborts on some damaged files.

A header can be well formed and still say something (no layers, a norm that is no number) on which llama.cpp ends the
whole process. Here that ends the trial alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from castalia.core.errors import CastaliaError, EngineError, StorageError
from castalia.core.files import folders, write_atomic
from castalia.core.language import say
from castalia.core.ports import Message

_NO_NUMBERS = 5
"""Exit code of a trial whose scores were not numbers."""


def trial(path: Path, digest: str) -> None:
    """Load the file and take one step in a child process; a file that went through is not tried again.

    Args:
        path: The file.
        digest: Its SHA-256.

    Raises:
        EngineError: llama.cpp breaks off on this file, or its scores are no numbers.
    """
    passed = folders().cache / "trials" / digest
    if passed.exists():
        return
    done = subprocess.run(
        [sys.executable, "-m", "castalia.engines.trial", str(path)],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"GGML_NO_BACKTRACE": "1"},
    )
    # An error that llama.cpp reports in good order comes again, with its words, when the file is loaded here.
    if done.returncode in (0, EngineError.exit_code):
        with suppress(StorageError):
            if done.returncode == 0:
                write_atomic(passed, b"")
        return
    why = (
        say("its scores are not numbers", "其分数不是数值")
        if done.returncode == _NO_NUMBERS
        else say("llama.cpp breaks off on it ({code})", "llama.cpp 因它中止（{code}）", code=done.returncode)
    )
    raise EngineError(
        say("{path} is damaged: {why}.", "{path} 已损坏：{why}。", path=path, why=why),
        hint=say("Fetch it again, or choose another model.", "请重新获取该文件，或选择其他模型。"),
    )


def _main(path: Path) -> int:
    import numpy as np

    from castalia.engines.llama import Llama

    try:
        engine = Llama(path, name=path.stem, digest="", context=512, threads=1)
        session = engine.open(engine.tokenize(engine.render([Message("user", "One word.")]), special=True)[-256:])
        return 0 if bool(np.isfinite(session.scores).all()) else _NO_NUMBERS
    except CastaliaError:
        return EngineError.exit_code


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
