"""What `verify` says of a file: one line a layer, and whether anything is wrong."""

from __future__ import annotations

from typing import Literal

from castalia.core.language import say
from castalia.core.values import Record, Value

State = Literal["present", "absent", "valid", "trusted", "broken", "can't tell"]
LayerName = Literal["label", "implicit", "source", "c2pa", "watermark", "record", "library"]
LAYERS: tuple[LayerName, ...] = ("label", "implicit", "source", "c2pa", "watermark", "record", "library")


class Layer(Value):
    """One kind of mark."""

    name: LayerName
    state: State
    detail: str
    """What was found, or why nothing was, in the interface language."""


class Report(Value):
    """All layers of one file."""

    file: str
    """Name as given; `-` for standard input."""
    format: str
    """Extension of the format that it was read as; `binary` for none that we know."""
    layers: tuple[Layer, ...]
    record: Record | None = None
    """The record found: the signed one where the signature holds, else the file's own, else the library's."""
    work: str | None = None
    """Id of the work in the library."""

    def layer(self, name: LayerName) -> Layer:
        """One layer by name."""
        return next(layer for layer in self.layers if layer.name == name)

    @property
    def found(self) -> bool:
        """Whether any layer says that the file is a generated work."""
        # A signature alone says who, not what: cameras sign too.
        return any(layer.state in ("present", "valid", "trusted") for layer in self.layers if layer.name != "c2pa")

    @property
    def broken(self) -> bool:
        """Whether any layer contradicts the file or itself."""
        return any(layer.state == "broken" for layer in self.layers)

    @property
    def ok(self) -> bool:
        """Marks are found and none is broken: exit code 0, else 1."""
        return self.found and not self.broken

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.broken:
            names = ", ".join(layer.name for layer in self.layers if layer.state == "broken")
            return say(
                "Something is wrong with the marks ({names}): see above.", "标识有问题（{names}）：见上。", names=names
            )
        signature = self.layer("c2pa").state
        if not self.found and signature in ("valid", "trusted"):
            return say("Signed, but nothing says that a model made it.", "有签名，但没有任何标识表明由模型生成。")
        if not self.found:
            return say(
                "No mark was found. That does not prove that a person wrote it.",
                "未发现任何标识；这并不能证明它由人撰写。",
            )
        if signature == "trusted":
            return say("Generated; signed by a trusted studio.", "人工智能生成；由受信任的工作室签名。")
        if signature == "valid":
            return say(
                "Marked as generated; the signature is valid but its signer is not trusted here.",
                "标识为人工智能生成；签名有效，但签名者在此不受信任。",
            )
        return self._unsigned()

    def _unsigned(self) -> str:
        present = {layer.name for layer in self.layers if layer.state == "present"}
        if present == {"library"}:
            return say("A work of this library; the file itself carries no mark.", "本作品库的作品；文件自身没有标识。")
        if present == {"watermark"}:
            return say(
                "It carries a watermark ({what}); there is no other mark.",
                "带有水印（{what}）；没有其他标识。",
                what=self.layer("watermark").detail,
            )
        return say("Marked as generated; not signed.", "标识为人工智能生成；没有签名。")
