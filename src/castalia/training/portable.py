# pyright: basic
"""A trained model for other programs: ONNX graphs, what they need, a card of what goes in and out, a page to read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from castalia.core.errors import UsageError
from castalia.core.files import make_folder, write_atomic
from castalia.core.language import say
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.music.folder import ModelFolder
from castalia.training.chorales import graphs as chorales
from castalia.training.chorales import network as chorale_network
from castalia.training.images.graphs import MEANING, PictureGraphs
from castalia.training.onnx_file import OPSET, signature
from castalia.training.started import Log
from castalia.training.tunes import graphs as tunes
from castalia.training.tunes import network as tune_network

LARGEST = 25_000_000
"""Bytes of a file."""
_KINDS: dict[str, tuple[Any, Any]] = {"chorale": (chorale_network, chorales), "tune": (tune_network, tunes)}


@dataclass(frozen=True)
class _Portable:
    """A model of some kind.

    Attributes:
        model: Has its card and digest.
        write: Writes its graphs into a folder.
        meaning: Of their inputs and outputs.
        beside: Files of the model that its graphs need beside them.
        parity: Tells how far graphs in a folder are from other engines, where that is looked at.
    """

    model: ModelFolder | DrawingModel
    write: Callable[[Path], None]
    meaning: Mapping[str, str]
    beside: Sequence[str]
    parity: Callable[[Path], Mapping[str, Mapping[str, float]]] = lambda _: {}


_BESIDE = {
    "counts.npz": "`counts.npz` holds the counts that `chances` and `seen` read.",
    "words.json": "`words.json` holds the words, and in which other forms they are known.",
}


def export_model(folder: Path, out: Path, *, log: Log = lambda _: None) -> Sequence[Path]:
    """Write a trained model as ONNX.

    Args:
        folder: Of the model.
        out: Gets the graphs, `card.json`, `README.md` and what the graphs need: of music `counts.npz`, of pictures
            `words.json`, and `fp16.safetensors`; made where it is not there.
        log: Told how far a picture model's graphs are from torch and from the studio's own engine.

    Returns:
        The files.

    Raises:
        MissingError: `folder` holds no model.
        UsageError: its weights do not fit its card, `out` is the model's own folder, or a file would be larger than
            `LARGEST`.
    """
    portable = _pictures(folder) if _is_of_pictures(folder) else _music(folder)
    if out.resolve() == folder.resolve():
        raise UsageError(
            say("{folder} is the model's own folder.", "{folder} 是模型自身的文件夹。", folder=folder),
            hint=say("--out OTHER writes into another one.", "用 --out OTHER 写入其他文件夹。"),
        )
    make_folder(out)
    portable.write(out)
    paths = sorted([*out.glob("*.onnx"), *out.glob("*.safetensors")])
    for path in paths:
        if (size := path.stat().st_size) > LARGEST:
            raise UsageError(
                say(
                    "{path} has {size:.1f} MB; at most {most} are written.",
                    "{path} 为 {size:.1f} MB；最多 {most} MB。",
                    path=path,
                    size=size / 1e6,
                    most=LARGEST // 1_000_000,
                ),
                hint=say("Train a smaller preset.", "请训练较小的预设。"),
            )
    for name in portable.beside:
        shutil.copyfile(folder / name, out / name)
    said = {path.name: signature(path) for path in paths if path.suffix == ".onnx"}
    for graph in said.values():
        for side in graph.values():
            for name, value in side.items():
                value["meaning"] = portable.meaning[name]
    parity = portable.parity(out)
    for engine, far in parity.items():
        log({"parity": engine, **{name: float(f"{value:.2g}") for name, value in far.items()}})
    told = {name: value for name, value in portable.model.card.items() if name not in ("trained_on", "directions")}
    card = {**told, "digest": portable.model.digest, "opset": OPSET, "graphs": said}
    card |= {"parity": parity} if parity else {}
    write_atomic(out / "card.json", (json.dumps(card, ensure_ascii=False, indent=1) + "\n").encode())
    write_atomic(out / "README.md", _page(card, portable.beside).encode())
    return [*paths, *(out / name for name in (*portable.beside, "card.json", "README.md"))]


def _is_of_pictures(folder: Path) -> bool:
    try:
        return json.loads((folder / "card.json").read_text(encoding="utf-8"))["kind"] == "picture"
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _pictures(folder: Path) -> _Portable:
    graphs = PictureGraphs(folder)
    return _Portable(graphs.model, graphs.write, MEANING, ("words.json",), graphs.parity)


def _music(folder: Path) -> _Portable:
    model = ModelFolder(folder)
    networks, graphs = _KINDS[model.kind]
    members = [_member(folder, networks, model.card, weights) for weights in model.members()]
    return _Portable(model, lambda out: graphs.write_graphs(members, out), graphs.MEANING, ("counts.npz",))


def _member(folder: Path, networks: Any, card: Any, weights: dict[str, Any]) -> torch.nn.Module:  # noqa: ANN401
    try:
        network = networks.Network(networks.Size(**card["recipe"]["size"]))
        network.load_state_dict({name: torch.from_numpy(each.astype(np.float32)) for name, each in weights.items()})
    except (KeyError, TypeError, RuntimeError) as error:
        raise UsageError(
            say("The weights of {folder} do not fit its card.", "{folder} 的权重与其卡片不符。", folder=folder),
            hint=str(error).splitlines()[0][:200],
        ) from error
    return network


def _page(card: dict[str, Any], beside: Sequence[str]) -> str:
    lines = [f"# {card['name']}", ""]
    name, owner, licence = (card["collection"].get(each) or "–" for each in ("name", "owner", "licence"))
    lines += [f"Made of the collection {name} (owner: {owner}; licence: {licence}).", ""]
    lines += ["`card.json` says what each input means.", *(_BESIDE[name] for name in beside)]
    for file, graph in card["graphs"].items():
        lines += ["", f"## {file}", ""]
        for side, values in graph.items():
            shown = (f"`{each}` {said['type']} {tuple(said['shape'])}" for each, said in values.items())
            lines.append(f"- {side}: {', '.join(shown)}")
    return "\n".join(lines).replace("'", "") + "\n"
