"""The values that travel the one way through: Brief → Plan → Draft → Judged → Marked → Work.

All are immutable. Each stage takes only the value of the stage before it, so that a work can not skip one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import Field, SerializeAsAny

from castalia.core.picture import Picture
from castalia.core.score import Score
from castalia.core.value import Value

Language = Literal["en", "zh"]
"""Language of a work, as an ISO 639-1 code."""


class GivenText:
    """Marks a text field of a brief (`Annotated[str, GivenText()]`) that may also name a text file or a work.

    The studio then takes the words of that file or work; the work becomes a parent.
    """


class Exact:
    """Marks a text field of a brief whose white space at the ends counts."""


def pictures_in(value: object) -> tuple[Picture, ...]:
    """The pictures that a field holds: one, several or none."""
    several = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    return tuple(each for each in several if isinstance(each, Picture))


class BriefFields(Value):
    """What every genre lets the user say beside the words; a genre adds its own fields in a subclass.

    Each field's `description` is its help text, English first, then Chinese, separated by " | ".
    """

    language: Annotated[Language, Field(description="language of the work: en or zh | 作品语言：en 或 zh")] = "en"
    style: Annotated[
        str, Field(max_length=500, description="how it should sound, in your own words | 用自己的话说明想要的风格")
    ] = ""


class Brief(Value):
    """What the user asks for."""

    genre: str
    """Canonical name of the genre."""
    words: str
    """The user's own words, cleaned; treated as material, never as instructions to the program."""
    fields: SerializeAsAny[BriefFields]
    seed: int
    """Base seed; the k-th try uses `seeds.following(seed, k)`."""
    parents: tuple[str, ...] = ()
    """Ids of the works that this one is made from."""

    @property
    def said(self) -> str:
        """All that the user said, words and fields, as one text: what a faithful work may draw on."""
        pictures = {name: held for name, value in self.fields if (held := pictures_in(value))}
        flat = [picture.described for held in pictures.values() for picture in held]
        for value in self.fields.model_dump(mode="json", exclude={"language", "style", *pictures}).values():
            flat += value if isinstance(value, list) else [value] if isinstance(value, str) else []
        return "\n".join(each for each in (self.words, *flat) if each)


class Content(Value):
    """A finished work before any mark, independent of the file format."""

    title: str = ""
    text: str
    """The work alone as plain text, title included where the genre prints one; what `--json` shows as `text`."""
    markdown: str = ""
    """The same with light Markdown structure; empty means that `text` serves."""
    fields: Mapping[str, Any] = Field(default_factory=dict)
    """Named parts, for genres that deliver them (an advert's headlines and descriptions)."""
    language: Language = "en"
    score: Score | None = None
    """The music, where the work is some; `text` then holds its words, or its notes written out."""
    picture: Picture | None = None
    """The picture, where the work is one; `text` then describes it in words."""


class Finding(Value):
    """One rule's answer about one draft; data, so that every surface can show it."""

    rule: str
    """Stable name of the rule, e.g. `syllables`, `rhyme`, `unsupported-number`."""
    ok: bool
    place: str = ""
    """Where: `line 2`, `headline 1`, the sentence itself; empty for the whole work."""
    found: str = ""
    wanted: str = ""
    hint: str = ""
    """How to mend it."""
    severity: Literal["refuse", "note"] = "refuse"
    """A failed `refuse` finding refuses the draft; a failed `note` is only shown."""

    @property
    def refuses(self) -> bool:
        """Whether this finding alone keeps the draft from being delivered."""
        return not self.ok and self.severity == "refuse"


class Evidence(Value):
    """How a draft came to be: what `remake` needs, and what the marks are verified against."""

    model: str
    digest: str
    """SHA-256 of the weights, or the endpoint's URL and model name for remote engines."""
    engine: str
    """Engine and build, e.g. `xllamacpp 2026.10.11549`."""
    threads: int = 0
    seed: int
    prompt_tokens: int = 0
    """Tokens of all prompts that a model of this machine read."""
    sampled_tokens: int = 0
    """Tokens drawn by our sampling loop, and so able to carry the watermark."""
    watermark: str = "none"
    """`<scheme>:<key id>`, or `none`."""
    watermark_reason: str = ""
    """Why there is no watermark, when there is none."""
    watermark_strength: float = 0.0
    """Bias that acted while sampling, nats, also where the text is too short to count as marked."""
    sampling: Mapping[str, int | float] = Field(default_factory=dict)
    """Sampling values that the user set; the rest was the genre's choice."""
    action: Literal["generated", "modified"] = "generated"
    """Whether a model made the work or changed a person's."""
    filled_from: Mapping[str, str] = Field(default_factory=dict)
    """By step, the learned picture whose name filled in what the words of a drawn picture left open."""
    form: Literal["masked", "checked", "none"] = "none"
    """Whether form rules acted on each token, or only on finished text (generate and check)."""
    seconds: float = 0.0


class Draft(Value):
    """One attempt at the work."""

    brief: Brief
    content: Content
    parts: Mapping[str, str] = Field(default_factory=dict)
    """Text of each step of the plan, by step name."""
    evidence: Evidence
    score: float = 0.0
    """The modality critic's score; higher is better, comparable only within one brief."""


class Judged(Value):
    """A draft with every rule's finding."""

    draft: Draft
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing keeps it from being delivered."""
        return not any(finding.refuses for finding in self.findings)

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The findings that keep it from being delivered."""
        return tuple(finding for finding in self.findings if finding.refuses)


class Record(Value):
    """The one record about a work that every mark carries or points to (docs/marking.md)."""

    id: str
    """Unique id, also the TC260 ProduceID and the C2PA instance: `urn:uuid:…` without the prefix."""
    action: Literal["generated", "modified"] = "generated"
    provider: str
    """Organisation or person who runs this studio."""
    system: str = "Castalia"
    version: str
    model: str
    model_digest: str
    """SHA-256 of the weights, or `endpoint#<model>`."""
    created: datetime
    """UTC."""
    digital_source_type: str
    watermark: str = "none"
    watermark_reason: str = ""
    watermark_payload: Annotated[str, Field(pattern="^([0-9a-f]{12})?$")] = ""
    """48 bits, hexadecimal, where an incoming file's watermark was kept; else those that follow from `id`."""
    verify: str = "castalia verify"
    """How anybody can check the marks."""
    parents: tuple[str, ...] = ()
    genre: str
    language: Language = "en"
    text_sha256: str
    """SHA-256 of the text with white space folded: the fingerprint by which the library finds it again."""


class MarkedFile(Value):
    """One marked file: its bytes with embedded labels, and the signed sidecar manifest."""

    face: str
    """File extension without the dot."""
    content: bytes
    sidecar: bytes | None = None
    """C2PA manifest store to be written as `<file>.c2pa`; None when it is embedded in `content`."""
    record: Record
    """The record that its marks carry or point to."""
    label: str
    """Its visible label; empty when an editor took responsibility for leaving it out."""
    payload: str = ""
    """48 bits, hexadecimal, that pixels or samples carry; empty where there is no such watermark."""


class KeptFile(Value):
    """A marked file that left the studio, as the library remembers it; the bytes are with the user."""

    sha256: str
    """Of the marked file."""
    name: str
    """Under which it was written, without folders; empty for standard output."""
    face: str
    label: str
    """As in `MarkedFile`."""
    made: datetime
    """When it left, UTC."""
    record: Record


class Marked(Value):
    """A judged draft that carries its marks; the only thing the library keeps."""

    judged: Judged
    record: Record
    files: tuple[MarkedFile, ...]
    """At least the face `txt`, plus each face that was asked for."""


class Work(Value):
    """A finished work as the library holds it."""

    id: str
    genre: str
    status: Literal["delivered", "refused"] = "delivered"
    brief: Brief
    content: Content
    findings: tuple[Finding, ...]
    evidence: Evidence
    record: Record
    tries: int = 1
    rating: int | None = None
    """The user's rating, 1 to 5, or None."""

    @property
    def text(self) -> str:
        """The work alone as plain text."""
        return self.content.text

    def as_json(self, files: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The object that `--json` prints and machine interfaces send; content clean, record beside it.

        Args:
            files: Paths written, by face.
        """
        shown: dict[str, Any] = {
            "id": self.id,
            "genre": self.genre,
            "status": self.status,
            "seed": self.evidence.seed,
            "model": self.evidence.model,
            "tries": self.tries,
            "text": self.text,
        }
        if self.content.fields:
            shown["fields"] = dict(self.content.fields)
        if self.content.picture:
            shown["picture"] = {"width": self.content.picture.width, "height": self.content.picture.height}
        return shown | {
            "findings": [finding.model_dump() for finding in self.findings],
            "files": dict(files or {}),
            "castalia": self.record.model_dump(mode="json"),
        }
