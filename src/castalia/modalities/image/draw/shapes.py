"""Which weights a picture model of a size has: `castalia.training.images.network`, without torch."""

from __future__ import annotations

from collections.abc import Mapping

Shape = tuple[int, ...]


def shapes(size: Mapping[str, int], vocabulary: int) -> Mapping[str, Shape]:
    """The shape of each weight by its name: matrices (out, in), kernels (out, in, side, side).

    Args:
        size: Fields of `castalia.training.images.network.Size`.
        vocabulary: Words of the model.
    """
    latent, shallow, deep, width, words = (size[name] for name in ("latent", "shallow", "deep", "width", "words"))
    side, rows = size["side"] // 8, (vocabulary + 1,)
    half, quarter, eighths = shallow // 2, width * 5 // 16, width * 5 // 8
    found: dict[str, Shape] = {"mean": (latent,), "deviation": (latent,)}
    found |= {"generator.table.weight": (*rows, words), "generator.weight.weight": (*rows, 1)}
    found |= {"generator.components": (words, latent * side**2), "generator.spread": (words,)}
    found |= {"generator.places": ((size["side"] // 32) ** 2, width)}
    for name, inside, outside, kernel in (
        ("encoder.enter", 48, shallow, 3),
        ("encoder.down", shallow, deep, 4),
        ("encoder.leave", deep, 2 * latent, 1),
        ("decoder.enter", latent, deep, 3),
        ("decoder.rise", deep, shallow, 3),
        ("decoder.narrow", shallow, half, 1),
        ("decoder.fine", half, half, 3),
        ("decoder.leave", half, 12, 3),
        ("generator.look", latent, width, 4),
        ("generator.rise", width, eighths, 3),
        ("generator.rise_again", eighths, quarter, 3),
        ("generator.leave", quarter, latent, 3),
    ):
        found |= _affine(name, inside, outside, (kernel, kernel))
    for name, channels in (
        ("encoder.shallow", shallow),
        ("encoder.deep", deep),
        *(
            (f"decoder.{name}.{number}", many)
            for name, many in (("deep", deep), ("shallow", shallow))
            for number in (0, 1)
        ),
        ("generator.middle", eighths),
        *((f"generator.fine.{number}", quarter) for number in (0, 1)),
    ):
        for part in ("first", "second"):
            found |= _affine(f"{name}.{part}", channels, channels, (3, 3))
    for number in range(size["blocks"]):
        found |= _block(f"generator.blocks.{number}", width, words)
    return found | {"generator.last.weight": (width,), "generator.last.bias": (width,)}


def _block(name: str, width: int, words: int) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for number in range(3):
        found |= {f"{name}.normal.{number}.weight": (width,), f"{name}.normal.{number}.bias": (width,)}
    for part, given in (("own", width), ("said", words)):
        found |= _affine(f"{name}.{part}.ask", width, width)
        found |= _affine(f"{name}.{part}.read", given, 2 * width)
        found |= _affine(f"{name}.{part}.leave", width, width)
    return found | _affine(f"{name}.enter", width, 3 * width) | _affine(f"{name}.leave", 3 * width, width)


def _affine(name: str, inside: int, outside: int, kernel: Shape = ()) -> dict[str, Shape]:
    return {f"{name}.weight": (outside, inside, *kernel), f"{name}.bias": (outside,)}
