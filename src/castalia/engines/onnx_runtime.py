"""ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal

from castalia.core.errors import MissingError
from castalia.core.language import say


def session(graph: bytes, *, extra: Literal["hear", "pictures"]) -> Any:  # noqa: ANN401 - onnxruntime has no types
    """A graph, ready to run on one thread: the same sums in the same order everywhere.

    Args:
        graph: The file's bytes.
        extra: Of this package, that has the runtime.

    Raises:
        MissingError: the runtime is not installed; the hint has the command.
    """
    try:
        runtime: Any = import_module("onnxruntime")
    except ImportError as error:
        raise MissingError(
            say("This needs onnxruntime, which is not installed.", "此功能需要 onnxruntime，尚未安装。"),
            hint=f"pip install 'castalia[{extra}]'",
        ) from error
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False  # a large picture's memory is given back
    return runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
