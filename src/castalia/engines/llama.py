"""The llama.cpp engine: GGUF weights in this process, every score of every step, many branches in one pass.

Longer than most files here, because engine and session share one native context, its sequence ids and its batch.
"""

from __future__ import annotations

import ctypes as c
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import TooLongError, UsageError
from castalia.core.language import say
from castalia.core.ports import Capabilities, Message, Sampling, Scores
from castalia.engines.llama_library import TOKEN, Batch, build, open_library
from castalia.engines.llama_weights import failure, weights
from castalia.engines.threads import Pace

_BRANCHES = 16
_TRUNK = 0
_SAVED = range(_BRANCHES + 1, _BRANCHES + 5)
"""Sequence ids that keep prompts of the current draft, so that a step with the same beginning starts at once."""

_WINDOW = 511
"""Tokens that are embedded together."""
_LONGEST_EMBEDDED = 8192
"""Tokens of a text that is embedded, as OpenAI has it."""


class Llama:
    """A `LanguageModel` over one GGUF file.

    Args:
        path: The file; trusted to be a well-formed GGUF (models.inspect looks first).
        digest: SHA-256 of the file.
        context: Context length in tokens, cut to what the model was trained for.
        threads: Threads; 0 takes as many as are fastest, step by step.

    Raises:
        EngineError: the file does not load, or memory does not suffice; says what llama.cpp said.
    """

    def __init__(self, path: Path, *, name: str, digest: str, context: int = 4096, threads: int = 0) -> None:
        self._library = open_library()
        self._context: int | None = None
        self._weights = weights(path)
        self.vocabulary = self._weights.vocabulary
        self.name = name
        self.digest = digest
        self.build = f"{build()}, exact"
        self._pace = Pace(threads)
        self.context = min(context, self._weights.longest)
        self.capabilities = Capabilities(scores="all", embeddings=True, seed=True)
        self._context = self._new_context(self.context, branches=True)
        self._memory: int = self._library.llama_get_memory(self._context)
        self._saved: dict[int, tuple[tuple[int, ...], Scores]] = {}

    @property
    def threads(self) -> int:
        """See `LanguageModel.threads`; what it writes is the same with fewer."""
        return self._pace.most

    # ------------------------------------------------------------ text and tokens

    def render(self, messages: Sequence[Message]) -> str:
        """See `LanguageModel.render`; control tokens inside the messages are taken out."""
        return self._weights.render(messages)

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """See `LanguageModel.tokenize`."""
        return self._weights.tokenize(text, special=special)

    def tokenize_each(self, texts: Sequence[str]) -> list[list[int]]:
        """See `LanguageModel.tokenize_each`."""
        return [self.tokenize(text) for text in texts]

    def piece(self, token: int) -> bytes:
        """See `LanguageModel.piece`."""
        return self._weights.piece(token)

    def ends(self, token: int) -> bool:
        """See `LanguageModel.ends`."""
        return self._weights.ends(token)

    # ------------------------------------------------------------ generation

    def open(self, prompt: Sequence[int], *, first: bool = False) -> LlamaSession:
        """See `LanguageModel.open`."""
        if not prompt or len(prompt) >= self.context:
            hint = say("Shorten the brief or raise CASTALIA_CONTEXT.", "请缩短要求，或调大 CASTALIA_CONTEXT。")
            raise _too_long(len(prompt), self.context, hint)
        self._forget(keep=tuple(prompt) if first else None)
        if first:
            self._pace.measure(lambda threads: self._step(prompt[0], threads))
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
        width = self._weights.width
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
        """Free its memory, and the weights if no other engine has them; a second call does nothing."""
        if self._context:
            self._library.llama_free(self._context)
        self._context = None

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
        parameters.n_batch = 512
        # Without flash attention, whose sums go by the number of threads: a draft must not. A short micro-batch keeps
        # what it would have saved of memory.
        parameters.flash, parameters.n_ubatch = 0, 128 if branches else 512
        parameters.n_seq_max = _SAVED.stop if branches else 1
        parameters.kv_unified = True
        parameters.embeddings = not branches
        parameters.pooling = -1 if branches else 1
        context = self._library.llama_init_from_model(self._weights.model, parameters)
        if not context:
            raise failure(say("No memory for a context of {n} tokens.", "内存不足以容纳 {n} 个词元。", n=length))
        return context

    def _decode_trunk(self, tokens: Sequence[int], place: int) -> Scores:
        for start in range(0, len(tokens), 512):
            part = tokens[start : start + 512]
            self._decode([(token, place + start + offset, _TRUNK) for offset, token in enumerate(part)], last_only=True)
        return self._scores(-1)

    def _decode(
        self,
        entries: Sequence[tuple[int, int, int]],
        *,
        last_only: bool = False,
        context: int | None = None,
        threads: int = 0,
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
        threads = threads or self._pace.now()
        self._library.llama_set_n_threads(context or self._context, threads, threads)
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
            raise failure(
                say("The context of {n} tokens is full.", "上下文的 {n} 个词元已满。", n=self.context)
                if status == 1
                else say("llama.cpp could not go on (status {s}).", "llama.cpp 无法继续（状态 {s}）。", s=status)
            )

    def _step(self, token: int, threads: int) -> None:
        """One step that is forgotten at once."""
        self._decode([(token, 0, _TRUNK)], threads=threads)
        self._library.llama_memory_seq_rm(self._memory, _TRUNK, -1, -1)

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
        raise failure(say("llama.cpp gave no scores.", "llama.cpp 没有给出分数。"))
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
