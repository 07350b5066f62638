"""What a person gives → `Brief`: words, fields, and the files and works that these name.

A field that takes a score, a picture or a longer text may be given as the name of a file or the id of a work; what the
file's marks say of its making goes along.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast, get_args

from castalia import genres, privacy, provenance, quality
from castalia.core import language, seeds
from castalia.core.errors import UsageError
from castalia.core.language import say
from castalia.core.picture import Picture
from castalia.core.ports import Genre
from castalia.core.score import Score
from castalia.core.values import Brief, Exact, Finding, GivenText, Language, Work, pictures_in
from castalia.library import Library
from castalia.modalities import image, music
from castalia.modalities.image.look import Seen

_LONGEST_NAME = 1_000
"""Characters of a text that may be the name of a file."""
_TEXT_FILES = (".txt", ".text", ".md", ".html", ".docx")
"""What ends in one of these is taken for the name of a file, also where there is none, and read without its marks."""
_ID = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{3,35}")
"""Of a work, or its beginning."""
_PICTURE = "picture"
"""The field that a picture is given by."""
_Held = TypeVar("_Held", Score, Picture)


@dataclass(frozen=True)
class Given:
    """What a field was given, read."""

    value: object
    parents: Sequence[str] = ()
    """Ids of the works that it is, or is part of."""
    doubts: Sequence[Finding] = ()
    """What was left out or may be wrong."""


@dataclass(frozen=True)
class Upload:
    """A file that was sent: its bytes, and what it is called; nothing is looked up on disk by that name."""

    name: str
    content: bytes


class Reader:
    """Makes briefs of what is given.

    Args:
        library: Opens the user's works.
        known: Reads a file with what its marks and the library say of it; raises `UsageError` for a format without
            marks.
        look: Says what can be said of a picture, in a language.
        files: Whether text may name a file. Without, no name is ever looked up on disk; ids of works still are.
    """

    def __init__(
        self,
        library: Callable[[], Library],
        known: Callable[[Path | Upload], provenance.Foreign],
        look: Callable[[Picture, Language], Seen],
        *,
        files: bool = True,
    ) -> None:
        self._library, self._known, self._look, self._files = library, known, look, files

    def brief(
        self, room: Genre, words: str, seed: int | None, parents: Sequence[str], fields: Mapping[str, object]
    ) -> tuple[Brief, Sequence[Finding]]:
        """The brief, and doubts about what it was read from.

        Args:
            room: The genre.
            words: As the person said them; nothing but the name of a picture's file, or a work's id, where the genre
                takes a picture, stands for that picture.
            seed: None draws one.
            parents: Ids of works that the new one is made from, beside those that are found.
            fields: By name; None leaves one out.

        Raises:
            UsageError: the brief is empty, or a field, a file or the seed is wrong.
        """
        words, fields = self._picture_named(room, words, fields)
        words, fields, about = self._about_picture(room, words, fields)
        cleaned = privacy.guard(words)
        read = {name: self._read(room, name, value) for name, value in fields.items() if value is not None}
        given = {name: _guarded(each.value, strip=not _exact(room, name)) for name, each in read.items()}
        given.setdefault("language", _language_of(cleaned or " ".join(map(_said, given.values())), room))
        brief = Brief(
            genre=room.name,
            words=cleaned,
            fields=genres.fields_of(room, given),
            seed=seeds.chosen(seed),
            parents=(*parents, *about.parents, *(work for each in read.values() for work in each.parents)),
        )
        if not brief.said.strip() and not any(
            isinstance(value, Score) or pictures_in(value) for _, value in brief.fields
        ):
            raise UsageError(
                say("The brief is empty.", "要求为空。"),
                hint=f'castalia create {room.name} "{say("first snow over the harbour", "秋夜江上望月")}"',
            )
        return brief, [*about.doubts, *(doubt for each in read.values() for doubt in each.doubts)]

    def _read(self, room: Genre, name: str, value: object) -> Given:
        """A field's value; what a name or an id leads to, where the field takes those."""
        field = room.fields.model_fields.get(name)
        if field is not None and field.annotation == tuple[Picture, ...]:
            return self._pictures(value)
        if field is None or not isinstance(value, str | Path | Upload):
            return Given(value)
        if any(isinstance(mark, GivenText) for mark in field.metadata):
            return self._sent_text(value) if isinstance(value, Upload) else self._text(str(value))
        kinds = get_args(field.annotation) or (field.annotation,)
        if isinstance(value, Upload):
            return self._sent(value, name, kinds)
        if not {Score, Picture} & {*kinds}:
            return Given(value)
        if str in kinds and not self._leads_on(str(value)):
            return Given(value)
        return self._score(value) if Score in kinds else self._picture(value)

    def _text(self, value: str) -> Given:
        """The words of a text file or of a work; any other text is taken as it is."""
        plain = value.strip()
        if "\n" in plain or len(plain) > _LONGEST_NAME:
            return Given(value)
        path = Path(plain)
        there = self._is_file(path)
        if not there and (work := self._work(plain)):  # `face` and `deed` are words too
            return Given(work.text, (work.id,))
        if not self._files or path.suffix.lower() not in _TEXT_FILES:
            return Given(_decoded(path) if there else value)
        found = self._known(path)
        return Given(found.words, (found.parent,) if found.parent else ())

    def _sent(self, sent: Upload, name: str, kinds: Sequence[object]) -> Given:
        """What a file holds that was sent for a field."""
        if Score in kinds:
            return self._read_score(sent)
        if Picture in kinds:
            return self._read_picture(sent)
        raise UsageError(
            say("Field {name} takes no file.", "字段 {name} 不接受文件。", name=name),
            hint=say("Give it as text.", "请以文字给出。"),
        )

    def _sent_text(self, sent: Upload) -> Given:
        if Path(sent.name).suffix.lower() not in _TEXT_FILES:
            return Given(_decoded(sent))
        found = self._known(sent)
        return Given(found.words, (found.parent,) if found.parent else ())

    def _score(self, value: str | Path) -> Given:
        if not self._is_file(Path(value)) and (work := self._work(str(value))):
            return Given(_held(work, work.content.score, say("music", "乐谱")), (work.id,))
        return self._read_score(self._allowed(value))

    def _read_score(self, file: Path | Upload) -> Given:
        score, doubts = score_in(file)
        return Given(score, self._parents(file), doubts)

    def _picture(self, value: str | Path) -> Given:
        if not self._is_file(Path(value)) and (work := self._work(str(value))):
            return Given(_held(work, work.content.picture, say("picture", "图片")), (work.id,))
        return self._read_picture(self._allowed(value))

    def _read_picture(self, file: Path | Upload) -> Given:
        picture, rest = image.read_picture_and_rest(_content(file), file.name)
        found = None
        with suppress(UsageError):  # a format that carries no marks
            found = self._known(file)
        if found is not None and found.by_model:
            picture = picture.model_copy(update={"made_by": "model"})
        parents = (found.parent,) if found and found.parent else ()
        if parents and (work := self._work(parents[0])) and (own := work.content.picture):
            whole = own.sheet is None and (own.width, own.height) == (picture.width, picture.height)
            if whole and self._is_ours(file, work):
                return Given(own, parents)  # without the label that is painted into the file
            picture = picture.model_copy(update={"described": own.described})
        return Given(picture, parents, [_doubt("reading", each, file) for each in rest])

    def _is_ours(self, file: Path | Upload, work: Work) -> bool:
        """Whether a file is, byte for byte, one that the studio wrote of this work."""
        kept = self._library().find_file(sha256=hashlib.sha256(_content(file)).hexdigest())
        return kept is not None and kept.record.id == work.id

    def _pictures(self, value: object) -> Given:
        """Several, from names and ids, one after the other."""
        if isinstance(value, str):
            named: Sequence[object] = genres.listed(value)
        else:
            named = (value,) if isinstance(value, Upload) else cast("Sequence[object]", value)
        read = [self._one_of(each) for each in named]
        parents = tuple(dict.fromkeys(parent for each in read for parent in each.parents))
        return Given(tuple(each.value for each in read), parents, [doubt for each in read for doubt in each.doubts])

    def _one_of(self, value: object) -> Given:
        if isinstance(value, Upload):
            return self._read_picture(value)
        return self._picture(value) if isinstance(value, str | Path) else Given(value)

    def _picture_named(self, room: Genre, words: str, fields: Mapping[str, object]) -> tuple[str, Mapping[str, object]]:
        """The words and fields, where words that only name a picture have become the genre's first one."""
        named = next((name for name, field in room.fields.model_fields.items() if _takes_picture(field.annotation)), "")
        plain = words.strip()
        if not named or fields.get(named) is not None or not plain:
            return words, fields
        named_so = self._files and Path(plain).suffix.lower().lstrip(".") in image.READABLE
        if (named_so and (" " not in plain or self._is_file(Path(plain)))) or self._work(plain):
            return "", {**fields, named: plain}
        return words, fields

    def _about_picture(
        self, room: Genre, words: str, fields: Mapping[str, object]
    ) -> tuple[str, Mapping[str, object], Given]:
        """The words, with what a picture shows, where the room writes words or music and so takes no picture itself."""
        value = fields.get(_PICTURE)
        if value is None or _PICTURE in room.fields.model_fields or not takes(room, _PICTURE):
            return words, fields, Given(None)
        read = self._one_of(value)
        picture = cast("Picture", read.value)
        chosen = fields.get("language") or _language_of(words, room)
        spoken: Language = "zh" if chosen == "zh" else "en"
        seen = self._look(picture, spoken)
        said = [words.strip(), picture.described.strip(), seen.theme(spoken)]
        rest = {name: each for name, each in fields.items() if name != _PICTURE}
        # the words are Chinese or English as the description is, whatever the person's few words were
        rest = {**rest, "language": spoken} if spoken in room.languages else rest
        return "\n".join(each for each in said if each), rest, Given(None, read.parents, [*read.doubts, _guessed(seen)])

    def _leads_on(self, text: str) -> bool:
        """Whether a text is the name of a file, or a work's id."""
        return self._is_file(Path(text)) or self._work(text) is not None

    def _work(self, text: str) -> Work | None:
        if _ID.fullmatch(text.strip()):
            with suppress(UsageError):
                return self._library().get(text.strip().lower())
        return None

    def _parents(self, file: Path | Upload) -> Sequence[str]:
        """The work that a file is, by its marks or the library."""
        with suppress(UsageError):  # a format that carries no marks
            known = self._known(file).parent
            return (known,) if known else ()
        return ()

    def _is_file(self, path: Path) -> bool:
        """Whether a file is there; words that are too long for a name, or not allowed in one, name none."""
        try:
            return self._files and path.is_file()
        except (OSError, ValueError):
            return False

    def _allowed(self, value: str | Path) -> Path:
        if self._files:
            return Path(value)
        raise UsageError(
            say("No file is read by its name here: {name}.", "此处不按文件名读取文件：{name}。", name=value),
            hint=say("Give the id of a work, or the content itself.", "请给出作品编号或内容本身。"),
        )


def takes(room: Genre, name: str) -> bool:
    """Whether a brief of the genre may have that field: one of its own, or a picture to write about."""
    known = room.fields.model_fields
    return name in known or (name == _PICTURE and not any(_takes_picture(each.annotation) for each in known.values()))


def score_in(file: Path | Upload) -> tuple[Score, Sequence[Finding]]:
    """The score of a file, and what of it was left out; of a recording what may be heard wrong, its key guessed.

    Raises:
        UsageError: it is no music, damaged, or too large.
        MissingError: a recording is given, and onnxruntime is not installed.
    """
    content = _content(file)
    kind = music.recognise(content, Path(file.name).suffix.lstrip(".").lower())
    if kind not in music.RECORDED:
        score, rest = music.read_score_and_rest(content, kind)
        return score, [_doubt("reading", each, file) for each in rest]
    heard = music.hear(content, after=provenance.announcement)  # a work of ours is heard without its label
    key = quality.key_of(heard.score)
    doubts = [_doubt("hearing", doubt, file) for doubt in heard.doubts]
    return heard.score.model_copy(update={"fifths": key.fifths, "mode": key.mode}), doubts


def _content(file: Path | Upload) -> bytes:
    """A file's bytes.

    Raises:
        UsageError: it is too large.
    """
    if isinstance(file, Path):
        return provenance.read_limited(file)
    if len(file.content) > provenance.LONGEST:
        raise UsageError(
            say(
                "{name} is larger than {n} MB.",
                "{name} 大于 {n} MB。",
                name=file.name,
                n=provenance.LONGEST // 1_000_000,
            )
        )
    return file.content


def _held(work: Work, found: _Held | None, what: str) -> _Held:
    if found is None:
        raise UsageError(
            say("The work {id} holds no {what}.", "作品 {id} 中没有{what}。", id=work.id[:8], what=what),
            hint="castalia works list",
        )
    return found


def _takes_picture(annotation: object) -> bool:
    kinds = get_args(annotation) or (annotation,)
    return Picture in kinds and str not in kinds


def _decoded(file: Path | Upload) -> str:
    """The text of a file of no format that carries marks."""
    try:
        return _content(file).decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            say("{path} is not UTF-8 text.", "{path} 不是 UTF-8 文本。", path=file.name), hint="iconv -t UTF-8"
        ) from error


def _doubt(rule: str, found: str, file: Path | Upload) -> Finding:
    return Finding(rule=rule, ok=False, severity="note", found=found, wanted="", place=file.name)


def _guessed(seen: Seen) -> Finding:
    """How far a description may be trusted."""
    return Finding(
        rule="picture",
        ok=False,
        severity="note",
        found=seen.guess("zh" if language.current() == "zh" else "en")
        or say(
            "described by light and colours alone; what it shows was not recognised",
            "仅按光线和颜色描述，未识别图中内容",
        ),
        wanted=say("what the picture shows", "图片的内容"),
        hint=say(
            "Say in words what it shows where this is wrong or too little.", "如有误或不足，请用文字说明图片内容。"
        ),
    )


def _exact(room: Genre, name: str) -> bool:
    """Whether white space at the ends of a field counts."""
    field = room.fields.model_fields.get(name)
    return field is not None and any(isinstance(mark, Exact) for mark in field.metadata)


def _guarded(value: object, *, strip: bool) -> object:
    if isinstance(value, str):
        return privacy.guard(value, strip=strip)
    if isinstance(value, (list, tuple)):
        return tuple(_guarded(each, strip=strip) for each in cast("Sequence[object]", value))
    return value


def _said(value: object) -> str:
    held = pictures_in(value)
    return " ".join(each.described for each in held) if held else str(value)


def _language_of(words: str, room: Genre) -> str:
    """The brief's own language where the genre has it, without words the interface's, else the genre's first."""
    guess = ("zh" if language.is_chinese(words) else "en") if any(map(str.isalpha, words)) else language.current()
    return guess if guess in room.languages else room.languages[0]
