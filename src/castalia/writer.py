"""The models that the settings name, opened: the one that writes, the one that draws, the one that sees."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from castalia import engines, models
from castalia.core import config
from castalia.core.errors import MissingError, UsageError
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.ports import LanguageModel, Progress, SecretStore
from castalia.core.values import Language
from castalia.engines.connection import key_for
from castalia.modalities import image, music
from castalia.modalities.image.look import Seen, look
from castalia.modalities.image.size import within

_SHOWN = 768
"""Pixels of the longer side that a vision model is shown."""


class Seer(Protocol):
    """Says in words what a picture shows; what it says is a guess."""

    @property
    def name(self) -> str: ...

    def describe(self, png: bytes, language: Language = "en") -> str:
        """A sentence or two."""
        ...

    def close(self) -> None:
        """Free it."""
        ...


class Workshop:
    """The models in memory: one language model at a time, and what composes, draws and sees.

    Studios that share one don't work at the same time.

    Args:
        fetch: Whether a language model that is not installed may be fetched.
    """

    def __init__(self, *, fetch: bool = True) -> None:
        self._fetch = fetch
        self._asked = ("", 0)
        self._composers: music.Composers | None = None
        self._painters: image.Painters | None = None
        self._seer: Seer | None = None
        self.loaded: LanguageModel | None = None
        self.told: Progress | None = None
        """Hears of pictures while they are drawn."""

    def engine(
        self, settings: config.Config, progress: Progress | None = None, secrets_: SecretStore | None = None
    ) -> LanguageModel:
        """See `open_engine`; another model than the one before takes its place.

        Raises:
            MissingError: it would have to be fetched, and may not be.
        """
        asked = (settings.model, settings.context)
        if self.loaded is None or asked != self._asked:
            self.rest()
            if not self._fetch and not models.here(settings.model):
                raise MissingError(
                    say("No language model is installed.", "未安装语言模型。"), hint="castalia models pull"
                )
            self.loaded, self._asked = open_engine(settings, progress, secrets_), asked
        return self.loaded

    def composers(self, settings: config.Config) -> music.Composers:
        """What writes music."""
        if self._composers is None:
            named = settings.music_model
            self._composers = music.Composers(Path(named) if named else None)
        return self._composers

    def painters(self, chosen: Callable[[], image.Chosen]) -> image.Painters:
        """What makes pictures; see `drawing`."""
        if self._painters is None:
            self._painters = image.Painters(chosen(), progress=self._hear)
        return self._painters

    def vision(self, opened: Callable[[], Seer | None]) -> Seer | None:
        """What says what pictures show; see `open_vision`."""
        if self._seer is None:
            self._seer = opened()
        return self._seer

    def rest(self) -> None:
        """Free the language model."""
        loaded, self.loaded = self.loaded, None
        if loaded:
            with suppress(Exception):
                loaded.close()

    def close(self) -> None:
        """Free all that takes memory, and end what runs beside this process."""
        self.rest()
        beside, self._painters, self._seer = (self._painters, self._seer), None, None
        for each in beside:
            if each is not None:
                with suppress(Exception):
                    each.close()

    def _hear(self, message: str, share: float) -> None:
        if self.told:
            self.told(message, share)


def open_engine(
    settings: config.Config, progress: Progress | None = None, secrets_: SecretStore | None = None
) -> LanguageModel:
    """The engine for the model that the settings or the ladder choose.

    Args:
        settings: The settings.
        progress: Told about a download.
        secrets_: Where keys of endpoints are kept; the environment's goes first.
    """
    chosen = models.choose(settings.model, progress=progress)
    if isinstance(chosen, models.Endpoint):
        key = key_for(chosen.url, "CASTALIA_ENDPOINT_KEY", secrets_)
        return engines.connect(chosen.url, model=chosen.model, key=key, progress=progress)
    from castalia.engines.llama import Llama
    from castalia.engines.trial import trial

    if not chosen.vouched:
        trial(chosen.path, chosen.digest)
    return Llama(
        chosen.path, name=chosen.name, digest=chosen.digest, context=settings.context, threads=settings.threads
    )


def drawing(settings: config.Config, secrets_: Callable[[], SecretStore | None]) -> image.Chosen:
    """The picture model that the settings choose.

    Args:
        settings: The settings.
        secrets_: Opens the place where keys of endpoints are kept; the environment's goes first.
    """
    named = settings.image_model
    remote = named.startswith(("http://", "https://"))
    return image.Chosen(
        named,
        key=key_for(named, "CASTALIA_IMAGE_KEY", secrets_()) if remote else "",
        side=settings.image_size,
        steps=settings.image_steps,
        guidance=settings.image_guidance,
    )


def open_vision(settings: config.Config, secrets_: Callable[[], SecretStore | None]) -> Seer | None:
    """The model that says what pictures show; None where the settings name none.

    Args:
        settings: The settings.
        secrets_: Opens the place where keys of endpoints are kept; the environment's goes first.

    Raises:
        UsageError: what is named is no such model.
        EngineError: it cannot be reached or loaded.
    """
    named = settings.vision_model
    if not named:
        return None
    if named.startswith(("http://", "https://")):
        from castalia.engines.vision import VisionModel

        url, _, model = named.partition("#")
        return VisionModel(url, model=model, key=key_for(url, "CASTALIA_VISION_KEY", secrets_()))
    model, projector = Path(named).expanduser(), Path(settings.vision_projector).expanduser()
    if not model.is_file() or not settings.vision_projector or not projector.is_file():
        raise UsageError(
            say(
                "vision_model = {model!r} with vision_projector = {projector!r} is no model that sees.",
                "vision_model = {model!r} 与 vision_projector = {projector!r} 不是能看图的模型。",
                model=named,
                projector=settings.vision_projector,
            ),
            hint=say(
                "Name a chat endpoint's URL, or a GGUF file and its mmproj file.",
                "请指明对话端点网址，或 GGUF 文件及其 mmproj 文件。",
            ),
        )
    for path, sees in ((model, False), (projector, True)):
        kind = models.inspect(path).architecture
        if (kind == "clip") != sees:
            raise UsageError(
                say(
                    "{path} is a GGUF file of the kind {kind}, not {wanted}.",
                    "{path} 是 {kind} 类 GGUF 文件，不是{wanted}。",
                    path=path,
                    kind=kind,
                    wanted=say("a projector (clip)", "投影器（clip）") if sees else say("a language model", "语言模型"),
                ),
                hint=say(
                    "vision_model is the language model, vision_projector its mmproj file.",
                    "vision_model 为语言模型，vision_projector 为其 mmproj 文件。",
                ),
            )
    from castalia.engines.threads import idle_threads
    from castalia.engines.vision_server import LocalVision

    return LocalVision(model, projector, digest=models.digest(model), threads=settings.threads or idle_threads())


def look_with(seer: Seer | None, picture: Picture, language: Language = "en") -> Seen:
    """What is measured of a picture, and what a vision model guesses that it shows, where there is one."""
    pixels = picture.pixels
    seen = look(pixels)
    if seer is None:
        return seen
    caption = seer.describe(Picture.of(within(pixels, _SHOWN)).png, language)
    return seen.model_copy(update={"caption": caption, "captioned_by": seer.name})
