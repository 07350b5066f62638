# pyright: basic
"""What a network that was trained to name photographs sees in pictures: EfficientNet-Lite0, with its weights frozen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from castalia.models import network_files

NETWORK = "features"
"""Its name in the catalogue."""
SEEN = 224
"""Pixels a side that it was trained with."""
_BLOCKS = (
    # kernel, stride, widening, channels that leave, how often: Tan & Le (2019), "EfficientNet", table 1
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
_LEVELS = (0, 2, 4, 10)
"""Blocks whose output `levels` gives, beside the last: an edge, a texture, a part, an object."""


class Features(nn.Module):
    """EfficientNet-Lite0 (Tan & Le 2019; the Lite variant has neither squeeze-and-excitation nor swish)."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = _Same(3, 32, 3, 2), _normal(32)
        blocks: list[nn.Module] = []
        entering = 32
        for kernel, stride, wider, leaving, often in _BLOCKS:
            for number in range(often):
                blocks.append(_Block(entering, leaving, kernel, 1 if number else stride, wider))
                entering = leaving
        self._blocks = nn.ModuleList(blocks)
        self._conv_head, self._bn1, self._fc = nn.Conv2d(320, 1280, 1, bias=False), _normal(1280), nn.Linear(1280, 1000)

    def levels(self, pictures: Tensor) -> list[Tensor]:
        """Maps of features, from fine to coarse (B, channels, height, width), of pictures (B, 3, S, S) in [-1, 1]."""
        x = functional.relu6(self._bn0(self._conv_stem(pictures)))
        found: list[Tensor] = []
        for number, block in enumerate(self._blocks):
            x = block(x)
            if number in _LEVELS:
                found.append(x)
        return [*found, functional.relu6(self._bn1(self._conv_head(x)))]

    def forward(self, pictures: Tensor) -> Tensor:
        """Features (B, 1280): the means over the last map."""
        return self.levels(pictures)[-1].mean((2, 3))

    def classes(self, pictures: Tensor) -> Tensor:
        """Scores of ImageNet's classes (B, 1000)."""
        return self._fc(self(pictures))

    @staticmethod
    def installed() -> Features:
        """The network that was fetched, frozen.

        Raises:
            MissingError: it was not (`castalia models pull features`).
            DigestError: its file is not the promised one.
        """
        network = Features()
        network.load_state_dict(torch.load(network_files(NETWORK)["features.pth"], weights_only=True))
        return network.requires_grad_(requires_grad=False).eval()


def unlikeness(network: Features, made: Tensor, real: Tensor) -> Tensor:
    """How differently pictures (B, 3, S, S) in [-1, 1] are seen, in [0, 4]: the mean over pictures and levels.

    Zhang et al. (2018), "The unreasonable effectiveness of deep features as a perceptual metric", equation 1, with all
    weights 1. Gradients flow into `made` and nowhere else.
    """
    with torch.no_grad():
        wanted = [functional.normalize(each, dim=1) for each in network.levels(real)]
    found = (functional.normalize(each, dim=1) for each in network.levels(made))
    return torch.stack([(a - b).square().sum(1).mean() for a, b in zip(found, wanted, strict=True)]).mean()


class _Same(nn.Conv2d):
    """A convolution with the edges of TensorFlow's "same": what is missing is added below and to the right first."""

    def __init__(self, entering: int, leaving: int, kernel: int, stride: int, groups: int = 1) -> None:
        super().__init__(entering, leaving, kernel, stride, groups=groups, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        edges: list[int] = []
        for side in (x.shape[-1], x.shape[-2]):
            missing = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            edges += [missing // 2, missing - missing // 2]
        return super().forward(functional.pad(x, edges))


def _normal(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3)


class _Block(nn.Module):
    """Sandler et al. (2018), "MobileNetV2", figure 3: widened, looked at channel by channel, narrowed."""

    def __init__(self, entering: int, leaving: int, kernel: int, stride: int, wider: int) -> None:
        super().__init__()
        wide = entering * wider
        self._again, self._widens = stride == 1 and entering == leaving, wider > 1
        if self._widens:
            self._expand_conv, self._bn0 = nn.Conv2d(entering, wide, 1, bias=False), _normal(wide)
        self._depthwise_conv, self._bn1 = _Same(wide, wide, kernel, stride, groups=wide), _normal(wide)
        self._project_conv, self._bn2 = nn.Conv2d(wide, leaving, 1, bias=False), _normal(leaving)

    def forward(self, x: Tensor) -> Tensor:
        wide = functional.relu6(self._bn0(self._expand_conv(x))) if self._widens else x
        seen = self._bn2(self._project_conv(functional.relu6(self._bn1(self._depthwise_conv(wide)))))
        return x + seen if self._again else seen


@torch.no_grad()
def features_of(
    network: Features, pictures: Sequence[NDArray[np.uint8]], *, side: int = SEEN, at_once: int = 32
) -> NDArray[np.float32]:
    """Features (pictures, 1280) of pictures (height, width, 3), each resized to a square by straight lines."""
    found: list[Tensor] = []
    for at in range(0, len(pictures), at_once):
        some = [torch.from_numpy(np.ascontiguousarray(each[..., :3])) for each in pictures[at : at + at_once]]
        sized = [
            functional.interpolate(each.permute(2, 0, 1)[None].float(), (side, side), mode="bilinear", antialias=True)
            for each in some
        ]
        found.append(network(torch.cat(sized) / 127.5 - 1))
    return torch.cat(found).numpy()
