"""Why a work is as it is, by the model of its kind."""

from __future__ import annotations

from castalia import genres, quality
from castalia.core.errors import UsageError
from castalia.core.explained import MusicExplanation
from castalia.core.language import say
from castalia.core.music import TuneStep, VoicesStep
from castalia.core.ports import Plan
from castalia.core.values import Work
from castalia.modalities import music


def explain(work: Work, composers: music.Composers) -> MusicExplanation:
    """Why four voices or a melody are as they are: doubts, refused pitches, and known passages that come near.

    Args:
        work: The work.
        composers: The models; the explanation says whether it was one of them that wrote it.

    Raises:
        UsageError: the work is neither.
    """
    score, room = work.content.score, genres.find(work.genre)
    fields = genres.fields_of(room, work.brief.fields.model_dump())
    plan = room.plan(work.brief.model_copy(update={"fields": fields})) if score else Plan()
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
            raise UsageError(
                say("A work of the genre {g} is not explained.", "体裁 {g} 的作品无法说明。", g=work.genre),
                hint=say("Chorales, melodies and variations can: castalia works list --genre chorale",
                         "可说明的是四部合唱、旋律与变奏：castalia works list --genre chorale"),
            )  # fmt: skip
    return found.model_copy(update={"wrote_it": model.digest == work.evidence.digest, **near})
