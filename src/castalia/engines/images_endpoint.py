"""An OpenAI-compatible images endpoint: words, or a picture and words, go there, and a picture comes back.

What `images/generations` and `images/edits` take differs from server to server: OpenAI's own `gpt-image` models refuse
a seed and `response_format`, others want both. So both are sent, and what a server names as unknown is left out from
then on.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from castalia.core.errors import EngineError, UsageError
from castalia.core.language import say
from castalia.engines.connection import Connection, file_name

_SIDE = 1024
"""Pixels a side that are asked for where nobody said: what every model at such an endpoint draws."""
_PATIENCE = 900.0
"""Seconds; a server without a graphics card draws for minutes."""
_OPTIONAL = ("response_format", "seed", "strength")
"""What some servers do not know."""


class ImagesEndpoint:
    """A picture engine behind HTTP; see `modalities.image.pipeline.PictureEngine`.

    Args:
        url: Base URL, mostly ending in `/v1`.
        model: The server's name for the model; empty takes the only one that it lists.
        key: API key; empty sends none.
        side: Pixels a side to ask for; 0 takes 1024.
        transport: An httpx transport, for tests and proxies.

    Raises:
        UsageError: the URL is not HTTP(S), a key would travel unencrypted, or the server lists several models.
        EngineError: the server cannot be reached, or lists no model.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str = "",
        key: str = "",
        side: int = 0,
        transport: Any = None,  # noqa: ANN401
    ) -> None:
        self._connection = Connection(url, key=key, transport=transport)
        self._url = url
        self._model = model or self._only_model()
        self._refused: set[str] = set()
        self.name = file_name(self._model)
        self.digest = f"{self._connection.address}#{self.name}"
        self.build = f"OpenAI-compatible endpoint at {self._connection.host}"
        self.side = side or _SIDE

    def draw(self, words: str, *, seed: int, side: int) -> bytes:
        """See `PictureEngine.draw`."""
        return self._asked("images/generations", self._body(words, seed) | {"size": f"{side}x{side}"})

    def redraw(self, words: str, png: bytes, *, strength: float, seed: int) -> bytes:
        """See `PictureEngine.redraw`; a server that knows no strength goes as far as it likes."""
        return self._asked("images/edits", self._body(words, seed) | {"strength": strength}, png)

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _body(self, words: str, seed: int) -> dict[str, Any]:
        return {"model": self._model, "prompt": words, "n": 1, "response_format": "b64_json", "seed": seed}

    def _asked(self, path: str, body: dict[str, Any], png: bytes | None = None) -> bytes:
        files = {"image": ("picture.png", png, "image/png")} if png is not None else None
        while True:
            sent = {name: value for name, value in body.items() if name not in self._refused}
            try:
                return self._picture(self._connection.ask("POST", path, sent, files=files, patience=_PATIENCE))
            except EngineError as error:
                unknown = [] if error.retryable else [each for each in _OPTIONAL if each in sent and each in str(error)]
                if not unknown:
                    raise
                self._refused.update(unknown)

    def _picture(self, answer: Any) -> bytes:  # noqa: ANN401 - JSON
        try:
            first = answer["data"][0]
            return base64.b64decode(first["b64_json"], validate=True)
        except (KeyError, IndexError, TypeError, binascii.Error, ValueError):
            raise EngineError(
                say(
                    "{url} answered without a picture (data[0].b64_json).",
                    "{url} 的返回中没有图片（data[0].b64_json）。",
                    url=self._url,
                ),
                hint=say(
                    "A link instead of a picture is not followed; choose a model that sends pictures.",
                    "返回的链接不会被打开；请选择直接返回图片的模型。",
                ),
            ) from None

    def _only_model(self) -> str:
        names = self._connection.models("image_model =")
        if len(names) == 1:
            return names[0]
        raise UsageError(
            say("{url} has several models.", "{url} 有多个模型。", url=self._url),
            hint=say(
                "Name the one that draws: image_model = {url}#NAME, one of {names}.",
                "请指明绘画模型：image_model = {url}#名称，可选：{names}。",
                url=self._url,
                names=", ".join(names[:12]),
            ),
        )
