"""llama.cpp's C interface, as far as the studio needs it, bound with ctypes to the library in the xllamacpp wheel.

Why not xllamacpp's own Python interface: it hands out at most the top N scores, as JSON, token by token; the C
interface gives the address of all of them (docs/decisions.md has the figures). Structure layouts follow llama.cpp's
`include/llama.h`; `open_library` compares the default parameters with what that header promises, so that another
build is refused instead of misread.
"""

from __future__ import annotations

import ctypes as c
import importlib.util
import os
from collections import deque
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from castalia.core.errors import EngineError, MissingError
from castalia.core.language import say

POINTER = c.c_void_p
TOKEN = c.c_int32


class ModelParameters(c.Structure):
    """`llama_model_params`."""

    _fields_ = (
        *((name, POINTER) for name in ("devices", "tensor_overrides")),
        *((name, c.c_int32) for name in ("gpu_layers", "split_mode", "load_mode", "lazy_mode", "main_gpu")),
        *((name, POINTER) for name in ("tensor_split", "progress", "progress_data", "metadata_overrides")),
        *(
            (name, c.c_bool)
            for name in ("vocab_only", "check_tensors", "use_extra_buffers", "no_host", "no_alloc", "load_mtp")
        ),
    )


class ContextParameters(c.Structure):
    """`llama_context_params`."""

    _fields_ = (
        *(
            (name, c.c_uint32)
            for name in ("n_ctx", "n_batch", "n_ubatch", "n_seq_max", "n_rs_seq", "outputs_max", "outputs_max_per_seq")
        ),
        *(
            (name, c.c_int32)
            for name in ("threads", "threads_batch", "context_type", "rope_scaling", "pooling", "attention", "flash")
        ),
        *((name, c.c_float) for name in ("rope_base", "rope_scale", "yarn_ext", "yarn_attn", "yarn_fast", "yarn_slow")),
        ("yarn_original_context", c.c_uint32),
        ("defragment", c.c_float),
        *((name, POINTER) for name in ("evaluated", "evaluated_data")),
        *((name, c.c_int32) for name in ("type_k", "type_v")),
        # Eight bytes more than in the headers published so far, always zero; their use is unknown to us.
        *((name, POINTER) for name in ("abort", "abort_data", "unnamed")),
        *(
            (name, c.c_bool)
            for name in ("embeddings", "offload_kqv", "no_perf", "offload_ops", "swa_full", "kv_unified")
        ),
        ("samplers", POINTER),
        ("sampler_count", c.c_size_t),
        ("other_context", POINTER),
    )


class Batch(c.Structure):
    """`llama_batch`."""

    _fields_ = (
        ("n_tokens", c.c_int32),
        *((name, POINTER) for name in ("token", "embd", "pos", "n_seq_id", "seq_id", "logits")),
    )


class ChainParameters(c.Structure):
    """`llama_sampler_chain_params`."""

    _fields_ = (("no_perf", c.c_bool),)


_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "llama_backend_init": (None, ()),
    "llama_model_default_params": (ModelParameters, ()),
    "llama_context_default_params": (ContextParameters, ()),
    "llama_sampler_chain_default_params": (ChainParameters, ()),
    "llama_model_load_from_file": (POINTER, (c.c_char_p, ModelParameters)),
    "llama_model_free": (None, (POINTER,)),
    "llama_model_get_vocab": (POINTER, (POINTER,)),
    "llama_model_n_ctx_train": (c.c_int32, (POINTER,)),
    "llama_model_n_embd": (c.c_int32, (POINTER,)),
    "llama_model_meta_val_str": (c.c_int32, (POINTER, c.c_char_p, c.c_char_p, c.c_size_t)),
    "llama_init_from_model": (POINTER, (POINTER, ContextParameters)),
    "llama_free": (None, (POINTER,)),
    "llama_n_ctx": (c.c_uint32, (POINTER,)),
    "llama_set_n_threads": (None, (POINTER, c.c_int32, c.c_int32)),
    "llama_get_memory": (POINTER, (POINTER,)),
    "llama_memory_clear": (None, (POINTER, c.c_bool)),
    "llama_memory_seq_rm": (c.c_bool, (POINTER, c.c_int32, c.c_int32, c.c_int32)),
    "llama_memory_seq_cp": (None, (POINTER, c.c_int32, c.c_int32, c.c_int32, c.c_int32)),
    "llama_decode": (c.c_int32, (POINTER, Batch)),
    "llama_get_logits_ith": (POINTER, (POINTER, c.c_int32)),
    "llama_get_embeddings_seq": (POINTER, (POINTER, c.c_int32)),
    "llama_vocab_n_tokens": (c.c_int32, (POINTER,)),
    "llama_vocab_is_eog": (c.c_bool, (POINTER, TOKEN)),
    "llama_vocab_is_control": (c.c_bool, (POINTER, TOKEN)),
    "llama_vocab_get_add_bos": (c.c_bool, (POINTER,)),
    "llama_vocab_bos": (TOKEN, (POINTER,)),
    "llama_vocab_eos": (TOKEN, (POINTER,)),
    "llama_tokenize": (c.c_int32, (POINTER, c.c_char_p, c.c_int32, POINTER, c.c_int32, c.c_bool, c.c_bool)),
    "llama_token_to_piece": (c.c_int32, (POINTER, TOKEN, c.c_char_p, c.c_int32, c.c_int32, c.c_bool)),
    "llama_sampler_chain_init": (POINTER, (ChainParameters,)),
    "llama_sampler_chain_add": (None, (POINTER, POINTER)),
    "llama_sampler_init_top_k": (POINTER, (c.c_int32,)),
    "llama_sampler_init_top_p": (POINTER, (c.c_float, c.c_size_t)),
    "llama_sampler_init_min_p": (POINTER, (c.c_float, c.c_size_t)),
    "llama_sampler_init_temp": (POINTER, (c.c_float,)),
    "llama_sampler_init_dist": (POINTER, (c.c_uint32,)),
    "llama_sampler_init_greedy": (POINTER, ()),
    "llama_sampler_sample": (TOKEN, (POINTER, POINTER, c.c_int32)),
    "llama_sampler_free": (None, (POINTER,)),
}

_LOG_CALLBACK = c.CFUNCTYPE(None, c.c_int32, c.c_char_p, POINTER)
_ERROR_LEVEL = 4

complaints: deque[str] = deque(maxlen=6)
"""llama.cpp's last error lines, so that an `EngineError` can say why."""


@cache
def open_library() -> Any:  # noqa: ANN401 - a ctypes library has no static type
    """Load the library once and declare its functions.

    Raises:
        MissingError: xllamacpp is not installed, or a system library that it needs (OpenMP's) is missing.
        EngineError: the installed build has another interface than the one bound here.
    """
    path = _library_path()
    # Threads that wait for the next layer look some microseconds for it before they sleep: by default they look for
    # milliseconds, against each other on a busy machine; not at all, and each layer waits for a processor to wake.
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "500")
    try:
        library = c.CDLL(str(path))
    except OSError as error:
        raise MissingError(
            say("llama.cpp could not be loaded: {why}.", "无法加载 llama.cpp：{why}。", why=error),
            hint=say(
                "On Debian or Ubuntu: apt-get install libgomp1.", "在 Debian 或 Ubuntu 上：apt-get install libgomp1。"
            ),
        ) from error
    try:
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
        _check_layout(library)
        library.llama_log_set.argtypes = (_LOG_CALLBACK, POINTER)
        library.llama_log_set.restype = None
    except (AttributeError, ValueError) as error:
        raise EngineError(
            say(
                "This build of xllamacpp ({build}) has another C interface than expected: {why}.",
                "此版本的 xllamacpp（{build}）的 C 接口与预期不符：{why}。",
                build=build(),
                why=error,
            ),
            hint="pip install xllamacpp==2026.10.11549",
        ) from error
    library.llama_log_set(_listener, None)
    library.llama_backend_init()
    return library


def build() -> str:
    """Engine and version, e.g. `xllamacpp 2026.10.11549`."""
    try:
        return f"xllamacpp {version('xllamacpp')}"
    except PackageNotFoundError:
        return "xllamacpp (not installed)"


def _library_path() -> Path:
    spec = importlib.util.find_spec("xllamacpp")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for pattern in ("xllamacpp*.so", "xllamacpp*.pyd"):
            if found := sorted(Path(folder).glob(pattern)):
                return found[0]
    raise MissingError(
        say("The engine xllamacpp is not installed.", "未安装引擎 xllamacpp。"),
        hint="pip install xllamacpp==2026.10.11549",
    )


def _check_layout(library: Any) -> None:  # noqa: ANN401
    """Compare default parameters with those of the header that the structures above were written from."""
    context, model = library.llama_context_default_params(), library.llama_model_default_params()
    found = (
        *(context.n_ctx, context.n_batch, context.n_ubatch, context.n_seq_max, context.rope_scaling, context.flash),
        *(context.yarn_ext, context.yarn_slow, context.defragment, context.type_k, context.type_v),
        *(context.embeddings, context.offload_kqv, context.no_perf, context.sampler_count),
        *(model.gpu_layers, model.split_mode, model.load_mode, model.vocab_only, model.use_extra_buffers),
    )
    wanted = (512, 2048, 512, 1, -1, -1, -1.0, -1.0, -1.0, 1, 1, False, True, True, 0, -1, 1, -1, False, True)
    if found != wanted:
        raise ValueError(f"default parameters {found}")


@_LOG_CALLBACK
def _listener(level: int, text: bytes | None, _data: object) -> None:
    if level == _ERROR_LEVEL and text:
        complaints.append(text.decode(errors="replace").strip())
