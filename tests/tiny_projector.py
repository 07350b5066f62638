"""The smallest projector (`mmproj`) of a vision model that llama.cpp loads, with random weights, as a GGUF file."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

WIDTH, WIDER, PATCH, SIDE = 32, 64, 14, 56


def write_projector(path: Path, *, into: int, kind: str = "clip") -> Path:
    """A vision tower of one block over 4 × 4 patches, whose vectors fit a language model of `into` numbers a token."""
    held: dict[str, tuple[int, ...]] = {
        "v.class_embd": (WIDTH,),
        "v.patch_embd.weight": (WIDTH, 3, PATCH, PATCH),
        "v.position_embd.weight": ((SIDE // PATCH) ** 2 + 1, WIDTH),
        "mm.0.weight": (into, WIDTH),
        "mm.0.bias": (into,),
        "mm.2.weight": (into, into),
        "mm.2.bias": (into,),
    }
    layers = {"attn_q": (WIDTH, WIDTH), "attn_k": (WIDTH, WIDTH), "attn_v": (WIDTH, WIDTH), "attn_out": (WIDTH, WIDTH),
              "ffn_up": (WIDER, WIDTH), "ffn_down": (WIDTH, WIDER), "ln1": (WIDTH,), "ln2": (WIDTH,)}  # fmt: skip
    named = {f"v.blk.0.{name}": shape for name, shape in layers.items()} | {"v.pre_ln": (WIDTH,)}
    for name, shape in named.items():
        held |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    random = np.random.default_rng(0)
    tensors = {name: (random.standard_normal(shape) * 0.1).astype("<f4") for name, shape in held.items()}
    values: dict[str, object] = {
        "general.architecture": kind,
        "clip.has_vision_encoder": True,
        "clip.projector_type": "mlp",
        "clip.use_gelu": True,
        "clip.vision.image_size": SIDE,
        "clip.vision.patch_size": PATCH,
        "clip.vision.embedding_length": WIDTH,
        "clip.vision.feed_forward_length": WIDER,
        "clip.vision.projection_dim": into,
        "clip.vision.block_count": 1,
        "clip.vision.attention.head_count": 2,
        "clip.vision.attention.layer_norm_epsilon": 1e-5,
        "clip.vision.image_mean": [0.5] * 3,
        "clip.vision.image_std": [0.5] * 3,
    }
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(_text(name) + _value(value) for name, value in values.items())
    data = b""
    for name, array in tensors.items():
        sides = array.shape[::-1]
        head += _text(name) + struct.pack(f"<I{len(sides)}QIQ", len(sides), *sides, 0, len(data))
        data += array.tobytes() + bytes(-array.nbytes % 32)
    path.write_bytes(head + bytes(-len(head) % 32) + data)
    return path


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _value(value: object) -> bytes:
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + _text(value)
        case list():
            return struct.pack(f"<IIQ{len(value)}f", 9, 6, len(value), *value)
    raise TypeError(value)
