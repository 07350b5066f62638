"""The one way through: Brief → guard → plan → compose → judge → mark → keep → Work.

The command line, the Python interface and every other surface call `Studio.create`; there is no second path. More than
half of the file is what users read: this is the whole of the Python interface.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from castalia import explaining, genres, models, privacy, provenance, quality
from castalia import faces as files
from castalia.core import config, language, seeds
from castalia.core.errors import MarkError, RefusedError, SignatureError, UsageError
from castalia.core.files import folders, write_atomic
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.ports import Drawn, Genre, Heard, LanguageModel, Plan, Progress
from castalia.core.values import Brief, Content, Draft, Evidence, Judged, KeptFile, Language, MarkedFile, Record, Work
from castalia.given import Reader, Upload
from castalia.library import Library
from castalia.modalities import image, music, text
from castalia.modalities.image.look import Seen
from castalia.writer import Seer, Workshop, drawing, look_with, open_vision


class Studio:
    """A person's studio: their settings, library, keys and model.

    Args:
        password: Opens a library that has one.
        progress: Told what is going on.
        heard: Told of each line or sentence that is kept (see `ports.Heard`).
        drawn: Told of the tokens of each (see `ports.Drawn`).
        read_files: Whether words and fields may name files; without, no name is ever looked up on disk.
        data: Where its keys and works lie; None takes the user's own data folder.
        vault: Opened already, of `data`.
        workshop: The models, shared with other studios; of endpoints, none of a user's own keys are used then.
        overrides: Settings (see `castalia config`) that win over environment and file, e.g. `tries=8`.

    Raises:
        UsageError: a setting is wrong.
    """

    def __init__(
        self,
        *,
        password: str | None = None,
        progress: Progress | None = None,
        heard: Heard | None = None,
        drawn: Drawn | None = None,
        read_files: bool = True,
        data: Path | None = None,
        vault: privacy.Vault | None = None,
        workshop: Workshop | None = None,
        **overrides: object,
    ) -> None:
        self.settings = config.load(overrides)
        self.config = self.settings.config
        self._password = password or os.environ.get("CASTALIA_PASSWORD") or None
        self._progress, self._heard, self._drawn = progress, heard, drawn
        self._data = data or folders().data
        if vault:
            self.vault = vault
        self._workshop, self._shared = workshop or Workshop(), workshop is not None
        self._workshop.told = progress
        self.given = Reader(lambda: self.library, self._known, self.look, files=read_files)
        if self.config.lang:
            language.use(self.config.lang, folders().config / "messages")

    # ------------------------------------------------------------ the one way through

    def create(
        self,
        genre: str,
        words: str = "",
        *,
        seed: int | None = None,
        faces: Sequence[str] = (),
        parents: Sequence[str] = (),
        work_id: str = "",
        **fields: object,
    ) -> Work:
        """Make one work and keep it.

        Args:
            genre: Name or alias of an installed genre.
            words: The brief in the user's own words.
            seed: In [0, 2³¹); None draws one.
            faces: File formats whose marks are made at once, by default `png` of a picture, `txt` of all else; others
                can be exported later.
            parents: Ids of works that this one is made from.
            work_id: Its id, a UUID that no work has; empty draws one.
            fields: The genre's own fields (`castalia genres show NAME`).

        Raises:
            UsageError: the genre, a field or the brief is wrong.
            RefusedError: no draft passed the checks; carries the best one.
            MissingError: the model is not installed and may not be fetched.
            SignatureError: the certificate has ended, or the time stamp authority did not answer.
        """
        room = genres.find(genre)
        brief, doubts = self.given.brief(room, words, seed, parents, fields)
        plan = room.plan(brief)
        chosen = files.choose(plan, faces, genre=room.name)
        judged: list[Judged] = []
        for attempt in range(self.config.tries):
            draft = self._revised(room, self._judge(room, self._draft(room, brief, attempt)))
            judged.append(draft.model_copy(update={"findings": (*draft.findings, *doubts)}))
            if judged[-1].passed:
                try:
                    return self.library.keep(self._mark(judged[-1], chosen, work_id), tries=attempt + 1)
                except SignatureError:
                    raise
                except MarkError as error:
                    judged[-1] = quality.with_finding(judged[-1], "watermark", error.message, error.hint)
            if plan.settled:
                break
        raise RefusedError(
            say("No draft passed the checks in {n} tries.", "{n} 次尝试均未通过检查。", n=len(judged)),
            best=quality.nearest(judged),
            tries=len(judged),
            hint=say("It comes out the same each time: change the brief.", "每次结果相同：请修改要求。")
            if plan.settled
            else say(
                "Raise --tries, try another --seed, or change the brief.", "可增大 --tries、更换 --seed 或修改要求。"
            ),
        )

    def variations(
        self,
        genre: str,
        words: str = "",
        *,
        n: int,
        seed: int | None = None,
        faces: Sequence[str] = (),
        parents: Sequence[str] = (),
        **fields: object,
    ) -> Iterator[Work]:
        """`n` works from one brief, each under a seed of its own; see `create`."""
        for each in self.seeds(n, seed):
            yield self.create(genre, words, seed=each, faces=faces, parents=parents, work_id="", **fields)

    def seeds(self, n: int, seed: int | None = None) -> Sequence[int]:
        """The base seeds of `n` variations, so far apart that no two share a try.

        Raises:
            UsageError: the seed is out of range.
        """
        first = seeds.chosen(seed)
        return [seeds.following(first, number * self.config.tries) for number in range(n)]

    def remake(self, work_id: str) -> tuple[Work, tuple[str, ...]]:
        """Make a work again from its record, under the same id and time; nothing new is kept.

        Returns:
            The work, and what differs from the first time (text or environment); empty when it is the same.

        Raises:
            UsageError: there is no such work.
            MissingError: the model that wrote it is not here, and the call names no other.
        """
        old = self.library.get(work_id)
        room = genres.find(old.genre)
        fields = genres.fields_of(room, old.brief.fields.model_dump())
        brief = old.brief.model_copy(update={"fields": fields})
        with self._as_then(old.evidence) if room.plan(brief).steps else nullcontext():
            draft = self._draft(room, brief, (old.evidence.seed - brief.seed) % seeds.SEED_LIMIT)
        judged = self._revised(room, self._judge(room, draft))
        made = old.model_copy(
            update={"content": judged.draft.content, "evidence": judged.draft.evidence, "findings": judged.findings}
        )
        return made, _differences(old, judged)

    def export(self, work: Work, path: Path) -> Path:
        """Write a work as a marked file; the extension chooses the format. Returns the path.

        Raises:
            UsageError: no format has this extension.
            StorageError: the file cannot be written.
        """
        self._deliver(self._exported(work, path.suffix.lstrip(".").lower()), path)
        return path

    def export_bytes(self, work: Work, face: str) -> MarkedFile:
        """A work as a marked file that is sent and not written; the library notes it like one.

        Raises:
            UsageError: no format has this extension.
        """
        file = self._exported(work, face)
        self.library.note(file, f"{work.genre}-{work.id[:8]}.{face}")
        return file

    def thumbnail(self, work: Work, longest: int = 320) -> bytes | None:
        """A small WebP of a picture for a gallery, marked like any file of it and kept; None of a work without one."""
        if work.content.picture is None:
            return None
        kept = self.library.thumbnail(work.id)
        if kept is None:
            made = image.thumbnail(work.content.picture, longest)
            file = provenance.export(work, "webp", keys=self.keys, config=self.config, made=made)
            self.library.note(file, f"{work.genre}-{work.id[:8]}-thumbnail.webp")
            kept = file.content
            self.library.keep_thumbnail(work.id, kept)
        return kept

    def _exported(self, work: Work, face: str) -> MarkedFile:
        files.check(face, work.content, genre=work.genre)
        made = self._made(work.content, [face]).get(face)
        return provenance.export(work, face, keys=self.keys, config=self.config, made=made)

    def explain(self, work: Work) -> explaining.Explanation:
        """Why a work is as it is.

        Of four voices or a melody: doubts, refused pitches, and known passages that come near. Of a drawn picture:
        which words moved which regions, what filled in the rest, and learned pictures that come near.

        Raises:
            UsageError: the work is none of these.
        """
        return explaining.explain(work, self.composers, self.painters)

    def export_explanation(self, work: Work, explanation: explaining.Explanation, path: Path) -> Path:
        """Write an explanation as a file, marked like its work, which it shows. Returns the path.

        Raises:
            UsageError: no explanation has this extension.
            StorageError: the file cannot be written.
        """
        face = path.suffix.lstrip(".").lower()
        made = explaining.file_of(explanation, work, face)
        self._deliver(provenance.export(work, face, keys=self.keys, config=self.config, made=made), path)
        return path

    def printed(self, work: Work) -> str:
        """The marked text of a work for standard output; no signature is seen there, so no time stamp is asked for."""
        unstamped = self.config.model_copy(update={"timestamp_url": ""})
        file = provenance.export(work, "txt", keys=self.keys, config=unstamped)
        self.library.note(file)
        return file.content.decode()

    def mark_file(
        self,
        path: Path,
        out: Path | None = None,
        *,
        action: Literal["generated", "modified"] = "generated",
        model: str = "",
        kind: str = "",
        language: Language | None = None,
        parents: Sequence[str] = (),
        labelled: bool = False,
    ) -> KeptFile:
        """Mark a file that another program made, and remember it in the library.

        What is known of the file, by its own marks or by this library, becomes its lineage.

        Args:
            path: The file; its C2PA sidecar `<file>.c2pa` is read from beside it.
            out: The marked file; None writes `<name>-marked` beside it.
            action: Whether a model made it or changed a person's work.
            model: Name of that model.
            kind: Kind of work; empty takes the format's: picture, sound, film, score, document or text.
            language: Of the visible label; None goes by the file's words, else by the interface.
            parents: Ids of works that it is made from, beside those that are found.
            labelled: A label is seen or heard in it already; asked for where none can be put in: in MP4, in M4A without
                ffmpeg, in animated PNG.

        Raises:
            UsageError: the file is missing or too large, its format is unknown, or `out` names another format.
            MarkError: it is damaged, has no room for a mark, or a mark does not read back.
            StorageError: the marked file cannot be written.
        """
        out = out or path.with_name(f"{path.stem}-marked{path.suffix}")
        face = provenance.format_of(path.suffix)
        if provenance.format_of(out.suffix) is not face:
            raise UsageError(
                say(
                    "A {face} file cannot become {path}.", "{face} 文件不能写成 {path}。", face=face.extension, path=out
                ),
                hint=say("Marking changes no format.", "标识不改变格式。"),
            )
        found = self._known(path)
        record = provenance.foreign_record(
            found,
            provider=self.config.provider or self.keys.studio_name,
            action=action,
            model=privacy.guard(model),
            kind=privacy.guard(kind),
            language=language,
            parents=[self.library.find_record(each).id for each in parents],
        )
        marked = provenance.mark_file(
            found.content,
            extension=face.extension,
            record=record,
            keys=self.keys,
            config=self.config,
            sidecar=found.sidecar,
            labelled=labelled,
        )
        return self._deliver(marked, out)

    def _deliver(self, file: MarkedFile, path: Path) -> KeptFile:
        """Note a marked file in the library, then write it with its sidecar."""
        kept = self.library.note(file, path.name)
        write_atomic(path, file.content)
        if file.sidecar is not None:
            write_atomic(path.with_name(path.name + ".c2pa"), file.sidecar)
        return kept

    def verify(self, sent: Upload, sidecar: bytes | None = None, anchors: bytes = b"") -> provenance.Report:
        """Check all marks of a file that was sent, by this studio's keys and library too.

        Args:
            sent: The file.
            sidecar: Its C2PA manifest, where that came beside it.
            anchors: Certificates (PEM) of further authorities to trust.

        Raises:
            UsageError: it is larger than `provenance.LONGEST`.
        """
        return provenance.verify(
            sent.content,
            name=sent.name,
            sidecar=sidecar,
            anchors=self.keys.anchors() + anchors,
            watermark_keys=self.keys.watermarks(),
            find=self.record_of,
        )

    def find(self, text_or_id: str) -> Work | None:
        """The work with this id, or with this text (white space aside), or None."""
        with suppress(UsageError):
            return self.library.get(text_or_id)
        return self.library.find_by_fingerprint(provenance.text_sha256(text_or_id))

    def record_of(self, key: str) -> Record | None:
        """The record of a work or a marked file by what `verify` knows of it (see `provenance.Find`), or None."""
        library = self.library
        if key.startswith(provenance.PAYLOAD):
            file = library.find_file(payload=key.removeprefix(provenance.PAYLOAD))
        elif key.startswith(provenance.BYTES):
            file = library.find_file(sha256=key.removeprefix(provenance.BYTES))
        else:
            with suppress(UsageError):
                return library.find_record(key)
            fingerprint = provenance.text_sha256(key)
            if (work := library.find_by_fingerprint(fingerprint)) is not None:
                return work.record
            file = library.find_file(fingerprint=fingerprint)
        return file.record if file else None

    # ------------------------------------------------------------ what it stands on

    @cached_property
    def vault(self) -> privacy.Vault:
        """The user's keys, opened."""
        return privacy.Vault.open(self._data, self._password)

    @cached_property
    def library(self) -> Library:
        """The user's works."""
        return Library(self._data / "library.db", self.vault.library_key)

    @cached_property
    def keys(self) -> provenance.Keys:
        """Signing and watermark keys."""
        return provenance.Keys(self.vault, self._data / "certificates")

    @property
    def engine(self) -> LanguageModel:
        """The language model, loaded."""
        return self._workshop.engine(self.config, self._progress, self._secrets())

    @cached_property
    def composers(self) -> music.Composers:
        """The models that write music."""
        return self._workshop.composers(self.config)

    @cached_property
    def painters(self) -> image.Painters:
        """The models that make pictures."""
        return self._workshop.painters(lambda: self.picture_model)

    @property
    def picture_model(self) -> image.Chosen:
        """Which model draws."""
        return drawing(self.config, self._secrets)

    @cached_property
    def vision(self) -> Seer | None:
        """The model that says what pictures show, loaded; None where the settings name none."""
        return self._workshop.vision(lambda: open_vision(self.config, self._secrets))

    def _secrets(self) -> privacy.Vault | None:
        """Where keys of endpoints are kept."""
        return None if self._shared else self.vault

    def look(self, picture: Picture, language: Language = "en") -> Seen:
        """What can be said of a picture: what is measured, and what a vision model guesses where there is one.

        Raises:
            UsageError: the vision model that the settings name is none.
            EngineError: it cannot be reached or loaded, or says nothing.
        """
        return look_with(self.vision, picture, language)

    def drawn_words(self) -> Mapping[str, Sequence[str]]:
        """What the picture model knows: `words`, `styles` and `directions`."""
        return self.painters.drawer.known()

    def close(self) -> None:
        """Close the library and, unless they are shared, free the models."""
        self._drop("library")
        if not self._shared:
            self._drop("painters")
            self._drop("vision")
            self._workshop.close()

    def _drop(self, part: str) -> None:
        if part in self.__dict__:
            with suppress(Exception):
                self.__dict__.pop(part).close()

    # ------------------------------------------------------------ the stages

    def _draft(self, room: Genre, brief: Brief, attempt: int) -> Draft:
        plan, told = room.plan(brief), self._progress
        draft = self._written(room, brief, plan, attempt) if plan.steps else None
        if plan.music:
            draft = music.compose(
                brief, plan, self.composers, room.assemble, words=draft, attempt=attempt, progress=told
            )
        if plan.pictures:
            draft = image.compose(
                brief, plan, self.painters, room.assemble, before=draft, attempt=attempt, progress=told
            )
        assert draft is not None, f"the plan of {room.name} has no steps"
        return draft

    def _written(self, room: Genre, brief: Brief, plan: Plan, attempt: int) -> Draft:
        """The texts of a plan."""
        strength, sampling = self.config.watermark_strength, self.config.sampling
        draft = text.compose(
            brief,
            _sampled(plan, sampling),
            self.engine,
            room.assemble,
            attempt=attempt,
            watermark=self.keys.text_watermark(strength),
            progress=self._progress,
            heard=self._heard,
            drawn=self._drawn,
        )
        evidence = draft.evidence.model_copy(update={"watermark_strength": strength, "sampling": sampling})
        return draft.model_copy(update={"evidence": evidence})

    @contextmanager
    def _as_then(self, evidence: Evidence) -> Generator[None]:
        """Write with a record's model, sampling and watermark strength; a model named in the call wins."""
        then: dict[str, object] = {**dict.fromkeys(config.SAMPLING), **evidence.sampling}
        if evidence.watermark_strength:
            then["watermark_strength"] = evidence.watermark_strength
        named = self.settings.sources["model"] == "command line"
        engine = self._workshop.loaded
        loaded = engine and (named or engine.digest == evidence.digest)
        if not loaded:
            if not named:
                then["model"] = models.written_by(evidence.model, evidence.digest, self.config.model)
            self._workshop.rest()
        now, self.config = self.config, self.config.model_copy(update=then)
        try:
            yield
        finally:
            self.config = now
            if not loaded:
                self._workshop.rest()

    def _judge(self, room: Genre, draft: Draft) -> Judged:
        house = quality.house_rules(personal=privacy.personal, talk=room.plan(draft.brief).talk)
        return quality.judge(draft, [*room.rules(draft.brief), *house])

    def _revised(self, room: Genre, judged: Judged) -> Judged:
        """The draft mended by its genre where that is possible, judged again; else as it was."""
        if judged.passed:
            return judged
        draft = judged.draft
        parts = room.revise(draft, judged.broken)
        if parts is None:
            return judged
        mended = draft.model_copy(update={"parts": parts, "content": room.assemble(draft.brief, parts)})
        again = self._judge(room, mended)
        return again if again.passed else judged

    def _mark(self, judged: Judged, chosen: Sequence[str], work_id: str) -> provenance.Marked:
        self._make_keys()
        draft = judged.draft
        return provenance.mark(
            judged,
            faces=chosen,
            action=draft.evidence.action,
            keys=self.keys,
            config=self.config,
            made=self._made(draft.content, chosen),
            id_=work_id,
        )

    def _made(self, content: Content, chosen: Sequence[str]) -> Mapping[str, bytes]:
        return files.made(content, chosen, soundfont=self.config.soundfont)

    def _known(self, file: Path | Upload) -> provenance.Foreign:
        """A file with what its marks and the library say of it."""
        self._make_keys()
        source, name = (file, "") if isinstance(file, Path) else (file.content, file.name)
        return provenance.read_foreign(source, name=name, keys=self.keys, find=self.record_of)

    def _make_keys(self) -> None:
        with self.vault.locked():  # two first works at once share their keys
            self.keys.make()


def _sampled(plan: Plan, sampling: Mapping[str, int | float]) -> Plan:
    """The plan with the user's sampling values in each step."""
    changed: dict[str, Any] = dict(sampling)
    return Plan(tuple(replace(step, sampling=replace(step.sampling, **changed)) for step in plan.steps))


def _differences(old: Work, new: Judged) -> tuple[str, ...]:
    before, after = old.evidence, new.draft.evidence
    # A picture's watermark is put in when it leaves, and is not made again.
    names = ("model", "digest", "engine", *(() if old.content.picture else ("watermark",)))
    changed = [
        f"{name}: {getattr(before, name)} → {getattr(after, name)}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    ]
    if old.content != new.draft.content:
        picture = old.content.picture is not None
        if picture and before.digest.startswith(("http://", "https://")):
            changed.insert(
                0,
                say(
                    "{model} draws behind an endpoint, which promises no picture twice",
                    "{model} 在端点后绘画，不保证画出相同的图片",
                    model=before.model,
                ),
            )
        changed.insert(0, say("the picture differs", "图片不同") if picture else say("the text differs", "文本不同"))
    return tuple(changed)
