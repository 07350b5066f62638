# pyright: basic
"""A trained picture model as ONNX graphs, with how far they are from torch and from the studio's own engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file
from safetensors.torch import save_file
from torch import Tensor, nn

from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.rounded import restored
from castalia.modalities.image.draw.model import DrawingModel
from castalia.modalities.image.draw.network import Network
from castalia.training.images.network import Decoder, Encoder, Generator, Size
from castalia.training.onnx_file import write

MEANING = {
    "words": "numbers of words, the first of words.json is 1; filled up with 0, never only 0",
    "code": "what words mean roughly, as a sum of the generator's components; of `words.onnx`, or moved from there",
    "latents": "of mean 0 and deviation 1 by channel",
    "pixels": "red, green and blue, from -1 to 1; what lies outside is cut off",
}
"""What goes in and out."""
_SHOWN = 8
"""Pictures that engines are compared on."""


class Meant(nn.Module):
    """Words → code."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, words: Tensor) -> Tensor:
        return self.generator.meant(words)


class Encoded(nn.Module):
    """Pixels → latents."""

    def __init__(self, encoder: Encoder, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.encoder, self.mean, self.deviation = encoder, nn.Buffer(mean), nn.Buffer(deviation)

    def forward(self, pixels: Tensor) -> Tensor:
        return (self.encoder(pixels)[0] - self.mean) / self.deviation


class Decoded(nn.Module):
    """Latents → pixels."""

    def __init__(self, decoder: Decoder, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.decoder, self.mean, self.deviation = decoder, nn.Buffer(mean), nn.Buffer(deviation)

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder(latents * self.deviation + self.mean)


class PictureGraphs:
    """The networks of a trained picture model in torch, with the weights that the studio draws with.

    Args:
        folder: Of the model.

    Attributes:
        words: Words → code.
        generator: Words and code → latents.
        decoder: Latents → pixels.
        encoder: Pixels → latents.

    Raises:
        MissingError: `folder` holds no model.
        UsageError: its weights do not fit its card.
    """

    def __init__(self, folder: Path) -> None:
        self.model = DrawingModel(folder)
        held = restored(load_file(folder / "weights.safetensors"))
        weights = {name: torch.from_numpy(each) for name, each in held.items()}
        try:
            size = Size(**self.model.card["recipe"]["size"])
            networks = {"encoder": Encoder(size), "decoder": Decoder(size)}
            networks["generator"] = Generator(size, len(self.model.vocabulary.words))
            for name, network in networks.items():
                own = {key.removeprefix(f"{name}."): each for key, each in weights.items() if key.startswith(name)}
                network.load_state_dict(own)
            mean, deviation = (weights[name][:, None, None] for name in ("mean", "deviation"))
        except (KeyError, TypeError, RuntimeError) as error:
            raise UsageError(
                say("The weights of {folder} do not fit its card.", "{folder} 的权重与其卡片不符。", folder=folder),
                hint=str(error).splitlines()[0][:200],
            ) from error
        self._weights = weights
        self.words, self.generator = Meant(networks["generator"]).eval(), networks["generator"].eval()
        self.encoder = Encoded(networks["encoder"], mean, deviation).eval()
        self.decoder = Decoded(networks["decoder"], mean, deviation).eval()

    def write(self, folder: Path) -> None:
        """Write `words.onnx`, `generator.onnx`, `decoder.onnx`, `encoder.onnx`, see `MEANING`; `fp16.safetensors`."""
        words = torch.tensor([[1, 2, 0], [1, 0, 0]])
        with torch.no_grad():
            code = self.words(words)
            latents = self.generator(words, code)
            pixels = self.decoder(latents)
        axes = {name: {0: "batch"} for name in MEANING} | {"words": {0: "batch", 1: "longest"}}
        for name, network, given, inputs, output in (
            ("words", self.words, (words,), ("words",), "code"),
            ("generator", self.generator, (words, code), ("words", "code"), "latents"),
            ("decoder", self.decoder, (latents,), ("latents",), "pixels"),
            ("encoder", self.encoder, (pixels,), ("pixels",), "latents"),
        ):
            own = {each: axes[each] for each in (*inputs, output)}
            write(network, given, inputs, (output,), folder / f"{name}.onnx", own)
        save_file({name: each.half().contiguous() for name, each in self._weights.items()}, folder / "fp16.safetensors")

    def parity(self, folder: Path) -> Mapping[str, Mapping[str, float]]:
        """The largest differences of written graphs from `torch` and from the studio's engine, `numpy`.

        Of pictures that were learned, asked for by their names: each goes its whole way through every engine. `code`,
        `latents` and `encoded` as they are, `pixels` in levels of 255.

        Args:
            folder: Where they were written.
        """
        run = _runner(folder)
        asked = [self.model.taught(at) for at in range(min(_SHOWN, self.model.count))]
        found = {engine: {"code": 0.0, "latents": 0.0, "pixels": 0.0, "encoded": 0.0} for engine in ("torch", "numpy")}
        del found["numpy"]["encoded"]  # it encodes whole levels, which are off by half a level
        network = self.model.network
        for words in asked:
            numbers = np.array([[*words]], np.int64)
            made = {"code": run("words", words=numbers)}
            made["latents"] = run("generator", words=numbers, code=made["code"])
            made["pixels"] = run("decoder", latents=made["latents"]).clip(-1, 1)
            made["encoded"] = run("encoder", pixels=made["pixels"])
            for engine, others in (("torch", self._by_torch(numbers)), ("numpy", _by_numpy(network, words))):
                for name, other in others.items():
                    far = float(np.abs(made[name][0] - other).max()) * (127.5 if name == "pixels" else 1)
                    found[engine][name] = max(found[engine][name], far)
        return found

    @torch.no_grad()
    def _by_torch(self, numbers: np.ndarray[Any, Any]) -> Mapping[str, np.ndarray[Any, Any]]:
        words = torch.from_numpy(numbers)
        code = self.words(words)
        latents = self.generator(words, code)
        pixels = self.decoder(latents).clamp(-1, 1)
        made = {"code": code, "latents": latents, "pixels": pixels, "encoded": self.encoder(pixels)}
        return {name: each[0].numpy() for name, each in made.items()}


def _by_numpy(network: Network, words: Any) -> Mapping[str, np.ndarray[Any, Any]]:  # noqa: ANN401
    """Channels first; pixels are whole levels, so that they differ by half a level even where nothing else does."""
    code = network.meant(words)
    latents = network.latents(words, code)
    pixels = network.pixels(latents)
    first = {"latents": latents, "pixels": pixels.astype(np.float32) / 127.5 - 1}
    return {"code": code} | {name: each.transpose(2, 0, 1) for name, each in first.items()}


def _runner(folder: Path) -> Any:  # noqa: ANN401 - of an extra
    """Runs a written graph by name and inputs: by ONNX Runtime where it is installed, else by ONNX's own reference."""
    try:
        from onnxruntime import InferenceSession

        sessions: dict[str, Any] = {
            path.stem: InferenceSession(path, providers=["CPUExecutionProvider"]) for path in folder.glob("*.onnx")
        }
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        sessions = {path.stem: ReferenceEvaluator(str(path)) for path in folder.glob("*.onnx")}
    return lambda name, **given: sessions[name].run(None, given)[0]
