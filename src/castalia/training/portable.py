# pyright: basic
"""A trained model for other programs: ONNX graphs, its counts, a card of what goes in and out, and a page to read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from castalia.core.errors import UsageError
from castalia.core.files import make_folder, write_atomic
from castalia.core.language import say
from castalia.modalities.music.folder import ModelFolder
from castalia.training.chorales import graphs as chorales
from castalia.training.chorales import network as chorale_network
from castalia.training.onnx_file import OPSET, signature
from castalia.training.tunes import graphs as tunes
from castalia.training.tunes import network as tune_network

LARGEST = 25_000_000
"""Bytes of a file."""
_KINDS: dict[str, tuple[Any, Any]] = {"chorale": (chorale_network, chorales), "tune": (tune_network, tunes)}


def export_model(folder: Path, out: Path) -> Sequence[Path]:
    """Write a trained model as ONNX.

    Args:
        folder: Of the model.
        out: Gets the graphs, `counts.npz`, `card.json` and `README.md`; made where it is not there.

    Returns:
        The files.

    Raises:
        MissingError: `folder` holds no model.
        UsageError: its weights do not fit its card, `out` is the model's own folder, or a file would be larger than
            `LARGEST`.
    """
    model = ModelFolder(folder)
    if out.resolve() == folder.resolve():
        raise UsageError(
            say("{folder} is the model's own folder.", "{folder} 是模型自身的文件夹。", folder=folder),
            hint=say("--out OTHER writes into another one.", "用 --out OTHER 写入其他文件夹。"),
        )
    networks, graphs = _KINDS[model.kind]
    members = [_member(folder, networks, model.card, weights) for weights in model.members()]
    make_folder(out)
    graphs.write_graphs(members, out)
    paths = sorted(out.glob("*.onnx"))
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
    shutil.copyfile(folder / "counts.npz", out / "counts.npz")
    said = {path.name: signature(path) for path in paths}
    for graph in said.values():
        for side in graph.values():
            for name, value in side.items():
                value["meaning"] = graphs.MEANING[name]
    told = {name: value for name, value in model.card.items() if name != "trained_on"}
    card = {**told, "digest": model.digest, "opset": OPSET, "graphs": said}
    write_atomic(out / "card.json", (json.dumps(card, ensure_ascii=False, indent=1) + "\n").encode())
    write_atomic(out / "README.md", _page(card).encode())
    return [*paths, out / "counts.npz", out / "card.json", out / "README.md"]


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


def _page(card: dict[str, Any]) -> str:
    lines = [f"# {card['name']}", ""]
    name, owner, licence = (card["collection"].get(each) or "–" for each in ("name", "owner", "licence"))
    lines += [f"Made of the collection {name} (owner: {owner}; licence: {licence}).", ""]
    lines += ["`card.json` says what each input means; `counts.npz` holds the counts that `chances` and `seen` read."]
    for file, graph in card["graphs"].items():
        lines += ["", f"## {file}", ""]
        for side, values in graph.items():
            shown = (f"`{each}` {said['type']} {tuple(said['shape'])}" for each, said in values.items())
            lines.append(f"- {side}: {', '.join(shown)}")
    return "\n".join(lines).replace("'", "") + "\n"
