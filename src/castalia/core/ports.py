"""The doors between rooms, as Protocols: engines, forms, candidate processors, rules, genres.

Whoever implements one imports only this package; nobody inherits from anybody. The file is long because the doors speak
of each other, and most of it says what each promises.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from castalia.core.music import MusicStep, MusicStepMaker
from castalia.core.picture import PictureStep, PictureStepMaker, SettledStep
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding, Language

Scores = NDArray[np.float32]
"""Next-token scores (logits, nats, up to a constant), shape (vocabulary,); -inf where an engine knows none."""

Progress = Callable[[str, float], None]
"""Called with a short message in the interface language and the share done in [0, 1]."""


Heard = Callable[[str, str], None]
"""Called with the name of a step and its text so far, each time a line or sentence of it was kept; a step whose units
are all optional takes none of it back."""


SPARE = 8
"""Tokens of a model's context that are left free."""
LIKELIEST = 20
"""Tokens that are named beside a drawn one."""


@dataclass(frozen=True)
class DrawnToken:
    """A token of a text, and what the model alone thought of it: no mask, no temperature, no watermark."""

    piece: bytes
    log_probability: float
    """Nats."""
    likeliest: tuple[tuple[bytes, float], ...]
    """The `LIKELIEST` tokens there and their log-probabilities, best first."""


Drawn = Callable[[str, int, Sequence[DrawnToken]], None]
"""Called with the name of a step, the characters before, and the tokens of each unit that was kept; of those that were
told from there on before, none holds any more."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation with a language model."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn; one preset per kind of text (modalities/text/presets.py)."""

    temperature: float = 0.8
    """Divides the scores; 0 takes the best token always."""
    top_k: int = 64
    """Keep at most this many candidates; 0 keeps all."""
    top_p: float = 0.95
    """Keep the smallest set of candidates whose probability sums to this."""
    min_p: float = 0.03
    """Drop candidates below this share of the best one's probability."""
    repeat_penalty: float = 1.1
    """Divides positive (multiplies negative) scores of tokens seen in the last `repeat_window`; 1 is off."""
    repeat_window: int = 128
    no_repeat_ngram: int = 0
    """Forbid a token that would repeat an n-gram of this many tokens; 0 is off."""
    presence_penalty: float = 0.0
    """Nats taken off every token that the step has drawn already, as OpenAI defines it; below 0 it is given."""
    frequency_penalty: float = 0.0
    """Nats taken off a token for each time that the step has drawn it."""
    forced: float = -math.inf
    """Nats: a candidate with a token less likely than this is kept only when its unit's tries are used up."""
    marked: bool = True
    """Whether the watermark acts; not in forms too short for it to be found, where it would only narrow the choice."""


# ---------------------------------------------------------------- engines


@dataclass(frozen=True)
class Capabilities:
    """What an engine can honestly do."""

    scores: Literal["all", "top", "none"] = "none"
    """`all`: exact scores of every token at each step. `top`: exact scores of the likeliest ones, -inf for the rest,
    of which `Session.score` finds those that are named. `none`: only finished text comes back."""
    embeddings: bool = False
    seed: bool = False
    """Whether the same seed gives the same text; of a server, as long as it serves nobody else meanwhile."""


class Session(Protocol):
    """One growing text in an engine's memory: a trunk, and branches that share it."""

    @property
    def scores(self) -> Scores:
        """Scores of the token that follows the trunk; a view, valid until the next call."""
        ...

    @property
    def tokens(self) -> Sequence[int]:
        """The trunk's tokens, prompt included."""
        ...

    def extend(self, tokens: Sequence[int]) -> None:
        """Append tokens to the trunk."""
        ...

    def rewind(self, length: int) -> None:
        """Cut the trunk back to its first `length` tokens."""
        ...

    def branch(self, count: int) -> None:
        """Open branches 0 … count-1, each a copy of the trunk. Earlier branches are dropped."""
        ...

    def push(self, tokens: Mapping[int, int]) -> Mapping[int, Scores]:
        """Append one token to each named branch, in one pass; returns the scores that follow, by branch."""
        ...

    def score(self, branch: int, tokens: Sequence[int]) -> Scores:
        """Exact scores of named tokens after a branch, shape (len(tokens),), whether or not it was pushed yet."""
        ...

    def keep(self, branch: int) -> None:
        """Make one branch the trunk and drop the others."""
        ...

    def close(self) -> None:
        """Free the memory."""
        ...


class LanguageModel(Protocol):
    """Weights that continue text, in process or behind an endpoint."""

    @property
    def name(self) -> str: ...
    @property
    def digest(self) -> str:
        """SHA-256 of the weights, or `<url>#<model>` for an endpoint."""
        ...

    @property
    def build(self) -> str:
        """Engine and version."""
        ...

    @property
    def threads(self) -> int:
        """As many as it takes at most; 0 where that is not known."""
        ...

    @property
    def context(self) -> int:
        """Context length in tokens."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    def render(self, messages: Sequence[Message]) -> str:
        """The prompt that the model's own chat template makes of a conversation."""
        ...

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Tokens of a text; `special` lets it contain control tokens (templates only, never user text)."""
        ...

    def tokenize_each(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of many short texts, none of them with control tokens; one request where a request costs."""
        ...

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for; empty for control tokens."""
        ...

    def ends(self, token: int) -> bool:
        """Whether a token ends the generation (end of turn, end of text)."""
        ...

    def open(self, prompt: Sequence[int], *, first: bool = False) -> Session:
        """Start a text; ends the session before it.

        Args:
            prompt: Tokens of the rendered prompt, at least one.
            first: The first text of a draft: forget what earlier drafts left in memory (but for this very prompt),
                so that a draft does not depend on what was written before it.

        Raises:
            EngineError: `capabilities.scores` is `none`, or the prompt is longer than the context.
        """
        ...

    def stream(
        self, messages: Sequence[Message], *, sampling: Sampling, seed: int, max_tokens: int, stop: Sequence[str] = ()
    ) -> Iterator[str]:
        """The engine's own generation, piece by piece, without our rules or marks."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors, shape (texts, width). Raises `EngineError` when `capabilities.embeddings` is false."""
        ...

    def close(self) -> None: ...


# ---------------------------------------------------------------- writing under rules


class Cursor(Protocol):
    """Where one candidate stands inside one unit (a line, a sentence); moves token by token."""

    def admits(self, piece: str) -> bool:
        """Whether the unit can still be finished by the rules if this piece is appended. Must not change state.

        Args:
            piece: Text of one token. Two are special: `""` asks whether the whole text may end here (the model wants
                to stop), and U+FFFD stands for a character of which only the first bytes are known yet.
        """
        ...

    def advance(self, piece: str) -> None:
        """Append a piece that `admits` allowed."""
        ...

    def fork(self) -> Cursor:
        """An independent copy."""
        ...

    @property
    def done(self) -> bool:
        """Whether the unit is complete; nothing more is sampled then."""
        ...

    def bonus(self, pieces: Sequence[str]) -> NDArray[np.float32] | None:
        """Score to add to each candidate piece (nats), e.g. by a count model of verse; None adds nothing."""
        ...

    def suggestions(self) -> Sequence[str]:
        """Pieces to score by name when none of the model's likely tokens is admitted; may be empty."""
        ...


class Unit(Protocol):
    """The next stretch of a text that is written, checked and kept as a whole."""

    @property
    def width(self) -> int:
        """Candidates written side by side; the critic keeps the best (1 for prose)."""
        ...

    @property
    def tries(self) -> int:
        """How often the unit is written again when no candidate is accepted."""
        ...

    @property
    def max_tokens(self) -> int: ...

    @property
    def opening(self) -> str:
        """Fixed text that the unit begins with (appended unsampled); mostly empty."""
        ...

    @property
    def closing(self) -> str:
        """Fixed text appended after the unit once it is kept, e.g. a newline; not sampled."""
        ...

    def cursor(self) -> Cursor: ...

    def accepts(self, text: str) -> bool:
        """Whether the finished unit may stay."""
        ...

    def rank(self, text: str) -> float:
        """Added to the mean log-probability (nats per token) when candidates are compared; 0 is neutral."""
        ...

    @property
    def optional(self) -> bool:
        """Whether the unit is skipped (instead of failing the draft) when every try was turned down."""
        ...


class Form(Protocol):
    """A rule set that acts while a text is written: which unit comes next, given all before it."""

    def unit(self, index: int, so_far: str) -> Unit | None:
        """The next unit, or None when the text is complete. Raises nothing; pure in its arguments.

        Args:
            index: How many units have been kept or skipped.
            so_far: The step's text up to here.
        """
        ...


FormMaker = Callable[[Mapping[str, str]], Form]
"""Makes a step's form from the texts of the steps before it, by name: so that none of them is said again."""


class Processor(Protocol):
    """One link of the chain that changes candidates' scores before a token is drawn (style, watermark)."""

    @property
    def label(self) -> str:
        """`<scheme>:<key id>` for a watermark, the style's name otherwise."""
        ...

    def adjust(self, so_far: str, pieces: Sequence[str], scores: Scores) -> Scores:
        """New scores for the candidate pieces.

        Args:
            so_far: The step's text up to here (never the prompt).
            pieces: Candidate texts.
            scores: Their scores, shape (len(pieces),), temperature applied.
        """
        ...


# ---------------------------------------------------------------- secrets


class SecretStore(Protocol):
    """Small secrets (signing, watermark and endpoint keys), encrypted at rest; the privacy desk implements it."""

    def get(self, name: str) -> bytes | None:
        """The secret, or None when there is none by that name."""
        ...

    def put(self, name: str, secret: bytes) -> None:
        """Store or replace a secret, atomically."""
        ...

    def names(self) -> Sequence[str]:
        """Names of all secrets, sorted."""
        ...


# ---------------------------------------------------------------- plans, rules, genres


@dataclass(frozen=True)
class Step:
    """One node of a plan: a text to write. `{name}` in a message is replaced by the text of that earlier step."""

    name: str
    messages: tuple[Message, ...]
    form: Form | FormMaker | None = None
    sampling: Sampling = field(default_factory=Sampling)
    max_tokens: int = 512
    limit: int = 0
    """Most tokens of the text under a form; 0 leaves it to the form."""
    stop: tuple[str, ...] = ()
    begin: str = ""
    """Text put into the model's mouth before it goes on; part of the step's text."""


@dataclass(frozen=True)
class Plan:
    """The steps of a work, in an order in which each comes after those it needs: texts, then music, then pictures."""

    steps: tuple[Step, ...] = ()
    music: tuple[MusicStep | MusicStepMaker, ...] = ()
    pictures: tuple[PictureStep | PictureStepMaker, ...] = ()
    talk: bool = False
    """Whether it is a turn of a conversation, which may speak of itself and in several languages."""
    faces: tuple[str, ...] = ()
    """Formats of its works beside those of all works of their kind, by extension."""

    @property
    def settled(self) -> bool:
        """Whether its seed changes nothing, so that a refused draft would come out the same again."""
        return not (self.steps or self.music) and all(isinstance(each, SettledStep) for each in self.pictures)


class Rule(Protocol):
    """A check on a finished draft. Shares no code with the form that enforced the same thing while writing."""

    @property
    def name(self) -> str: ...

    def check(self, draft: Draft) -> Sequence[Finding]:
        """Every finding, the good ones too (`ok=True`), so that the user sees what was checked."""
        ...


class Genre(Protocol):
    """One kind of work. A stranger's genre registers under the entry point group `castalia.genres`."""

    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names, Chinese ones too."""
        ...

    @property
    def languages(self) -> tuple[Language, ...]:
        """Languages it can be written in; the first is the default."""
        ...

    @property
    def title(self) -> tuple[str, str]:
        """(English, Chinese) title."""
        ...

    @property
    def summary(self) -> tuple[str, str]:
        """(English, Chinese) one-line description with the form's rules."""
        ...

    @property
    def fields(self) -> type[BriefFields]:
        """The typed fields of its brief."""
        ...

    def plan(self, brief: Brief) -> Plan: ...

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The work from the steps' texts. Raises nothing; what is malformed is left for the rules to find."""
        ...

    def rules(self, brief: Brief) -> Sequence[Rule]: ...

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> Mapping[str, str] | None:
        """Parts of a mended draft (e.g. unsupported sentences dropped), or None when rewriting is the only way."""
        ...


Json = dict[str, Any]
"""A JSON object."""
