"""The llama.cpp engine: GGUF weights in this process, every score of every step, many branches in one pass.

Longer than most files here, because engine and session share one native context, its sequence ids and its batch.
"""

from __future__ import annotations

import ctypes as c
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import EngineError, TooLongError, UsageError
from castalia.core.language import say
from castalia.core.ports import Capabilities, Message, Sampling, Scores
from castalia.engines.llama_library import TOKEN, Batch, build, complaints, open_library
from castalia.engines.threads import idle_threads

_BRANCHES = 16
_TRUNK = 0
_SAVED = range(_BRANCHES + 1, _BRANCHES + 5)
"""Sequence ids that keep prompts of the current draft, so that a step with the same beginning starts at once."""

_WINDOW = 511
"""Tokens that are embedded together."""
_LONGEST_EMBEDDED = 8192
"""Tokens of a text that is embedded, as OpenAI has it."""

_CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)


class Llama:
    """A `LanguageModel` over one GGUF file.

    Args:
        path: The file; trusted to be a well-formed GGUF (models.inspect looks first).
        digest: SHA-256 of the file.
        context: Context length in tokens, cut to what the model was trained for.
        threads: Threads; 0 takes those that are idle now.

    Raises:
        EngineError: the file does not load, or memory does not suffice; says what llama.cpp said.
    """

    def __init__(self, path: Path, *, name: str, digest: str, context: int = 4096, threads: int = 0) -> None:
        self._library = open_library()
        self._model: int | None = None
        self._context: int | None = None
        complaints.clear()
        self._model = self._library.llama_model_load_from_file(
            os.fsencode(path), self._library.llama_model_default_params()
        )
        if not self._model:
            raise _failure(say("{path} does not load.", "{path} 无法加载。", path=path))
        self._vocab: int = self._library.llama_model_get_vocab(self._model)
        self.vocabulary: int = self._library.llama_vocab_n_tokens(self._vocab)
        self.name = name
        self.digest = digest
        self.build = build()
        self.threads = threads or idle_threads()
        self.context = min(context, self._library.llama_model_n_ctx_train(self._model))
        self.capabilities = Capabilities(scores="all", embeddings=True, seed=True)
        self._context = self._new_context(self.context, branches=True)
        self._memory: int = self._library.llama_get_memory(self._context)
        self._saved: dict[int, tuple[tuple[int, ...], Scores]] = {}
        self._pieces: dict[int, bytes] = {}

    # ------------------------------------------------------------ text and tokens

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
                    name=self.name,
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

    # ------------------------------------------------------------ generation

    def open(self, prompt: Sequence[int], *, first: bool = False) -> LlamaSession:
        """See `LanguageModel.open`."""
        if not prompt or len(prompt) >= self.context:
            hint = say("Shorten the brief or raise CASTALIA_CONTEXT.", "请缩短要求，或调大 CASTALIA_CONTEXT。")
            raise _too_long(len(prompt), self.context, hint)
        self._forget(keep=tuple(prompt) if first else None)
        wanted = tuple(prompt)
        for slot, (saved, scores) in self._saved.items():
            if saved == wanted:
                self._copy(slot, _TRUNK)
                return LlamaSession(self, list(prompt), scores)
        slot, shared = max(
            ((slot, _shared(saved, wanted)) for slot, (saved, _) in self._saved.items()),
            key=lambda pair: pair[1],
            default=(_TRUNK, 0),
        )
        shared = min(shared, len(prompt) - 1)
        if shared:
            self._library.llama_memory_seq_cp(self._memory, slot, _TRUNK, 0, shared)
        scores = self._decode_trunk(prompt[shared:], shared)
        self._save(wanted, scores)
        return LlamaSession(self, list(prompt), scores)

    def stream(
        self, messages: Sequence[Message], *, sampling: Sampling, seed: int, max_tokens: int, stop: Sequence[str] = ()
    ) -> Iterator[str]:
        """See `LanguageModel.stream`; sampled by llama.cpp's own sampler chain."""
        import codecs

        library = self._library
        prompt = self.tokenize(self.render(messages), special=True)
        self.open(prompt, first=True)
        chain = library.llama_sampler_chain_init(library.llama_sampler_chain_default_params())
        for sampler in self._chain(sampling, seed):
            library.llama_sampler_chain_add(chain, sampler)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        written, shown = "", 0
        try:
            # The saved prompt left no output buffer behind when it was reused: decode its last token again.
            library.llama_memory_seq_rm(self._memory, _TRUNK, len(prompt) - 1, -1)
            self._decode([(prompt[-1], len(prompt) - 1, _TRUNK)])
            for index in range(max_tokens):
                token = library.llama_sampler_sample(chain, self._context, -1)
                if self.ends(token) or len(prompt) + index + 1 >= self.context:
                    break
                written += decoder.decode(self.piece(token))
                if any(mark in written[shown:] for mark in stop):
                    cut = min(written.index(mark, shown) for mark in stop if mark in written[shown:])
                    yield written[shown:cut]
                    return
                yield written[shown:]
                shown = len(written)
                self._decode([(token, len(prompt) + index, _TRUNK)])
        finally:
            library.llama_sampler_free(chain)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `LanguageModel.embed`; mean of the last layer, over windows of a text that is longer than one."""
        library = self._library
        width: int = library.llama_model_n_embd(self._model)
        context = self._new_context(512, branches=False)
        try:
            rows: list[NDArray[np.float32]] = []
            for text in texts:
                tokens = self.tokenize(text, special=False) or [0]
                if len(tokens) > _LONGEST_EMBEDDED:
                    raise _too_long(len(tokens), _LONGEST_EMBEDDED, say("Embed it in parts.", "请分段计算向量。"))
                parts: list[NDArray[np.float32]] = []
                for begin in range(0, len(tokens), _WINDOW):
                    window = tokens[begin : begin + _WINDOW]
                    library.llama_memory_clear(library.llama_get_memory(context), True)
                    self._decode([(token, place, 0) for place, token in enumerate(window)], context=context)
                    parts.append(_floats(library.llama_get_embeddings_seq(context, 0), width) * len(window))
                row = np.sum(parts, axis=0)
                rows.append(row / max(float(np.linalg.norm(row)), 1e-12))
            return np.stack(rows) if rows else np.zeros((0, width), np.float32)
        finally:
            library.llama_free(context)

    def close(self) -> None:
        """Free weights and memory; a second call does nothing."""
        if self._context:
            self._library.llama_free(self._context)
        if self._model:
            self._library.llama_model_free(self._model)
        self._context = self._model = None

    def __del__(self) -> None:
        with suppress(Exception):
            self.close()

    # ------------------------------------------------------------ for the session

    def decode_branches(self, tokens: Mapping[int, int], place: int) -> dict[int, Scores]:
        """One token for each branch at its position; scores by branch."""
        order = sorted(tokens)
        self._decode([(tokens[branch], place, branch + 1) for branch in order])
        return {branch: self._scores(index) for index, branch in enumerate(order)}

    def decode_trunk(self, tokens: Sequence[int], place: int) -> Scores:
        """Tokens for the trunk from a position on; the scores after the last."""
        return self._decode_trunk(tokens, place)

    def copy_trunk(self, branches: int) -> None:
        """Make branches 0 … branches-1 copies of the trunk."""
        if branches > _BRANCHES:
            raise UsageError(f"{branches} candidates asked for; at most {_BRANCHES} fit side by side")
        for branch in range(_BRANCHES):
            self._library.llama_memory_seq_rm(self._memory, branch + 1, -1, -1)
        for branch in range(branches):
            self._copy(_TRUNK, branch + 1)

    def promote(self, branch: int) -> None:
        """Make a branch the trunk."""
        self._library.llama_memory_seq_rm(self._memory, _TRUNK, -1, -1)
        self._copy(branch + 1, _TRUNK)
        self.copy_trunk(0)

    def cut_trunk(self, length: int) -> None:
        """Forget the trunk's tokens from a position on."""
        self._library.llama_memory_seq_rm(self._memory, _TRUNK, length, -1)

    # ------------------------------------------------------------ within

    def _new_context(self, length: int, *, branches: bool) -> int:
        parameters = self._library.llama_context_default_params()
        # Branches and saved prompts share the cells of what they have in common; the rest needs room of its own.
        parameters.n_ctx = length + 2048 if branches else length
        parameters.n_batch = parameters.n_ubatch = 512
        parameters.n_seq_max = _SAVED.stop if branches else 1
        parameters.threads = parameters.threads_batch = self.threads
        parameters.kv_unified = True
        parameters.embeddings = not branches
        parameters.pooling = -1 if branches else 1
        context = self._library.llama_init_from_model(self._model, parameters)
        if not context:
            raise _failure(say("No memory for a context of {n} tokens.", "内存不足以容纳 {n} 个词元。", n=length))
        return context

    def _decode_trunk(self, tokens: Sequence[int], place: int) -> Scores:
        for start in range(0, len(tokens), 512):
            part = tokens[start : start + 512]
            self._decode([(token, place + start + offset, _TRUNK) for offset, token in enumerate(part)], last_only=True)
        return self._scores(-1)

    def _decode(
        self, entries: Sequence[tuple[int, int, int]], *, last_only: bool = False, context: int | None = None
    ) -> None:
        """Run (token, position, sequence) entries; scores come back for each, or for the last only."""
        count = len(entries)
        ones = (c.c_int32 * count)(*([1] * count))
        sequences = [(c.c_int32 * 1)(sequence) for _, _, sequence in entries]
        pointers = (c.POINTER(c.c_int32) * count)(*[c.cast(row, c.POINTER(c.c_int32)) for row in sequences])
        token_row = (TOKEN * count)(*[token for token, _, _ in entries])
        place_row = (c.c_int32 * count)(*[place for _, place, _ in entries])
        wanted = [0] * (count - 1) + [1] if last_only else [1] * count
        output_row = (c.c_int8 * count)(*wanted)
        cast = c.cast
        status = self._library.llama_decode(
            context or self._context,
            Batch(
                count,
                cast(token_row, c.c_void_p),
                None,
                cast(place_row, c.c_void_p),
                cast(ones, c.c_void_p),
                cast(pointers, c.c_void_p),
                cast(output_row, c.c_void_p),
            ),
        )
        if status == 1 and self._saved and context is None:
            self._drop_saved()  # saved prompts are only a convenience: give their room to the text
            self._decode(entries, last_only=last_only)
        elif status != 0:
            raise _failure(
                say("The context of {n} tokens is full.", "上下文的 {n} 个词元已满。", n=self.context)
                if status == 1
                else say("llama.cpp could not go on (status {s}).", "llama.cpp 无法继续（状态 {s}）。", s=status)
            )

    def _scores(self, output: int) -> Scores:
        return _floats(self._library.llama_get_logits_ith(self._context, output), self.vocabulary)

    def _copy(self, source: int, target: int) -> None:
        self._library.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def _forget(self, keep: tuple[int, ...] | None) -> None:
        """Drop trunk and branches; with `keep`, also every saved prompt but that one."""
        for sequence in range(_BRANCHES + 1):
            self._library.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        if keep is not None:
            self._drop_saved(keep)

    def _drop_saved(self, keep: tuple[int, ...] = ()) -> None:
        for slot in [slot for slot, (saved, _) in self._saved.items() if saved != keep]:
            del self._saved[slot]
            self._library.llama_memory_seq_rm(self._memory, slot, -1, -1)

    def _save(self, prompt: tuple[int, ...], scores: Scores) -> None:
        free = next((slot for slot in _SAVED if slot not in self._saved), next(iter(self._saved), _SAVED.start))
        self._saved.pop(free, None)
        self._library.llama_memory_seq_rm(self._memory, free, -1, -1)
        self._copy(_TRUNK, free)
        self._saved[free] = (prompt, scores)

    def _chain(self, sampling: Sampling, seed: int) -> Iterator[int]:
        library = self._library
        if sampling.temperature <= 0:
            yield library.llama_sampler_init_greedy()
            return
        yield library.llama_sampler_init_top_k(sampling.top_k)
        yield library.llama_sampler_init_top_p(sampling.top_p, 1)
        yield library.llama_sampler_init_min_p(sampling.min_p, 1)
        yield library.llama_sampler_init_temp(sampling.temperature)
        yield library.llama_sampler_init_dist(seed)

    def _text_of(self, token: int) -> bytes:
        room = c.create_string_buffer(256)
        count = self._library.llama_token_to_piece(self._vocab, token, room, 256, 0, True)
        return room.raw[: max(count, 0)]

    def _metadata(self, key: str) -> str:
        length = self._library.llama_model_meta_val_str(self._model, key.encode(), None, 0)
        if length <= 0:
            return ""
        room = c.create_string_buffer(length + 1)
        self._library.llama_model_meta_val_str(self._model, key.encode(), room, length + 1)
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


class LlamaSession:
    """A `Session` in an engine's memory; valid until the engine opens the next."""

    def __init__(self, engine: Llama, tokens: list[int], scores: Scores) -> None:
        self._engine = engine
        self._tokens = tokens
        self._scores = scores
        self._marks = {len(tokens): scores}
        self._branches: dict[int, tuple[list[int], Scores]] = {}

    @property
    def scores(self) -> Scores:
        """See `Session.scores`."""
        return self._scores

    @property
    def tokens(self) -> Sequence[int]:
        """See `Session.tokens`."""
        return self._tokens

    def extend(self, tokens: Sequence[int]) -> None:
        """See `Session.extend`."""
        if tokens:
            self._scores = self._engine.decode_trunk(tokens, len(self._tokens))
            self._tokens.extend(tokens)
            self._marks[len(self._tokens)] = self._scores

    def rewind(self, length: int) -> None:
        """See `Session.rewind`."""
        if length >= len(self._tokens):
            return
        self._marks = {place: scores for place, scores in self._marks.items() if place <= length}
        if length in self._marks:
            self._engine.cut_trunk(length)
            self._scores = self._marks[length]
        else:
            self._engine.cut_trunk(length - 1)
            self._scores = self._engine.decode_trunk(self._tokens[length - 1 : length], length - 1)
        del self._tokens[length:]

    def branch(self, count: int) -> None:
        """See `Session.branch`."""
        self._engine.copy_trunk(count)
        self._branches = {branch: ([], self._scores) for branch in range(count)}

    def push(self, tokens: Mapping[int, int]) -> Mapping[int, Scores]:
        """See `Session.push`; branches pushed together must have equal lengths or are run apart."""
        by_place: dict[int, dict[int, int]] = {}
        for branch, token in tokens.items():
            by_place.setdefault(len(self._branches[branch][0]), {})[branch] = token
        after: dict[int, Scores] = {}
        for place, group in by_place.items():
            after |= self._engine.decode_branches(group, len(self._tokens) + place)
        for branch, token in tokens.items():
            self._branches[branch] = ([*self._branches[branch][0], token], after[branch])
        return after

    def score(self, branch: int, tokens: Sequence[int]) -> Scores:
        """See `Session.score`."""
        return self._branches[branch][1][list(tokens)]

    def keep(self, branch: int) -> None:
        """See `Session.keep`."""
        tokens, self._scores = self._branches[branch]
        self._engine.promote(branch)
        self._tokens.extend(tokens)
        self._marks[len(self._tokens)] = self._scores
        self._branches = {}

    def close(self) -> None:
        """See `Session.close`."""
        self._engine.copy_trunk(0)
        self._engine.cut_trunk(0)


def _floats(address: int | None, count: int) -> NDArray[np.float32]:
    if not address:
        raise _failure(say("llama.cpp gave no scores.", "llama.cpp 没有给出分数。"))
    return np.ctypeslib.as_array(c.cast(address, c.POINTER(c.c_float)), shape=(count,)).copy()


def _too_long(count: int, room: int, hint: str) -> TooLongError:
    told = say(  # in the words by which OpenAI's clients know it
        "This model's maximum context length is {room} tokens; the text has {count}.",
        "模型的上下文最多 {room} 个词元；文本有 {count} 个。",
        count=count,
        room=room,
    )
    return TooLongError(told, hint=hint)


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    length = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        length += 1
    return length


def _failure(message: str) -> EngineError:
    said = "; ".join(complaints)
    return EngineError(
        f"{message} ({said})" if said else message,
        hint=say("`castalia doctor` shows what this machine can run.", "`castalia doctor` 会列出本机能运行什么。"),
    )
