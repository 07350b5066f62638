"""The language model that writes, opened: which one, and behind which engine."""

from __future__ import annotations

import os

from castalia import engines, models
from castalia.core import config
from castalia.core.ports import LanguageModel, Progress, SecretStore


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
        from castalia.engines.connection import secret_name

        kept = secrets_.get(secret_name(chosen.url)) if secrets_ else None
        key = os.environ.get("CASTALIA_ENDPOINT_KEY") or (kept or b"").decode()
        return engines.connect(chosen.url, model=chosen.model, key=key, progress=progress)
    from castalia.engines.llama import Llama
    from castalia.engines.trial import trial

    if not chosen.vouched:
        trial(chosen.path, chosen.digest)
    return Llama(
        chosen.path, name=chosen.name, digest=chosen.digest, context=settings.context, threads=settings.threads
    )
