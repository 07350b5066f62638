"""The models that the settings name: the one that writes, opened, and the one that draws."""

from __future__ import annotations

from collections.abc import Callable

from castalia import engines, models
from castalia.core import config
from castalia.core.ports import LanguageModel, Progress, SecretStore
from castalia.engines.connection import key_for
from castalia.modalities import image


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


def drawing(settings: config.Config, secrets_: Callable[[], SecretStore]) -> image.Chosen:
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
