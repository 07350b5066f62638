# pyright: basic
"""A module as an ONNX file: its axes named, its large weights in half precision."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    import onnx

OPSET = 17
_LARGE = 1024
"""Numbers from which a weight is stored in half precision."""


def write(
    module: nn.Module,
    example: tuple[Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
    path: Path,
    axes: Mapping[str, Mapping[int, str]],
) -> None:
    """Write a module.

    Args:
        module: What is written, as it works without dropout.
        example: One value of each input.
        inputs: Their names.
        outputs: Names of what it says.
        path: Of the file.
        axes: By name of an input or output, its axes of any size, with names for them.
    """
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
            opset_version=OPSET,
        )
    model = halved(onnx.load(path))
    with torch.no_grad():
        said = module(*example)
    # the exporter does not always know the sizes of what comes out
    for value, tensor in zip(model.graph.output, said if isinstance(said, tuple) else (said,), strict=True):
        for axis, size in enumerate(tensor.shape):
            if axis not in axes.get(value.name, {}):
                value.type.tensor_type.shape.dim[axis].dim_value = size
    onnx.save(model, path)


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


def signature(path: Path) -> Mapping[str, Any]:
    """Inputs and outputs of a graph: by name, type and shape, where a name stands for any size."""
    import onnx
    from onnx import helper

    graph = onnx.load(path).graph
    said: dict[str, Any] = {}
    for side, values in (("inputs", graph.input), ("outputs", graph.output)):
        said[side] = {}
        for value in values:
            tensor = value.type.tensor_type
            shape = [axis.dim_param or axis.dim_value for axis in tensor.shape.dim]
            said[side][value.name] = {"type": str(helper.tensor_dtype_to_np_dtype(tensor.elem_type)), "shape": shape}
    return said
