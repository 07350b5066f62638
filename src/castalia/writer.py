"""The language model that writes, opened: which one, and behind which engine."""

from __future__ import annotations

import os
from contextlib import suppress

from castalia import engines, models
from castalia.core import config
from castalia.core.errors import MissingError
from castalia.core.language import say
from castalia.core.ports import LanguageModel, Progress, SecretStore


class Writer:
    """The language model in memory: one at a time, whichever studio asks for it.

    Args:
        fetch: Whether a model that is not installed may be fetched.
    """

    def __init__(self, *, fetch: bool = True) -> None:
        self._fetch = fetch
        self._asked = ("", 0)
        self.loaded: LanguageModel | None = None

    def engine(
        self, settings: config.Config, progress: Progress | None = None, secrets_: SecretStore | None = None
    ) -> LanguageModel:
        """See `open_engine`; another model than the one before takes its place.

        Raises:
            MissingError: it would have to be fetched, and may not be.
        """
        asked = (settings.model, settings.context)
        if self.loaded is None or asked != self._asked:
            self.close()
            if not self._fetch and not models.here(settings.model):
                raise MissingError(
                    say("No language model is installed.", "未安装语言模型。"), hint="castalia models pull"
                )
            self.loaded, self._asked = open_engine(settings, progress, secrets_), asked
        return self.loaded

    def close(self) -> None:
        """Free it."""
        loaded, self.loaded = self.loaded, None
        if loaded:
            with suppress(Exception):
                loaded.close()


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
