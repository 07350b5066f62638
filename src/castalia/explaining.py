"""Why a work is as it is, by the model of its kind; as figures, as text and as files."""

from __future__ import annotations

from castalia import genres, quality
from castalia.core.errors import UsageError
from castalia.core.explained import MusicExplanation
from castalia.core.explained_picture import PictureExplanation
from castalia.core.language import say
from castalia.core.music import TuneStep, VoicesStep
from castalia.core.picture import DirectStep, DrawStep, MixStep, RedrawStep
from castalia.core.ports import Plan
from castalia.core.values import Work
from castalia.modalities import image, music

Explanation = MusicExplanation | PictureExplanation
EXPLAINED = tuple(dict.fromkeys((*music.EXPLAINED, *image.EXPLAINED)))
"""Extensions that `file_of` writes."""


def explain(work: Work, composers: music.Composers, painters: image.Painters) -> Explanation:
    """Why four voices, a melody or a drawn picture are as they are.

    Args:
        work: The work.
        composers: The models that write music; the explanation says whether it was one of them that wrote the work.
        painters: Those that make pictures; likewise.

    Raises:
        UsageError: the work is none of these.
    """
    room = genres.find(work.genre)
    fields = genres.fields_of(room, work.brief.fields.model_dump())
    told = work.content.score or work.content.picture
    plan = room.plan(work.brief.model_copy(update={"fields": fields})) if told else Plan()
    return _music(work, plan, composers) if work.content.score else _picture(work, plan, painters)


def tell(explanation: Explanation, work: Work, *, notes: bool = False) -> str:
    """The explanation as text in the interface's language; `notes` adds a line for each note of music."""
    if isinstance(explanation, PictureExplanation):
        assert work.content.picture
        return image.tell(explanation, work.content.picture)
    assert work.content.score
    return music.tell(explanation, work.content.score, notes=notes)


def file_of(explanation: Explanation, work: Work, extension: str) -> bytes:
    """The explanation as a file, without any mark.

    Raises:
        UsageError: no explanation has this extension.
    """
    if isinstance(explanation, PictureExplanation):
        assert work.content.picture
        return image.explanation_file(explanation, work.content.picture, extension)
    assert work.content.score
    return music.explanation_file(explanation, work.content.score, extension)


def _music(work: Work, plan: Plan, composers: music.Composers) -> MusicExplanation:
    score = work.content.score
    match plan.music[0] if plan.music else None:
        case VoicesStep() as step if score:
            model = composers.voices
            found = music.explain_voices(model, step, score)
            near = {"passages": quality.passages(score), "usual": quality.BACH_TO_BACH}
        case TuneStep() as step if score:
            model = composers.tunes
            found = music.explain_tune(model, step, score, seed=work.evidence.seed)
            near = {"passages": quality.tune_passages(score), "usual": quality.TUNE_TO_TUNE}
        case _:
            raise _unexplained(work)
    return found.model_copy(update={"wrote_it": model.digest == work.evidence.digest, **near})


def _picture(work: Work, plan: Plan, painters: image.Painters) -> PictureExplanation:
    match plan.pictures:
        case [DrawStep() | RedrawStep() | MixStep() | DirectStep() as step] if work.content.picture:
            model = painters.drawer
            try:
                found = model.explain(step, work.evidence.seed, work.content.picture)
            except UsageError as error:
                raise error if model.digest == work.evidence.digest else _another(work, model, error) from error
            return found.model_copy(update={"wrote_it": model.digest == work.evidence.digest})
        case _:
            raise _unexplained(work)


def _another(work: Work, model: image.Drawer, error: UsageError) -> UsageError:
    """The chosen model can say nothing of what another has drawn."""
    return UsageError(
        say(
            "The work was drawn by {maker}, not by {model}, which cannot explain it: {why}",
            "此作品由 {maker} 绘制，而 {model} 无法说明它：{why}",
            maker=work.evidence.model,
            model=model.name,
            why=error.message,
        ),
        hint=say(
            "Name the model that drew it: CASTALIA_IMAGE_MODEL=FOLDER castalia explain {id}",
            "请指定绘制它的模型：CASTALIA_IMAGE_MODEL=文件夹 castalia explain {id}",
            id=work.id[:8],
        ),
    )


def _unexplained(work: Work) -> UsageError:
    return UsageError(
        say("A work of the genre {g} is not explained.", "体裁 {g} 的作品无法说明。", g=work.genre),
        hint=say("Chorales, melodies, variations and pictures that are drawn, redrawn, mixed or directed can: "
                 "castalia works list --genre picture",
                 "可说明的是四部合唱、旋律与变奏，以及绘制、重画、混合、定向的图片："
                 "castalia works list --genre picture"),
    )  # fmt: skip
