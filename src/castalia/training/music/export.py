# pyright: basic
"""Write a trained chorale model: weights, counts and card for the studio, and ONNX graphs for other programs."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from castalia.modalities.music.voices.experts import EXPERTS, MOVES
from castalia.modalities.music.voices.grid import VOICES
from castalia.modalities.music.voices.sonority import Sonorities
from castalia.training.music.batches import Pieces
from castalia.training.music.network import Network

if TYPE_CHECKING:
    import onnx

_LARGE = 1024
"""Numbers from which a weight is stored in half precision."""


class Ahead(nn.Module):
    """All members' encoders: given notes (batch, frames, voices) → (members, batch, frames, 2 · ahead)."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.each = nn.ModuleList(member.encoder for member in members)

    def forward(self, given: Tensor) -> Tensor:
        return torch.stack([encoder(given) for encoder in self.each])


class Step(nn.Module):
    """All members' trunks, one frame on."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.each = nn.ModuleList(member.trunk for member in members)

    def forward(
        self,
        previous: Tensor,
        reference: Tensor,
        held: Tensor,
        place: Tensor,
        since: Tensor,
        ahead: Tensor,
        state: Tensor,
    ) -> tuple[Tensor, Tensor]:
        hidden: list[Tensor] = []
        states: list[Tensor] = []
        for number, trunk in enumerate(self.each):
            past = [each[:, None] for each in (previous, reference, held, place, since, ahead[number])]
            one, new = trunk(*past, state[number])
            hidden.append(one[:, 0])
            states.append(new)
        return torch.stack(hidden), torch.stack(states)


class Scores(nn.Module):
    """Logarithm of the members' mean chance of each symbol (batch, voices, symbols)."""

    def __init__(self, members: Sequence[Network]) -> None:
        super().__init__()
        self.each = nn.ModuleList(member.heads for member in members)

    def forward(
        self,
        hidden: Tensor,
        chosen: Tensor,
        previous: Tensor,
        reference: Tensor,
        held: Tensor,
        chances: Tensor,
        seen: Tensor,
        ahead: Tensor,
    ) -> Tensor:
        past = [each[:, None] for each in (chosen, previous, reference, held)]
        said: list[Tensor] = []
        for number, heads in enumerate(self.each):
            state, known = hidden[number][:, None], ahead[number][:, None]
            voices = [
                head(state, *past, chances[:, None, voice], seen[:, None, voice], known)[:, 0]
                for voice, head in enumerate(list(heads.children()))
            ]
            said.append(torch.stack(voices, 1).log_softmax(-1))
        return torch.stack(said).logsumexp(0) - float(np.log(len(self.each)))


def export(members: Sequence[Network], pieces: Pieces, folder: Path, card: Mapping[str, Any]) -> None:
    """Write `weights.safetensors` (half precision), `counts.npz` and `card.json` into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    flat = {
        f"{number}.{name}": values.half().contiguous()
        for number, member in enumerate(members)
        for name, values in member.state_dict().items()
    }
    save_file(flat, folder / "weights.safetensors")
    arrays: dict[str, Any] = pieces.experts.arrays() | {"chords": Sonorities.of(pieces.frames[: pieces.train]).counts}
    np.savez_compressed(folder / "counts.npz", **arrays)
    text = json.dumps({**card, "members": len(members)}, ensure_ascii=False, indent=1)
    (folder / "card.json").write_text(text + "\n", encoding="utf-8")


def export_onnx(members: Sequence[Network], folder: Path) -> None:
    """Write `encoder.onnx`, `step.onnx` and `scores.onnx`, large weights in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    size, many = members[0].size, len(members)
    for member in members:
        member.eval()
    pair, triple = 2, 3  # sizes of the examples; both axes are free in the graphs
    past = [torch.zeros((pair, VOICES), dtype=torch.long) for _ in range(triple)]
    ahead = torch.zeros((many, pair, 2 * size.ahead))
    one = torch.zeros(pair, dtype=torch.long)
    _write(
        Ahead(members),
        (torch.zeros((pair, triple, VOICES), dtype=torch.long),),
        ("given",),
        ("ahead",),
        folder / "encoder.onnx",
        {"given": {0: "batch", 1: "frames"}, "ahead": {1: "batch", 2: "frames"}},
    )
    _write(
        Step(members),
        (*past, one, one, ahead, torch.zeros((many, 2, pair, size.width))),
        ("previous", "reference", "held", "place", "since", "ahead", "state"),
        ("hidden", "next"),
        folder / "step.onnx",
        {
            **{name: {0: "batch"} for name in ("previous", "reference", "held", "place", "since")},
            "ahead": {1: "batch"},
            "state": {2: "batch"},
            "hidden": {1: "batch"},
            "next": {2: "batch"},
        },
    )
    _write(
        Scores(members),
        (
            torch.zeros((many, pair, size.width)),
            past[0],
            *past,
            torch.zeros((pair, VOICES, EXPERTS, MOVES)),
            torch.zeros((pair, VOICES, EXPERTS)),
            ahead,
        ),
        ("hidden", "chosen", "previous", "reference", "held", "chances", "seen", "ahead"),
        ("scores",),
        folder / "scores.onnx",
        {
            **{name: {0: "batch"} for name in ("chosen", "previous", "reference", "held", "chances", "seen", "scores")},
            "hidden": {1: "batch"},
            "ahead": {1: "batch"},
        },
    )


def _write(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    path: Path,
    axes: Mapping[str, Mapping[int, str]],
) -> None:
    import onnx

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that names axes warns that another one is newer
        torch.onnx.export(
            module.eval(),
            example,
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=dict(axes),
            dynamo=False,
            opset_version=17,
        )
    onnx.save(halved(onnx.load(path)), path)


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with its large weights in half precision, made single again when it is loaded."""
    from onnx import TensorProto, helper, numpy_helper

    graph = model.graph
    for weight in [each for each in graph.initializer if each.data_type == TensorProto.FLOAT]:
        values = numpy_helper.to_array(weight)
        if values.size < _LARGE:
            continue
        short = numpy_helper.from_array(values.astype(np.float16), f"{weight.name}.half")
        graph.initializer.remove(weight)
        graph.initializer.append(short)
        graph.node.insert(0, helper.make_node("Cast", [short.name], [weight.name], to=TensorProto.FLOAT))
    return model
