"""An explained piece of music for people: as text, as a page with the coloured score, as the picture alone."""

from __future__ import annotations

import html
import json
from collections import defaultdict
from collections.abc import Sequence

from castalia.core.errors import UsageError
from castalia.core.explained import Choice, ExplainedNote, MusicExplanation, Passage
from castalia.core.language import say
from castalia.core.score import Score
from castalia.modalities.music.files.shade import shaded, shaded_png, stacked
from castalia.modalities.music.files.spelling import spelled
from castalia.modalities.music.voices.reasons import rule_name

EXPLAINED = ("svg", "png", "html", "json")
"""Extensions that `explanation_file` writes."""
_UNSURE = 2.0
"""Nats at which the scale of colours ends; four notes in a hundred of Bach's own lie beyond."""
_UNEXPECTED = 0.2
"""Chance of a move below which it is told."""
_COLUMN = 9
"""Columns of a voice's figures."""
_STYLE = (
    "body{font-family:Georgia,'Noto Serif CJK SC',SimSun,serif;max-width:60em;margin:2em auto;padding:0 1em;color:#111}"
    "pre{font-family:'DejaVu Sans Mono','Noto Sans Mono CJK SC',monospace;font-size:.85em;overflow-x:auto}"
    "svg{width:100%;height:auto}"
)


def tell(explanation: MusicExplanation, score: Score, *, notes: bool = False) -> str:
    """The explanation as text in the interface's language.

    Args:
        explanation: What is told.
        score: The work.
        notes: Whether each written note gets a line.
    """
    blocks = [
        _heading(explanation, score),
        _rules(explanation),
        _refusals(explanation, score),
        _unsure(explanation, score),
        _bars(explanation, score),
        _nearest(explanation),
    ]
    if notes:
        lines = [_note(note, score) for note in explanation.written]
        blocks.append([say("Notes", "逐音"), *(f"  {line}" for line in lines)])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def explanation_file(explanation: MusicExplanation, score: Score, extension: str) -> bytes:
    """The explanation as a file: the coloured score, a page with score and text, or all figures.

    Raises:
        UsageError: the extension is not one of `EXPLAINED`.
    """
    values = {
        (note.part, note.start): None if note.given else min(1.0, note.entropy / _UNSURE) for note in explanation.notes
    }
    legend: list[tuple[float | None, str]] = [
        (None, say("given", "给定")),
        (0.0, say("certain", "确定")),
        *((nats / _UNSURE, f"{nats:g}") for nats in (0.5, 1.0, 1.5)),
        (1.0, say("{n:g} nats: unsure", "{n:g} 奈特：不确定", n=_UNSURE)),
    ]
    match extension.lower().lstrip("."):
        case "json":
            return json.dumps(explanation.as_json(), ensure_ascii=False, indent=1).encode()
        case "svg":
            return stacked(shaded(score, values, legend, cropped=True)).encode()
        case "png":
            return shaded_png(score, values, legend)
        case "html":
            sheets = stacked(shaded(score, values, legend, cropped=True))
            title = html.escape(score.title or say("Explained score", "乐谱说明"))
            told = html.escape(tell(explanation, score, notes=True))
            page = (
                f'<!DOCTYPE html>\n<html lang="{say("en", "zh")}"><head><meta charset="utf-8"><title>{title}</title>'
                f"<style>{_STYLE}</style></head><body>\n{sheets}\n<pre>{told}</pre>\n</body></html>\n"
            )
            return page.encode()
        case other:
            raise UsageError(
                say("An explanation is not written as .{kind}.", "说明不能保存为 .{kind}。", kind=other),
                hint=say("Choose one of {known}.", "请选择：{known}。", known=", ".join(EXPLAINED)),
            )


def _heading(explanation: MusicExplanation, score: Score) -> list[str]:
    written = explanation.written
    if not written:
        return [say("All notes were given: there is nothing to explain.", "所有音均为给定，无可说明。")]
    first = sum(note.rank == 1 for note in written) / len(written)
    mean = sum(note.entropy for note in written) / len(written)
    lines = [
        say(
            "{title}: {n} of {all} notes were written; {first:.0%} are the first choice of {model}, "
            "which was {mean:.2f} nats unsure before a note",
            "{title}：共 {all} 个音，{n} 个为生成；{first:.0%} 是 {model} 的首选，下笔前平均不确定度 {mean:.2f} 奈特",
            title=score.title or say("Untitled", "无题"),
            n=len(written),
            all=len(explanation.notes),
            first=first,
            model=explanation.model,
            mean=mean,
        )
    ]
    if not explanation.wrote_it:
        lines.append(
            say(
                "This model did not write the work: the figures say what it thinks of it, not how it came to be.",
                "此作品并非由该模型写成：以下数字是它的看法，而非创作过程。",
            )
        )
    return lines


def _rules(explanation: MusicExplanation) -> list[str]:
    if not explanation.asked:
        return []
    head = say(
        "Turned down of the model's chance, mean over {n} {what}",
        "各规则否决的模型概率（{n} 个{what}的平均）",
        n=explanation.asked,
        what=say("notes", "音") if explanation.each == "note" else say("sixteenths", "十六分音符"),
    )
    ranked = sorted(explanation.masked.items(), key=lambda each: -each[1])
    lines = [f"  {share:7.2%}  {rule_name(rule)}" for rule, share in ranked]
    return [head, *lines, f"  {explanation.masked_by_any:7.2%}  {say('any of them', '合计（任一规则）')}"]


def _refusals(explanation: MusicExplanation, score: Score) -> list[str]:
    if not explanation.refusals:
        return []
    lines = [
        say(
            "{place}: {pitch} ({chance:.0%}) was turned down: {why}",
            "{place}：{pitch}（{chance:.0%}）被否决：{why}",
            place=_place(each.bar, each.beat, each.part, score),
            pitch=_named(each.pitch, score),
            chance=each.chance,
            why=each.why,
        )
        for each in explanation.refusals
    ]
    return [say("What it wanted most and was refused", "最想要而被否决的音"), *(f"  {line}" for line in lines)]


def _unsure(explanation: MusicExplanation, score: Score) -> list[str]:
    lines = [_note(note, score) for note in explanation.unsure]
    return [say("Where it was least certain", "最不确定之处"), *(f"  {line}" for line in lines)] if lines else []


def _note(note: ExplainedNote, score: Score) -> str:
    said = say(
        "{place}: {pitch}, chance {chance:.0%}, {entropy:.2f} nats unsure",
        "{place}：{pitch}，概率 {chance:.0%}，不确定度 {entropy:.2f} 奈特",
        place=_place(note.bar, note.beat, note.part, score),
        pitch=_named(note.pitch, score),
        chance=note.chance,
        entropy=note.entropy,
    )
    if note.moves < _UNEXPECTED:
        said += say("; a move here was unlikely ({n:.0%})", "；此处移动的概率仅 {n:.0%}", n=note.moves)
    if note.rather:
        said += say("; rather {pitches}", "；更倾向 {pitches}", pitches=_choices(note.rather, score))
    return said


def _choices(choices: Sequence[Choice], score: Score) -> str:
    return ", ".join(f"{_named(each.pitch, score)} ({each.chance:.0%})" for each in choices)


def _bars(explanation: MusicExplanation, score: Score) -> list[str]:
    """A line a bar: how unsure each voice was, how many first choices, and what the bar shares with a known piece."""
    if not explanation.notes:
        return []
    by_bar: dict[int, list[ExplainedNote]] = defaultdict(list)
    for note in explanation.notes:
        by_bar[note.bar].append(note)
    shared = {each.bar: each for each in explanation.passages}
    parts = list(dict.fromkeys(note.part for note in sorted(explanation.notes, key=lambda note: note.part)))
    names = "".join(_right(score.parts[part].name, _COLUMN) for part in parts)
    lines = [
        say("Bar by bar: nats unsure by voice, first choices, longest run of {what} shared with a training piece",
            "逐小节：各声部不确定度（奈特）、首选音数、与训练曲目相同的最长{what}连续段", what=_runs(explanation)),
        f"{_right(say('bar', '小节'), 6)}{names}{_right(say('first', '首选'), 8)}  {say('shared', '相同')}",
    ]  # fmt: skip
    for bar in range(min(by_bar), max(by_bar) + 1):  # one in which no note begins too
        notes = by_bar[bar]
        each = [_mean([note for note in notes if note.part == part and not note.given]) for part in parts]
        cells = "".join(f"{cell:>{_COLUMN}}" for cell in each)
        written = [note for note in notes if not note.given]
        firsts = f"{sum(note.rank == 1 for note in written)}/{len(written)}"
        lines.append(f"{bar:>6}{cells}{firsts:>8}  {_shared(shared.get(bar), _runs(explanation))}")
    return lines


def _right(words: str, columns: int) -> str:
    """Set to the right of so many terminal columns; Chinese characters take two."""
    words = words[: columns - 1]
    return " " * max(1, columns - sum(2 if letter > "\u2e80" else 1 for letter in words)) + words


def _mean(notes: Sequence[ExplainedNote]) -> str:
    return f"{sum(note.entropy for note in notes) / len(notes):.2f}" if notes else "·"


def _runs(explanation: MusicExplanation) -> str:
    return say("notes", "音") if explanation.each == "note" else say("chords", "和弦")


def _shared(passage: Passage | None, what: str) -> str:
    if passage is None or not passage.sonorities:
        return "–"
    own = _range(passage.first_bar, passage.last_bar)
    if passage.title:
        return say(
            "{n} {what}, bar {own}, as in “{title}”",
            "{n} 个{what}，第 {own} 小节；《{title}》",
            n=passage.sonorities,
            what=what,
            own=own,
            title=passage.title,
        )
    return say(
        "{n} {what}, bar {own}, as in training piece {piece}, bar {theirs}",
        "{n} 个{what}，第 {own} 小节；训练曲目 {piece} 第 {theirs} 小节",
        n=passage.sonorities,
        what=what,
        own=own,
        piece=passage.piece,
        theirs=_range(passage.piece_first_bar, passage.piece_last_bar),
    )


def _range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}–{last}"


def _nearest(explanation: MusicExplanation) -> list[str]:
    nearest = explanation.nearest
    if not explanation.usual:
        return []
    found = (
        say(
            "Nearest training passage: {what}.", "最接近的训练段落：{what}。", what=_shared(nearest, _runs(explanation))
        )
        if nearest
        else say("No long run stands in a training piece.", "没有较长的连续段与训练曲目相同。")
    )
    if explanation.each == "note":
        usual = say(
            "90 % of the training tunes share at most {n} different notes in a row with any other.",
            "训练曲调中，90% 与其他任一首相同的音连续不超过 {n} 个。",
            n=explanation.usual,
        )
        return [found, usual]
    return [
        found,
        say(
            "95 % of Bach's chorales share at most {n} chords in a row with any other. The index holds numbers of "
            "pieces, not their titles; bars of a piece are counted in four quarters from its first note.",
            "巴赫众赞歌中，95% 与其他任一首相同的和弦连续不超过 {n} 个。"
            "索引只存曲目编号，不存曲名；曲目小节按四四拍从首音数起。",
            n=explanation.usual,
        ),
    ]


def _place(bar: int, beat: float, part: int, score: Score) -> str:
    return say(
        "bar {bar}, beat {beat:.4g}, {voice}", "第 {bar} 小节第 {beat:.4g} 拍，{voice}",
        bar=bar, beat=beat, voice=score.parts[part].name,
    )  # fmt: skip


def _named(pitch: int, score: Score) -> str:
    return spelled(pitch, score) if pitch else say("rest", "休止")
