"""llama.cpp's own server as an engine: it hands out token scores, so that forms and marks act on each token there too.

Each step asks `/completion` for one token that is not used, and for the log-probabilities before sampling of the `_TOP`
likeliest. The rest is -inf; those that a form names are asked for by name: with the same large bias on each of them and
on one token whose score is known, their probabilities after sampling tell their scores exactly. What is neither likely
nor named cannot be taken. All branches go in one request, which the server spreads over its slots.

The draws are our own and a function of the seed. Scores depend in their last bits on what else is in the server's
batch: the same seed gives the same text as long as nobody else uses the server meanwhile.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from castalia.core.errors import EngineError, TooLongError
from castalia.core.language import say
from castalia.core.ports import Capabilities, Message, Sampling, Scores
from castalia.engines.connection import Connection, file_name

_TOP = 512
"""Scores asked for at each step."""

_LIFT = 18.0
"""Added to log-probabilities: repetition control divides positive scores, and raw logits lie about so much higher."""

_BIAS = 100.0
"""Nats that lift named tokens above all others."""

_AHEAD = 20.0
"""Nats by which the token that the server shall draw leads: it must be a whole character, or nothing is answered."""

_ENDS = frozenset(
    "<|eot_id|> <|im_end|> <|end|> <|return|> <|call|> <end_of_turn> <turn|> <|endoftext|> <|end_of_text|> <|eom_id|> "
    "<EOT> _<EOT> <|end_of_turn|> <|END_OF_TURN_TOKEN|> <|endofturn|> <｜end▁of▁sentence｜> <end_of_utterance> [EOS] "
    "[EOT] [e~[ </s> <eos> <|fim_pad|> <fim_pad> <|fim_repo|> <|repo_name|> <reponame> <|file_sep|>".split()
)
"""Control tokens that end a turn or a text, as llama.cpp knows them by name; the model's own is added."""


class LlamaServer:
    """A `LanguageModel` behind llama.cpp's server.

    Args:
        url: The server's URL, with or without `/v1`.
        model: The name for the record; empty takes the server's.
        key: API key; empty sends none.
        transport: An httpx transport, for tests and proxies.

    Raises:
        UsageError: the URL is not HTTP(S), or a key would travel unencrypted to another machine.
        EngineError: it cannot be reached, is no llama.cpp server (found out by one GET of `/props`, two if it is busy),
            or hands out no scores.
    """

    def __init__(self, url: str, *, model: str = "", key: str = "", transport: Any = None) -> None:  # noqa: ANN401
        self._url = url
        self._connection = Connection(re.sub(r"/v1/*$", "", url), key=key, transport=transport)
        try:
            properties = self._connection.ask("GET", "props", tries=2, patience=15)
            self.slots = int(properties["total_slots"])
            self.context = int(properties["default_generation_settings"]["n_ctx"])
            listed = self._connection.ask("GET", "v1/models")["data"][0]
            self.vocabulary = int(listed["meta"]["n_vocab"])
            self.name = file_name(model or str(properties.get("model_alias") or listed["id"]))
            self._learn_vocabulary(str(properties["eos_token"]))
            top = np.isfinite(self.scores([[self._plain]])[0]).sum()
        except (LookupError, TypeError, ValueError) as error:
            self.close()
            raise self._no_scores() from error
        except EngineError:
            self.close()
            raise
        address = re.sub(r"^(https?://)[^/@]*@", r"\1", url)
        self.digest = f"{address}#{self.name}"
        self.build = (
            f"llama.cpp server {properties.get('build_info', '')} at {self._connection.host}, "
            f"top {top} of {self.vocabulary} scores"
        )
        self.threads = 0
        self.capabilities = Capabilities(scores="top", embeddings=False, seed=True)

    # ------------------------------------------------------------ text and tokens

    def render(self, messages: Sequence[Message]) -> str:
        """See `LanguageModel.render`; by the server's own template, control tokens inside the messages taken out."""
        turns = [{"role": turn.role, "content": self._without_control(turn.content)} for turn in messages]
        return str(self._said("apply-template", {"messages": turns}, "prompt"))

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """See `LanguageModel.tokenize`."""
        return self._tokens(text, special=True, add_special=True) if special else self.tokenize_each([text])[0]

    def tokenize_each(self, texts: Sequence[str]) -> list[list[int]]:
        """See `LanguageModel.tokenize_each`; a text's tokens are asked for once."""
        unknown = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(unknown, self._apart(unknown, special=False), strict=True))
        return [self._known[text] for text in texts]

    def piece(self, token: int) -> bytes:
        """See `LanguageModel.piece`."""
        return self._pieces[token]

    def ends(self, token: int) -> bool:
        """See `LanguageModel.ends`."""
        return token in self._ends

    # ------------------------------------------------------------ generation

    def open(self, prompt: Sequence[int], *, first: bool = False) -> ServerSession:
        """See `LanguageModel.open`."""
        if not prompt or len(prompt) >= self.context:
            raise TooLongError(
                say(
                    "This model's maximum context length is {room} tokens on its server; the text has {count}.",
                    "服务器上此模型的上下文最多 {room} 个词元；文本有 {count} 个。",
                    count=len(prompt),
                    room=self.context,
                ),
                hint=say(
                    "Shorten the brief or start the server with more.", "请缩短要求，或以更大的上下文启动服务器。"
                ),
            )
        if first and self.slots > 1:
            self.scores([[self._plain]] * self.slots, fresh=True)  # whatever they remember is gone
        return ServerSession(self, list(prompt), fresh=first)

    def stream(
        self, messages: Sequence[Message], *, sampling: Sampling, seed: int, max_tokens: int, stop: Sequence[str] = ()
    ) -> Iterator[str]:
        """See `LanguageModel.stream`."""
        return self._connection.chat(
            self.name, messages, sampling=sampling, seed=seed, max_tokens=max_tokens, stop=stop
        )

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `LanguageModel.embed`; not promised, since the server refuses unless it was started for it."""
        return self._connection.embed(self.name, texts, "v1/embeddings")

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    # ------------------------------------------------------------ for the session

    def scores(self, texts: Sequence[Sequence[int]], *, fresh: bool = False) -> list[Scores]:
        """Scores after each text, all in one request; `fresh` computes them without what the server remembers."""
        body = {
            "n_probs": _TOP,
            "post_sampling_probs": False,
            "samplers": [],
            "temperature": 0,
            "logit_bias": [[self._plain, 10 * _BIAS]],
            "cache_prompt": not fresh,
        }
        rows: list[Scores] = []
        for found in self._complete(texts, body, "top_logprobs", "logprob"):
            row = np.full(self.vocabulary, -np.inf, np.float32)
            row[list(found)] = list(found.values())
            rows.append(row + np.float32(_LIFT))
        return rows

    def named(self, text: Sequence[int], tokens: Sequence[int], known: Scores) -> Scores:
        """Scores of named tokens after a text, of which `known` are the likeliest."""
        best = int(known.argmax())
        floor = float(known[np.isfinite(known)].min())
        ahead = float(known[best]) - max(float(known[self._plain]), floor) + _AHEAD
        wanted = {best, *tokens}
        bias = dict.fromkeys(wanted, _BIAS) | {self._plain: _BIAS + ahead}
        body = {
            "n_probs": len(bias),
            "post_sampling_probs": True,
            "samplers": ["temperature"],
            "temperature": 1,
            "logit_bias": [[token, nats] for token, nats in bias.items()],
            "cache_prompt": True,
        }
        (found,) = self._complete([text], body, "top_probs", "prob")
        logs = {token: math.log(share) for token, share in found.items() if share > 0}
        if self._plain in logs:
            logs[self._plain] -= ahead
        if best not in logs:
            raise self._no_scores()
        lifted = float(known[best]) - logs[best]
        return np.array([logs.get(token, -np.inf) + lifted for token in tokens], np.float32)

    # ------------------------------------------------------------ within

    def _complete(
        self, texts: Sequence[Sequence[int]], body: Mapping[str, Any], part: str, figure: str
    ) -> list[dict[int, float]]:
        """What the server says of one token after each text: a figure for each of the likeliest."""
        common = {
            "prompt": [list(text) for text in texts],
            "n_predict": 1,
            "seed": 1,
            "response_fields": ["index", "completion_probabilities"],
        }
        answer: Any = self._connection.ask("POST", "completion", {**body, **common})
        try:
            rows: Any = answer if isinstance(answer, list) else [answer]  # pyright: ignore[reportUnknownVariableType]
            found: list[dict[int, float]] = [
                {int(entry["id"]): float(entry[figure]) for entry in row["completion_probabilities"][0][part]}
                for row in sorted(rows, key=lambda row: row["index"])
            ]
        except (LookupError, TypeError, ValueError) as error:
            raise self._no_scores() from error
        if len(found) != len(texts) or not all(each and max(each) < self.vocabulary for each in found):
            raise self._no_scores()
        return found

    def _said(self, path: str, body: Mapping[str, Any], field: str) -> Any:  # noqa: ANN401 - JSON
        answer: Any = self._connection.ask("POST", path, body)
        if isinstance(answer, dict) and field in answer:
            return answer[field]  # pyright: ignore[reportUnknownVariableType]
        raise self._no_scores()

    def _tokens(self, content: object, *, special: bool, add_special: bool = False) -> list[int]:
        body = {"content": content, "parse_special": special, "add_special": add_special}
        return [int(token) for token in self._said("tokenize", body, "tokens")]

    def _apart(self, texts: Sequence[str], *, special: bool) -> list[list[int]]:
        """Tokens of each text, in one request: the end token between them appears in none."""
        rows: list[list[int]] = [[]]
        if not texts:
            return []
        for token in self._tokens([part for text in texts for part in (text, self._end)][:-1], special=special):
            if token == self._end:
                rows.append([])
            else:
                rows[-1].append(token)
        return rows

    def _learn_vocabulary(self, end: str) -> None:
        """Fetch every token's bytes, and find control tokens: those that are read as one only where that is allowed."""
        body = {"content": list(range(self.vocabulary)), "with_pieces": True}
        listed: list[dict[str, Any]] = self._said("tokenize", body, "tokens")
        pieces = [entry["piece"] for entry in listed]
        self._pieces = [piece.encode() if isinstance(piece, str) else bytes(piece) for piece in pieces]
        self._plain = self._pieces.index(b"a")
        (self._end,) = self._tokens(end, special=True)
        self._known: dict[str, list[int]] = {}
        # All known ones are written with such marks; to ask for every token would take minutes.
        asked = [
            token
            for token, piece in enumerate(pieces)
            if isinstance(piece, str) and len(piece) > 1 and re.search(r"[<>\[\]|｜]", piece) and token != self._end
        ]
        texts = [pieces[token] for token in asked]
        both = zip(asked, self._apart(texts, special=True), self._apart(texts, special=False), strict=True)
        control = {self._end, *(token for token, as_control, as_text in both if as_control != as_text)}
        self._ends = frozenset(token for token in control if token == self._end or pieces[token] in _ENDS)
        by_length = sorted((str(pieces[token]) for token in control), key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, by_length)))
        for token in control:
            self._pieces[token] = b""

    def _without_control(self, text: str) -> str:
        while (cleaned := self._control.sub("", text)) != text:
            text = cleaned
        return text

    def _no_scores(self) -> EngineError:
        return EngineError(
            say("{url} hands out no token scores.", "{url} 不提供词元分数。", url=self._url),
            hint=say("llama.cpp's server does (llama-server).", "llama.cpp 的服务器（llama-server）可以提供。"),
        )


class ServerSession:
    """A `Session` whose texts are lists of tokens here, and whose memory is the server's cache.

    Args:
        engine: The engine.
        tokens: The prompt.
        fresh: Whether the first scores are computed without what the server remembers.
    """

    def __init__(self, engine: LlamaServer, tokens: list[int], *, fresh: bool) -> None:
        self._engine = engine
        self._tokens = tokens
        self._fresh = fresh
        self._marks: dict[int, Scores] = {}
        self._branches: dict[int, tuple[list[int], Scores]] = {}

    @property
    def scores(self) -> Scores:
        """See `Session.scores`; asked for only when somebody wants them."""
        length = len(self._tokens)
        if length not in self._marks:
            (self._marks[length],) = self._engine.scores([self._tokens], fresh=self._fresh)
            self._fresh = False
        return self._marks[length]

    @property
    def tokens(self) -> Sequence[int]:
        """See `Session.tokens`."""
        return self._tokens

    def extend(self, tokens: Sequence[int]) -> None:
        """See `Session.extend`."""
        self._tokens.extend(tokens)

    def rewind(self, length: int) -> None:
        """See `Session.rewind`."""
        del self._tokens[length:]
        self._marks = {place: scores for place, scores in self._marks.items() if place <= length}

    def branch(self, count: int) -> None:
        """See `Session.branch`."""
        self._branches = {branch: ([], self.scores) for branch in range(count)}

    def push(self, tokens: Mapping[int, int]) -> Mapping[int, Scores]:
        """See `Session.push`."""
        order = sorted(tokens)
        grown = {branch: [*self._branches[branch][0], tokens[branch]] for branch in order}
        after = self._engine.scores([self._tokens + grown[branch] for branch in order])
        self._branches |= {branch: (grown[branch], scores) for branch, scores in zip(order, after, strict=True)}
        return dict(zip(order, after, strict=True))

    def score(self, branch: int, tokens: Sequence[int]) -> Scores:
        """See `Session.score`."""
        grown, known = self._branches[branch]
        return self._engine.named(self._tokens + grown, tokens, known)

    def keep(self, branch: int) -> None:
        """See `Session.keep`."""
        grown, scores = self._branches[branch]
        self._tokens.extend(grown)
        self._marks[len(self._tokens)] = scores
        self._branches = {}

    def close(self) -> None:
        """See `Session.close`; the server forgets on its own."""
        self._branches = {}
        self._marks = {}
