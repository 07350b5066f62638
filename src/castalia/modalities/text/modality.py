"""Text as a modality: compose a plan's steps into a draft."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from castalia.core import seeds
from castalia.core.errors import EngineError
from castalia.core.language import say
from castalia.core.ports import Drawn, Heard, LanguageModel, Message, Plan, Processor, Progress, Step
from castalia.core.values import Brief, Content, Draft, Evidence
from castalia.modalities.text import critic, encode
from castalia.modalities.text.generate import Writer, Written

WATERMARK_FROM = 200
"""Sampled tokens from which a text must carry the watermark (docs/design.md, marks by layer)."""


def compose(  # noqa: PLR0913 - three of them only listen
    brief: Brief,
    plan: Plan,
    engine: LanguageModel,
    assemble: Callable[[Brief, Mapping[str, str]], Content],
    *,
    attempt: int = 0,
    style: Sequence[Processor] = (),
    watermark: Processor | None = None,
    progress: Progress | None = None,
    heard: Heard | None = None,
    drawn: Drawn | None = None,
) -> Draft:
    """Write one draft.

    Args:
        brief: What is asked for.
        plan: The genre's steps.
        engine: The language model; without token scores its text is taken whole.
        assemble: The genre's way of making the work from the steps' texts.
        attempt: The k-th try; selects the seed.
        style: Processors that act before the watermark.
        watermark: The last processor; None leaves the text unmarked, and the evidence says so.
        progress: Told before each step.
        heard: Told of each line or sentence that is kept; from an engine without token scores, of nothing.
        drawn: Told of its tokens, likewise.

    Raises:
        EngineError: the engine failed, or the prompt is longer than its context.
    """
    began = time.monotonic()
    seed = seeds.following(brief.seed, attempt)
    masked = engine.capabilities.scores != "none"
    writer = Writer(engine, style, watermark, seed)
    parts: dict[str, str] = {}
    read, sampled, score, complete = 0, 0, 0.0, True
    for number, step in enumerate(plan.steps):
        if progress:
            progress(
                say("writing {step}", "正在写：{step}", step=step.name.replace("_", " ")), number / len(plan.steps)
            )
        turns = encode.messages(step, parts, brief.fields.style)
        if masked:
            prompt = encode.prompt(engine, turns)
            read += len(prompt)
            written = writer.write(step, prompt, parts, first=number == 0, heard=heard, drawn=drawn)
        else:
            written = _from_endpoint(engine, step, turns, seed)
        parts[step.name] = written.text
        sampled += written.sampled
        score += critic.score(written.log_probability, written.sampled)
        complete = complete and written.complete
    marked = masked and watermark is not None
    return Draft(
        brief=brief,
        content=assemble(brief, parts),
        parts=parts,
        score=score / max(len(plan.steps), 1) - (0 if complete else critic.INCOMPLETE),
        evidence=Evidence(
            model=engine.name,
            digest=engine.digest,
            engine=engine.build,
            threads=engine.threads,
            seed=seed,
            prompt_tokens=read,
            sampled_tokens=sampled,
            watermark=watermark.label if marked and watermark and sampled >= WATERMARK_FROM else "none",
            watermark_reason=_why_unmarked(sampled, masked=masked, wanted=watermark is not None),
            form=_how_formed(plan, masked=masked),
            seconds=round(time.monotonic() - began, 3),
        ),
    )


def _from_endpoint(engine: LanguageModel, step: Step, turns: Sequence[Message], seed: int) -> Written:
    """The whole step as the endpoint writes it; rules can only be checked afterwards."""
    pieces = engine.stream(turns, sampling=step.sampling, seed=seed, max_tokens=step.max_tokens, stop=step.stop)
    text = step.begin + "".join(pieces)
    if not text.strip():
        raise EngineError(
            say("The endpoint {name} sent no text.", "端点 {name} 没有返回文本。", name=engine.name), retryable=True
        )
    return Written(text, 0, 0.0, complete=True)


def _why_unmarked(sampled: int, *, masked: bool, wanted: bool) -> str:
    if not masked:
        return "written by a remote engine whose sampling is out of reach"
    if not wanted:
        return "no watermark key was given"
    if sampled < WATERMARK_FROM:
        return f"{sampled} sampled tokens; a watermark is required from {WATERMARK_FROM}"
    return ""


def _how_formed(plan: Plan, *, masked: bool) -> Literal["masked", "checked", "none"]:
    if not any(step.form for step in plan.steps):
        return "none"
    return "masked" if masked else "checked"
