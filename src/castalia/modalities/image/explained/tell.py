"""An explained picture as text and as files."""

from __future__ import annotations

import html
import json

from castalia.core.errors import UsageError
from castalia.core.explained_picture import Part, PictureExplanation, Way
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.modalities.image.explained.sheet import sheet
from castalia.modalities.image.explained.words import called, figures, named, placed, title_of

EXPLAINED = ("svg", "png", "html", "json")
"""Extensions that `explanation_file` writes."""
_WIDTH = 1600
"""Pixels of the sheet as PNG."""
_STYLE = (
    "body{font-family:Georgia,'Noto Serif CJK SC',SimSun,serif;max-width:62em;margin:2em auto;padding:0 1em;color:#111}"
    "pre{font-family:'DejaVu Sans Mono','Noto Sans Mono CJK SC',monospace;font-size:.85em;white-space:pre-wrap}"
    "svg{width:100%;height:auto}"
)


def tell(explanation: PictureExplanation, work: Picture) -> str:
    """The explanation as text in the interface's language."""
    blocks = [_heading(explanation, work), _parts(explanation), _near(explanation), _way(explanation.way)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def explanation_file(explanation: PictureExplanation, work: Picture, extension: str) -> bytes:
    """The explanation as a file: the sheet of pictures, a page with sheet and text, or all figures.

    Raises:
        UsageError: the extension is not one of `EXPLAINED`.
    """
    match extension.lower().lstrip("."):
        case "json":
            return json.dumps(explanation.as_json(), ensure_ascii=False, indent=1).encode()
        case "svg":
            return sheet(explanation, work).encode()
        case "png":
            import resvg_py

            return bytes(
                resvg_py.svg_to_bytes(svg_string=sheet(explanation, work, foot=True), width=_WIDTH, background="white")
            )
        case "html":
            page = (
                f'<!DOCTYPE html>\n<html lang="{say("en", "zh")}"><head><meta charset="utf-8">'
                f"<title>{html.escape(title_of(work))}</title><style>{_STYLE}</style></head><body>\n"
                f"{sheet(explanation, work)}\n<pre>{html.escape(tell(explanation, work))}</pre>\n</body></html>\n"
            )
            return page.encode()
        case other:
            raise UsageError(
                say("An explanation is not written as .{kind}.", "说明不能保存为 .{kind}。", kind=other),
                hint=say("Choose one of {known}.", "请选择：{known}。", known=", ".join(EXPLAINED)),
            )


def _heading(explanation: PictureExplanation, work: Picture) -> list[str]:
    lines = [
        say("{title}, drawn by {model}", "{title}，由 {model} 绘制", title=title_of(work), model=explanation.model)
    ]
    if not explanation.wrote_it:
        lines.append(
            say(
                "This model did not make the work: the figures say what it makes of the brief, not what was made. "
                "Name the one that did by CASTALIA_IMAGE_MODEL.",
                "此作品并非由该模型绘制：以下数字说明它如何理解要求，而非作品的由来。"
                "请用 CASTALIA_IMAGE_MODEL 指定绘制它的模型。",
            )
        )
    elif not explanation.same:
        lines.append(
            say(
                "Drawn again it is not the same pixel for pixel: the program or its libraries have changed since.",
                "重新绘制后并非逐像素相同：程序或其组件已有变化。",
            )
        )
    return lines


def _parts(explanation: PictureExplanation) -> list[str]:
    head = say(
        "What each part changes when it is left out (from black to white is 100), and where most; exchanged: {n} "
        "random words\nin its place. In brackets the gap over a random word said too, which changes {chance:.1f}: "
        "below 0 it says less than any word",
        "去掉各部分后图片的改变（黑与白相差 100）及改变最多之处；换词：换成 {n} 个随机词。"
        "\n方括号内为超出“另加一个随机词”（改变 {chance:.1f}）的差距：小于 0 者不如任意词有作用",
        n=explanation.randoms,
        chance=explanation.chance,
    )
    lines = [f"  {_part(explanation, part)}" for part in explanation.ranked]
    if explanation.learned:
        lines.append(
            "  "
            + say(
                "What the words left open was taken from the name of a learned picture: {name}.",
                "文字未说明的部分取自一张训练图片的名称：{name}。",
                name=named(explanation.learned),
            )
        )
    if explanation.left:
        lines.append(
            "  "
            + say(
                "Not drawn, since that picture has it not and few others have: {words}.",
                "未画出（该图片中没有，其他图片中也少见）：{words}。",
                words=", ".join(explanation.left),
            )
        )
    return [head, *lines]


def _part(explanation: PictureExplanation, part: Part) -> str:
    moved = "–" if part.change is None else f"{part.change:.1f}"
    share = part.place[2]
    swapped = "" if part.exchanged is None else say("; exchanged {n:.1f}", "；换词 {n:.1f}", n=part.exchanged)
    return say(
        "{moved:>5} [{gap:+.1f}]  {name}: {place} ({share:.0%}){swapped}",
        "{moved:>5} [{gap:+.1f}]  {name}：{place}（{share:.0%}）{swapped}",
        moved=moved,
        gap=explanation.gap(part),
        name=called(part),
        place=placed(part),
        share=share,
        swapped=swapped,
    )


def _near(explanation: PictureExplanation) -> list[str]:
    if not explanation.near:
        return []
    head = say(
        "Learned pictures that come near: levels of 255 ({usual:.1f} lie between two neighbours), likeness of outlines",
        "最相近的训练图片：255 级中的级差（训练图片与其最近者一般相差 {usual:.1f}）与轮廓相似度",
        usual=explanation.usual,
    )
    return [head, *(f"  {'  '.join(figures(each)):>11}  {named(each.name)}" for each in explanation.near)]


def _way(way: Way | None) -> list[str]:
    if way is None:
        return []
    names = {
        "share": say("From one picture to the other", "从一张图片到另一张"),
        "strength": say("From subtle to strong", "从细微到强烈"),
        "amount": say("Along the direction", "沿此方向"),
    }
    missed = ", ".join(f"{each:.1f}" for each in way.missed)
    return [
        say(
            "{what}: {n} pictures; codes {codes:.2f} deviations apart (about 1.4 between unrelated pictures)",
            "{what}：{n} 张；编码相距 {codes:.2f} 个标准差（无关图片之间约 1.4）",
            what=names[way.of],
            n=len(way.at),
            codes=way.codes,
        ),
        "  "
        + say(
            "Steps {steps}: {even:.0%} even (mean by largest); ends {ends:.1f} apart, {straight:.0%} of all steps",
            "步幅 {steps}：均匀度 {even:.0%}（平均与最大之比）；首尾相差 {ends:.1f}，为各步之和的 {straight:.0%}",
            steps=" ".join(f"{each:.1f}" for each in way.steps),
            even=way.evenness,
            ends=way.ends,
            straight=way.straightness,
        ),
        "  " + say("What the model did not see of what was given: {n}", "模型未能看出给定图片的部分：{n}", n=missed),
    ]
