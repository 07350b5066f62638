"""The sampling loop: unit by unit, candidates side by side, every token under the form, the style and the watermark.

One step draws a token so: repetition control → form mask → temperature, top-k, top-p, min-p → style → watermark →
draw. The mask comes before the truncations, so that a rhyme far down the model's list can still be taken. An engine
that hands out the likeliest tokens alone is asked for the scores of those that the form names; what is neither likely
nor named stays out of reach there, and log-probabilities leave out the tail (some .03 nats a token).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from castalia.core import seeds
from castalia.core.ports import (
    LIKELIEST,
    SPARE,
    Cursor,
    Drawn,
    DrawnToken,
    Heard,
    LanguageModel,
    Processor,
    Sampling,
    Scores,
    Session,
    Step,
    Unit,
)
from castalia.modalities.text import critic
from castalia.modalities.text.decode import UNFINISHED, piece_after
from castalia.modalities.text.free import FreeForm

_LIKELY = 256
"""How many of the likeliest tokens the form looks at before it names its own suggestions."""

_RETURNS = 4
"""How often the writing of a step goes back to the unit before one that could not be written, and writes it anew."""

_FAR = 4_000
"""How far down the list the form looks when no suggestion helps either."""


@dataclass(frozen=True)
class Written:
    """A step's text and how it came about."""

    text: str
    sampled: int
    """Tokens drawn and kept."""
    log_probability: float
    """Sum over those tokens, nats, under the model alone (no mask, no temperature)."""
    complete: bool
    """False when a unit that the form requires could not be written."""


@dataclass(frozen=True)
class _Place:
    """A step's text up to a unit's beginning, its drawn tokens, and their log-probability (see `Written`)."""

    text: str
    tokens: tuple[int, ...] = ()
    log_probability: float = 0.0


@dataclass
class _Branch:
    cursor: Cursor
    random: np.random.Generator
    scores: Scores
    before: Sequence[int]
    """Tokens that were drawn of the step before this unit."""
    text: str = ""
    pending: bytes = b""
    tokens: list[int] = field(default_factory=list[int])
    traced: list[DrawnToken] = field(default_factory=list["DrawnToken"])
    log_probability: float = 0.0
    least: float = 0.0
    """Log-probability of the least likely token."""
    ended: bool = False
    """The model chose to end the whole text here."""
    stuck: bool = False
    """No token was admitted."""

    @property
    def live(self) -> bool:
        return not (self.ended or self.stuck or self.cursor.done)

    @property
    def rank(self) -> float:
        return critic.rank(self.log_probability, self.least, len(self.tokens))


@dataclass(frozen=True)
class _Finished:
    """An accepted candidate of a unit."""

    natural: bool
    """Whether no token was forced (`Sampling.forced`)."""
    rank: float
    attempt: int
    number: int
    branch: _Branch

    @property
    def order(self) -> tuple[bool, float]:
        """Greater is better; of equals the first stays."""
        return self.natural, self.rank


@dataclass(frozen=True)
class _Candidates:
    tokens: NDArray[np.int64]
    pieces: Sequence[str]
    pendings: list[bytes]
    scores: Scores


class Writer:
    """Writes steps with one engine.

    Args:
        style: Processors that act on each token, in order.
        watermark: The last of them, where a step's text is long enough to be marked.
        seed: The draft's seed; every draw is a function of it, the step, the unit, the try and the branch.
    """

    def __init__(
        self, engine: LanguageModel, style: Sequence[Processor], watermark: Processor | None, seed: int
    ) -> None:
        self._engine = engine
        self._style = tuple(style)
        self._watermark = (watermark,) if watermark else ()
        self._seed = seed
        self._traced = False

    def write(
        self,
        step: Step,
        prompt: Sequence[int],
        earlier: Mapping[str, str],
        *,
        first: bool = False,
        heard: Heard | None = None,
        drawn: Drawn | None = None,
    ) -> Written:
        """Write one step.

        Args:
            step: What to write.
            prompt: Tokens of its conversation.
            earlier: Texts of the steps before it, by name.
            first: Whether it is the draft's first (see `LanguageModel.open`).
            heard: Told of each unit that is kept.
            drawn: Told of its tokens.
        """
        self._traced = drawn is not None
        session = self._engine.open(prompt, first=first)
        form = step.form(earlier) if callable(step.form) else step.form or FreeForm(step.max_tokens, step.stop)
        at, index, complete = _Place(step.begin), 0, True
        session.extend(self._engine.tokenize(step.begin))
        room = self._engine.context - SPARE
        if step.limit:
            room = min(room, len(session.tokens) + step.limit)
        places: list[tuple[_Place, int]] = []
        begun: Counter[int] = Counter()
        returns = 0
        while (unit := form.unit(index, at.text)) is not None and len(session.tokens) < room:
            start = len(session.tokens)
            session.extend(self._engine.tokenize(unit.opening))
            begin = replace(at, text=at.text + unit.opening)
            kept = self._write_unit(session, step, unit, begin, index, begun[index], room)
            begun[index] += 1
            if kept is None and not unit.optional:
                if not places or returns == _RETURNS:
                    complete = False
                    break
                returns += 1
                at, start = places.pop()
                session.rewind(start)
                index -= 1
                continue
            places.append((at, start))
            index += 1
            if kept is None:
                session.rewind(start)
                continue
            text = begin.text + kept.text
            if drawn:
                drawn(step.name, len(begin.text), kept.traced)
            at = _Place(text, (*at.tokens, *kept.tokens), at.log_probability + kept.log_probability)
            if heard:
                heard(step.name, text)
            if kept.ended:
                break
            at = replace(at, text=text + unit.closing)
            session.extend(self._engine.tokenize(unit.closing))
        return Written(at.text, len(at.tokens), at.log_probability, complete)

    def _write_unit(
        self, session: Session, step: Step, unit: Unit, begin: _Place, index: int, begun: int, room: int
    ) -> _Branch | None:
        """The best accepted candidate, already kept in the session; None when every try was turned down.

        Args:
            session: Stands where the unit begins.
            step: The step.
            unit: The unit.
            begin: The step before it.
            index: Its number.
            begun: How often it was begun before.
            room: Tokens of prompt and text together.
        """
        start = session.scores.copy()
        best: _Finished | None = None
        for attempt in range(begun * unit.tries, (begun + 1) * unit.tries):
            session.branch(unit.width)
            branches = [
                _Branch(
                    unit.cursor(), seeds.generator(self._seed, step.name, index, attempt, number), start, begin.tokens
                )
                for number in range(unit.width)
            ]
            for _ in range(min(unit.max_tokens, room - len(session.tokens)) if step.limit else unit.max_tokens):
                pushed = dict(self._draws(session, branches, step.sampling, begin.text))
                if not pushed:
                    break
                for number, scores in session.push(pushed).items():
                    branches[number].scores = scores
            for number, branch in enumerate(branches):
                if not branch.stuck and not branch.pending and unit.accepts(branch.text):
                    natural = branch.least >= step.sampling.forced
                    each = _Finished(natural, branch.rank + unit.rank(branch.text), attempt, number, branch)
                    if best is None or each.order > best.order:
                        best = each
            if best and (best.natural or attempt + 1 == (begun + 1) * unit.tries):
                if best.attempt == attempt:
                    session.keep(best.number)
                else:
                    session.branch(0)
                    session.extend(best.branch.tokens)
                return best.branch
        return None

    def _draws(
        self, session: Session, branches: Sequence[_Branch], sampling: Sampling, so_far: str
    ) -> Iterator[tuple[int, int]]:
        """One drawn token for each branch that still goes on."""
        for number, branch in enumerate(branches):
            if not branch.live:
                continue
            candidates = self._admitted(session, number, branch, sampling)
            if candidates is None:
                branch.stuck = True
                continue
            chosen = self._draw(branch, candidates, sampling, so_far + branch.text)
            token, piece = int(candidates.tokens[chosen]), candidates.pieces[chosen]
            gained = _log_probability(branch.scores, token)
            branch.log_probability += gained
            branch.least = min(branch.least, gained)
            if piece == "":
                branch.ended = True
                continue
            branch.tokens.append(token)
            if self._traced:
                branch.traced.append(self._seen(branch.scores, token, gained))
            branch.pending = candidates.pendings[chosen]
            if piece != UNFINISHED:
                branch.text += piece
                branch.cursor.advance(piece)
            yield number, token

    def _admitted(self, session: Session, number: int, branch: _Branch, sampling: Sampling) -> _Candidates | None:
        """Tokens that the form admits: among the likely ones, else those it names, else far down the list."""
        enough = sampling.top_k or _LIKELY
        for tokens, scores in self._searches(session, number, branch, sampling):
            found: list[tuple[int, str, bytes]] = []
            asked: dict[str, bool] = {}
            for token in tokens:
                if scores[token] == -np.inf:
                    continue
                after = ("", b"") if self._engine.ends(token) else self._piece(branch.pending, token)
                if after is None:
                    continue
                piece, pending = after
                if piece not in asked:
                    asked[piece] = branch.cursor.admits(piece)
                if asked[piece]:
                    found.append((token, piece, pending))
                    if len(found) >= enough:
                        break
            if found:
                ids = np.fromiter((token for token, _, _ in found), np.int64, len(found))
                pieces = [piece for _, piece, _ in found]
                chosen = scores[ids]
                bonus = branch.cursor.bonus(pieces)
                return _Candidates(ids, pieces, [p for _, _, p in found], chosen if bonus is None else chosen + bonus)
        return None

    def _searches(
        self, session: Session, number: int, branch: _Branch, sampling: Sampling
    ) -> Iterator[tuple[Sequence[int], Scores]]:
        """Tokens to try, best first, and the scores they have, each list after the one before it held nothing."""
        scores = _controlled(branch, sampling)
        yield _best(scores, _LIKELY), scores
        suggested = self._engine.tokenize_each(branch.cursor.suggestions())
        named = sorted({tokens[0] for tokens in suggested if tokens})
        if unknown := [token for token in named if branch.scores[token] == -np.inf]:
            branch.scores = branch.scores.copy()
            branch.scores[unknown] = session.score(number, unknown)
            scores = _controlled(branch, sampling)
        yield sorted(named, key=lambda token: -scores[token]), scores
        yield _best(scores, _FAR), scores

    def _seen(self, scores: Scores, token: int, gained: float) -> DrawnToken:
        """A drawn token among the likeliest."""
        likeliest = [(self._engine.piece(each), _log_probability(scores, each)) for each in _best(scores, LIKELIEST)]
        return DrawnToken(self._engine.piece(token), gained, tuple(likeliest))

    def _piece(self, pending: bytes, token: int) -> tuple[str, bytes] | None:
        raw = self._engine.piece(token)
        return piece_after(pending, raw) if raw else None

    def _draw(self, branch: _Branch, candidates: _Candidates, sampling: Sampling, so_far: str) -> int:
        """Index of the drawn candidate."""
        processors = (*self._style, *(self._watermark if sampling.marked else ()))
        scores = candidates.scores
        if sampling.temperature <= 0:
            for processor in processors:
                scores = processor.adjust(so_far, candidates.pieces, scores)
            return int(np.argmax(scores))
        scores = scores / np.float32(sampling.temperature)
        kept = _truncate(scores, sampling)
        pieces, scores = [candidates.pieces[index] for index in kept], scores[kept]
        for processor in processors:
            scores = processor.adjust(so_far, pieces, scores)
        weights = np.cumsum(np.exp(scores - scores.max()), dtype=np.float64)
        drawn = branch.random.random() * float(weights[-1])
        return kept[int(np.searchsorted(weights, drawn, side="right"))]


def _best(scores: Scores, count: int) -> list[int]:
    """The `count` tokens of the highest scores, best first; ties by token."""
    count = min(count, len(scores))
    top = np.sort(np.argpartition(scores, -count)[-count:])
    return top[np.argsort(-scores[top], kind="stable")].tolist()


def _truncate(scores: Scores, sampling: Sampling) -> list[int]:
    """Indices that top-k, top-p and min-p leave, best first; at least one."""
    order = np.argsort(-scores, kind="stable")
    if sampling.top_k:
        order = order[: sampling.top_k]
    weights = np.exp(scores[order] - scores[order[0]])
    share = weights / weights.sum()
    inside = np.cumsum(share) - share < sampling.top_p
    return [int(index) for index in order[inside & (weights >= sampling.min_p)]]


def _controlled(branch: _Branch, sampling: Sampling) -> Scores:
    """Scores of the next token under repetition control."""
    scores = _without_repeats(branch.scores, branch.tokens, sampling)
    said = [*branch.before, *branch.tokens]
    if not said or not (sampling.presence_penalty or sampling.frequency_penalty):
        return scores
    tokens, counts = np.unique(np.asarray(said), return_counts=True)
    scores = scores.copy()
    scores[tokens] -= (sampling.presence_penalty + sampling.frequency_penalty * counts).astype(np.float32)
    return scores


def _without_repeats(scores: Scores, tokens: Sequence[int], sampling: Sampling) -> Scores:
    """Repetition control over the unit's own tokens (Keskar et al. 2019, CTRL, section 4.1; and blocked n-grams)."""
    if not tokens or (sampling.repeat_penalty == 1 and not sampling.no_repeat_ngram):
        return scores
    scores = scores.copy()
    seen = np.unique(np.asarray(tokens[-sampling.repeat_window :]))
    values = scores[seen]
    penalty = np.float32(sampling.repeat_penalty)
    scores[seen] = np.where(values > 0, values / penalty, values * penalty)
    if (size := sampling.no_repeat_ngram) and len(tokens) >= size:
        tail = tuple(tokens[len(tokens) - size + 1 :])
        for start in range(len(tokens) - size + 1):
            if tuple(tokens[start : start + size - 1]) == tail:
                scores[tokens[start + size - 1]] = -np.inf
    return scores


def _log_probability(scores: Scores, token: int) -> float:
    best = scores.max()
    return float(scores[token] - best - np.log(np.exp(scores - best).sum()))
