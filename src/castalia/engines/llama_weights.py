"""The weights of a GGUF file in memory, and what is known of its text: tokens, their pieces, its chat template."""

from __future__ import annotations

import ctypes as c
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

from castalia.core.errors import EngineError
from castalia.core.language import say
from castalia.core.ports import Message
from castalia.engines.llama_library import TOKEN, complaints, open_library

_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)


def weights(path: Path) -> Weights:
    """Those of a file; engines of one process share them, and they are freed with the last.

    Raises:
        EngineError: the file does not load; says what llama.cpp said.
    """
    with _lock:
        try:
            now = path.stat()
            key = (str(path.resolve()), now.st_mtime_ns, now.st_size)
        except OSError as error:
            raise failure(say("{path} does not load.", "{path} 无法加载。", path=path)) from error
        held = _held.get(key)
        if held is None:
            held = _held[key] = Weights(path)
        return held


class Weights:
    """See the module; opened by `weights`."""

    def __init__(self, path: Path) -> None:
        self._library = open_library()
        self.model: int | None = None
        complaints.clear()
        self.model = self._library.llama_model_load_from_file(
            os.fsencode(path), self._library.llama_model_default_params()
        )
        if not self.model:
            raise failure(say("{path} does not load.", "{path} 无法加载。", path=path))
        self._name = path.stem
        self._vocab: int = self._library.llama_model_get_vocab(self.model)
        self.vocabulary: int = self._library.llama_vocab_n_tokens(self._vocab)
        self.longest: int = self._library.llama_model_n_ctx_train(self.model)
        """Tokens of the longest context that it was trained for."""
        self.width: int = self._library.llama_model_n_embd(self.model)
        self._pieces: dict[int, bytes] = {}

    def __del__(self) -> None:
        with suppress(Exception):
            if self.model:
                self._library.llama_model_free(self.model)

    def render(self, messages: Sequence[Message]) -> str:
        """See `LanguageModel.render`; control tokens inside the messages are taken out."""
        plain = [{"role": turn.role, "content": self._without_control(turn.content)} for turn in messages]
        try:
            return str(self._template.render(messages=plain, add_generation_prompt=True, **self._special))
        except Exception as error:  # a template is the model file's own program
            raise EngineError(
                say(
                    "The chat template of {name} failed: {why}.",
                    "{name} 的对话模板出错：{why}。",
                    name=self._name,
                    why=error,
                ),
                hint=say("Choose another model with --model.", "请用 --model 选择其他模型。"),
            ) from error

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """See `LanguageModel.tokenize`."""
        raw = text.encode()
        room = len(raw) + 8
        tokens = (TOKEN * room)()
        count = self._library.llama_tokenize(self._vocab, raw, len(raw), tokens, room, special, special)
        return list(tokens[:count])

    def tokenize_each(self, texts: Sequence[str]) -> list[list[int]]:
        """See `LanguageModel.tokenize_each`."""
        return [self.tokenize(text) for text in texts]

    def piece(self, token: int) -> bytes:
        """See `LanguageModel.piece`."""
        known = self._pieces.get(token)
        if known is None:
            known = b"" if self._library.llama_vocab_is_control(self._vocab, token) else self._text_of(token)
            self._pieces[token] = known
        return known

    def ends(self, token: int) -> bool:
        """See `LanguageModel.ends`."""
        return token in self._ends

    # ------------------------------------------------------------ within

    def _text_of(self, token: int) -> bytes:
        room = c.create_string_buffer(256)
        count = self._library.llama_token_to_piece(self._vocab, token, room, 256, 0, True)
        return room.raw[: max(count, 0)]

    def _metadata(self, key: str) -> str:
        length = self._library.llama_model_meta_val_str(self.model, key.encode(), None, 0)
        if length <= 0:
            return ""
        room = c.create_string_buffer(length + 1)
        self._library.llama_model_meta_val_str(self.model, key.encode(), room, length + 1)
        return room.value.decode(errors="replace")

    @cached_property
    def _ends(self) -> frozenset[int]:
        return frozenset(t for t in range(self.vocabulary) if self._library.llama_vocab_is_eog(self._vocab, t))

    def _without_control(self, text: str) -> str:
        """The text once nothing is left to take out: what is taken out may join its neighbours to another one."""
        while (cleaned := self._control.sub("", text)) != text:
            text = cleaned
        return text

    @cached_property
    def _control(self) -> re.Pattern[str]:
        """Matches the texts of control tokens, which a user's words must not smuggle into a prompt."""
        is_control = self._library.llama_vocab_is_control
        control = (token for token in range(self.vocabulary) if is_control(self._vocab, token))
        texts = (self._text_of(token).decode(errors="replace") for token in control)
        return re.compile("|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True) if text) or "(?!)")

    @cached_property
    def _special(self) -> Mapping[str, str]:
        bos, eos = self._library.llama_vocab_bos(self._vocab), self._library.llama_vocab_eos(self._vocab)
        # The tokenizer adds the beginning-of-text token itself where the model wants one.
        adds = self._library.llama_vocab_get_add_bos(self._vocab)

        def text(token: int) -> str:
            return self._text_of(token).decode(errors="replace") if token >= 0 else ""

        return {"bos_token": "" if adds else text(bos), "eos_token": text(eos)}

    @cached_property
    def _template(self) -> Any:  # noqa: ANN401 - jinja2's Template is untyped in part
        """The model's own chat template in a sandbox; ChatML where it brings none."""
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        def complain(message: str) -> None:
            raise ValueError(message)

        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = complain  # pyright: ignore[reportArgumentType]
        return environment.from_string(self._metadata("tokenizer.chat_template") or _CHATML)


def failure(message: str) -> EngineError:
    """What llama.cpp could not do, and its own words about it."""
    said = "; ".join(complaints)
    return EngineError(
        f"{message} ({said})" if said else message,
        hint=say("`castalia doctor` shows what this machine can run.", "`castalia doctor` 会列出本机能运行什么。"),
    )


_held: WeakValueDictionary[tuple[str, int, int], Weights] = WeakValueDictionary()
_lock = Lock()
