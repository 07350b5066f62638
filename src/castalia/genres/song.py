"""Song: words, given or written, set to a rhythm by their stress, a melody for them, and an accompaniment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from castalia.core import seeds
from castalia.core.errors import UsageError
from castalia.core.language import is_chinese, say
from castalia.core.music import ArrangementStep, MusicStepMaker, Span, TuneStep
from castalia.core.ports import Plan, Rule
from castalia.core.score import Metre, Note, Part, Score
from castalia.core.values import Brief, BriefFields, Content, Draft, Finding, GivenText, Language
from castalia.genres._lyric_steps import CHORUS, VERSE, lyric_steps, written_lyrics
from castalia.genres._lyrics import LINES, Lyrics, OfSection, given_lyrics
from castalia.genres._music import Key, Tempo, mood_of, wished_key
from castalia.genres._players import ensemble
from castalia.modalities.music import Pace, SetStanza, grid_of, set_stanza, sung_to
from castalia.quality import (
    AmbitusRule,
    BareNotesRule,
    BarsRule,
    BassRule,
    BelowMelodyRule,
    BreathRule,
    ChordFitRule,
    EndTogetherRule,
    EveryBarRule,
    InstrumentRangeRule,
    LineCountRule,
    MelodyEndRule,
    MetreRule,
    OverlapRule,
    RegulatedRhymeRule,
    RepeatedLineRule,
    RhymeRule,
    ScaleRule,
    SungRule,
    SyllableRule,
    UnbrokenWordRule,
    VerseShapeRule,
    WordStressRule,
)

PROGRAMS = {"voice": 53, "choir": 52, "flute": 73, "violin": 40, "piano": 0, "guitar": 24, "organ": 19}
METRES = {"4/4": (4, 4), "3/4": (3, 4), "6/8": (6, 8)}
LOWEST, HIGHEST = 60, 76
"""What most people can sing, in the octave of women's and children's voices."""
ARRANGED = "song"
"""Name of the step that writes the whole song."""
VARIED = 0.35
"""Temperature at which chords are drawn, so that another seed finds others."""
_LIVELIER = 1.25
"""A song's tempo against that of a chorale of the same mood."""
_PACES: tuple[Pace, ...] = ("plain", "flowing", "dotted")


class SongFields(BriefFields):
    """Fields of a song."""

    lyrics: Annotated[
        str,
        Field(
            description="words to be sung: text, a text file, or a work's id | 要演唱的歌词：文字、文本文件或作品编号"
        ),
        GivenText(),
    ] = ""
    verses: Annotated[int, Field(ge=1, le=3, description="verses that are written | 所写段数")] = 2
    chorus: Annotated[bool, Field(description="whether a chorus is written | 是否写副歌")] = True
    tone: Annotated[str, Field(max_length=100, description="mood, e.g. tender, merry | 情调，如 温柔、欢快")] = ""
    key: Annotated[str, Field(max_length=20, description="key, e.g. E minor, Bb | 调，如 E小调、降B大调")] = ""
    metre: Annotated[
        Literal["", "4/4", "3/4", "6/8"], Field(description="4/4, 3/4 or 6/8; empty: by the seed | 拍号；空：随种子")
    ] = ""
    tempo: Annotated[Tempo, Field(ge=0, le=240, description="quarters a minute; 0: by the mood | 速度；0：按情绪")] = 0
    sound: Annotated[
        Literal["voice", "choir", "flute", "violin", "piano", "guitar", "organ"],
        Field(description="what sings the melody: voice, choir, flute, violin, piano, guitar, organ | 旋律的音色"),
    ] = "voice"
    accompaniment: Annotated[
        Literal["piano", "guitar", "strings", "band", "chords", "none"],
        Field(description="piano, guitar, strings, band, chords or none | 伴奏：钢琴、吉他、弦乐、乐队、和弦或无"),
    ] = "piano"


class Song:
    """See the module."""

    name = "song"
    aliases = ("歌曲", "歌", "歌谣", "hymn", "lullaby", "ballad")
    languages = ("en", "zh")
    title = ("Song", "歌曲")
    summary = (
        "words in verses and a chorus, or those given, set by their stress to a melody; every syllable has its note",
        "写主歌与副歌，或用给定的歌词，按音节与重音配节奏和旋律；一字一音，句末换气",
    )
    fields: type[BriefFields] = SongFields

    def plan(self, brief: Brief) -> Plan:
        """The words where none are given, then a tune for each kind of section."""
        fields = _fields(brief)
        if fields.lyrics:
            names = given_lyrics(fields.lyrics).names
            return Plan(music=(*(_tune(brief, name) for name in names), *_accompanied(brief)))
        if not brief.words.strip():
            raise UsageError(
                say("A song needs words or a subject.", "歌曲需要歌词或题材。"),
                hint=say(
                    'castalia create song "the harbour at night"  /  --lyrics poem.txt',
                    "castalia create song “秋夜江上”  /  --lyrics 诗.txt",
                ),
            )
        steps = lyric_steps(brief.words, fields.language, verses=fields.verses, chorus=fields.chorus, tone=fields.tone)
        names = ("verse", "chorus")[: 1 + fields.chorus]
        return Plan(steps, (*(_tune(brief, name) for name in names), *_accompanied(brief)))

    def assemble(self, brief: Brief, parts: Mapping[str, str]) -> Content:
        """The words to be read, and the whole song as a score; the lines as they are sung stand in `fields`."""
        lyrics = _lyrics(brief, parts)
        language = _language(brief, lyrics)
        sung = [line for section in lyrics.sections for line in section.lines]
        try:
            done = parts.get(ARRANGED)
            score = Score.model_validate_json(done) if done else _whole(brief, lyrics, parts)
        except (ValidationError, KeyError):  # the words alone, while the tunes are not written: the rules refuse it
            return Content(title=lyrics.title, text=lyrics.text, language=language)
        return Content(title=lyrics.title, text=lyrics.text, fields={"sung": sung}, score=score, language=language)

    def rules(self, brief: Brief) -> Sequence[Rule]:
        """The form of written words, the words' place in the melody, and the melody."""
        fields = _fields(brief)
        return (
            *(() if fields.lyrics else _written_rules(fields)),
            SungRule(),
            BareNotesRule(),
            WordStressRule(),
            UnbrokenWordRule(),
            BreathRule(),
            ScaleRule(),
            AmbitusRule(smallest=4),
            MelodyEndRule(),
            BarsRule(),
            *(() if fields.accompaniment == "none" else _accompaniment_rules()),
        )

    def revise(self, draft: Draft, findings: Sequence[Finding]) -> None:
        """Nothing to mend: a song is written anew."""


def _fields(brief: Brief) -> SongFields:
    assert isinstance(brief.fields, SongFields)
    return brief.fields


def _accompaniment_rules() -> tuple[Rule, ...]:
    return (
        EveryBarRule(),
        BassRule(),
        ChordFitRule(),
        BelowMelodyRule(),
        InstrumentRangeRule(),
        OverlapRule(),
        EndTogetherRule(),
    )


def _written_rules(fields: SongFields) -> list[Rule]:
    """What the forms of the verses and the chorus promise."""
    chinese = fields.language == "zh"
    stanzas = ["verse", *["chorus"] * fields.chorus, *["verse"] * (fields.verses - 1)]
    made: list[Rule] = []
    for number, name in enumerate(stanzas):
        if chinese:
            rules: list[Rule] = [VerseShapeRule(LINES, 5 if name == "chorus" else 7), RegulatedRhymeRule("xinyun")]
        else:
            shapes = CHORUS if name == "chorus" else VERSE
            rules = [
                LineCountRule(LINES),
                SyllableRule(tuple(tuple(map(len, patterns)) for patterns, _ in shapes)),
                MetreRule(tuple(patterns for patterns, _ in shapes)),
                RhymeRule("".join(letter for _, letter in shapes)),
            ]
        made += [OfSection(rule, number) for rule in rules]
    return [*made, RepeatedLineRule()]


def _lyrics(brief: Brief, parts: Mapping[str, str]) -> Lyrics:
    fields = _fields(brief)
    if fields.lyrics:
        return given_lyrics(fields.lyrics)
    return written_lyrics(parts, brief.words, chorus=fields.chorus)


def _language(brief: Brief, lyrics: Lyrics) -> Language:
    """That of given words is their own."""
    if not _fields(brief).lyrics:
        return brief.fields.language
    return "zh" if is_chinese(lyrics.text) else "en"


# ---------------------------------------------------------------- to music


def _tune(brief: Brief, name: str) -> MusicStepMaker:
    """The step that writes the tune of the sections of a name."""

    def step(parts: Mapping[str, str]) -> TuneStep:
        lyrics = _lyrics(brief, parts)
        settings = _settings(brief, lyrics)
        stanza = settings.get(name) or settings["verse"]  # no chorus was written: the rules refuse the draft
        return TuneStep(
            name=_step_name(name),
            sketch=_sketch(brief, lyrics, stanza.pickup),
            length=stanza.ends[-1],
            rhythm=stanza.rhythm,
            phrases=stanza.ends,
            lowest=LOWEST,
            highest=HIGHEST,
        )

    return step


def _accompanied(brief: Brief) -> tuple[MusicStepMaker, ...]:
    """The step that finds chords under the whole song and plays them; none where it is sung alone."""
    fields = _fields(brief)
    if fields.accompaniment == "none":
        return ()

    def step(parts: Mapping[str, str]) -> ArrangementStep:
        lyrics = _lyrics(brief, parts)
        sung = _whole(brief, lyrics, parts)
        players = ensemble(fields.accompaniment, sung.tempo, _language(brief, lyrics), brief.seed)
        again = _again(brief, lyrics)
        return ArrangementStep(ARRANGED, sung, sung.length, players, alike=again, temperature=VARIED)

    return (step,)


def _again(brief: Brief, lyrics: Lyrics) -> tuple[tuple[Span, int], ...]:
    """Where the bars of a section come again, but its last two, which lead on to what follows or end the song."""
    settings, bar = _settings(brief, lyrics), _metre(brief).bar
    begin = settings[lyrics.sections[0].name].pickup
    first: dict[str, int] = {}
    made: list[tuple[Span, int]] = []
    for section in lyrics.sections:
        end = begin + settings[section.name].bars * bar
        if section.name in first and end - 2 * bar > begin:
            made.append((Span(begin, end - 2 * bar), first[section.name]))
        first.setdefault(section.name, begin)
        begin = end
    return tuple(made)


def _step_name(section: str) -> str:
    return f"{section}_tune".replace(" ", "_")


def _settings(brief: Brief, lyrics: Lyrics) -> dict[str, SetStanza]:
    """The rhythm of each kind of section; all leave time for the longest pickup that may follow."""
    grid = grid_of(_metre(brief), _pace(brief))
    verses = {name: lyrics.stanzas(name) for name in lyrics.names}
    alone = {
        name: set_stanza(stanzas, grid, seed=seeds.following(brief.seed, 64 * number))
        for number, (name, stanzas) in enumerate(verses.items())
    }
    pickups = {name: stanza.pickup // grid.slot for name, stanza in alone.items()}
    closing = max(pickups.values(), default=0)
    return {
        name: stanza
        if pickups[name] == closing
        else set_stanza(
            verses[name],
            grid,
            seed=seeds.following(brief.seed, 64 * number),
            pickup=pickups[name],
            closing=closing,
        )
        for number, (name, stanza) in enumerate(alone.items())
    }


def _whole(brief: Brief, lyrics: Lyrics, parts: Mapping[str, str]) -> Score:
    """All sections one after the other, each to its tune.

    Raises:
        KeyError, ValidationError: a tune has not been written.
    """
    settings = _settings(brief, lyrics)
    tunes = {name: Score.model_validate_json(parts[_step_name(name)]) for name in settings}
    texts = {name: list(dict.fromkeys(s.lines for s in lyrics.sections if s.name == name)) for name in settings}
    notes: list[Note] = []
    pickup = settings[lyrics.sections[0].name].pickup
    begin = pickup
    for section in lyrics.sections:
        stanza, tune = settings[section.name], tunes[section.name]
        lines = stanza.verses[texts[section.name].index(section.lines)]
        sung = sung_to(tune.parts[0].notes, [note for line in lines for note in line])
        notes += [note._replace(start=note.start + begin - stanza.pickup) for note in sung]
        begin += stanza.bars * _metre(brief).bar
    notes[-1] = notes[-1]._replace(length=begin - notes[-1].start)
    sketch = _sketch(brief, lyrics, pickup)
    return sketch.model_copy(update={"parts": (sketch.parts[0].model_copy(update={"notes": tuple(notes)}),)})


def _sketch(brief: Brief, lyrics: Lyrics, pickup: int) -> Score:
    fields = _fields(brief)
    said = f"{brief.words} {fields.tone} {fields.style}"
    mode, tempo = mood_of(f"{said} {lyrics.text}" if fields.lyrics else said)
    key = wished_key(fields.key, said) or _drawn(brief.seed, mode)
    voice = ("Voice", "人声")[_language(brief, lyrics) == "zh"]
    return Score(
        title=lyrics.title,
        parts=(Part(name=voice, program=PROGRAMS[fields.sound], kind="voice"),),
        fifths=key.fifths,
        mode=key.mode,
        metres=(_metre(brief),),
        pickup=pickup,
        tempo=fields.tempo or _rounded(tempo * _LIVELIER, _metre(brief)),
    )


def _rounded(tempo: float, metre: Metre) -> float:
    """Quarters a minute that are a whole number of beats, which are dotted quarters in 6/8."""
    beat = 1.5 if metre.unit == 8 else 1.0
    return round(tempo / beat) * beat


def _metre(brief: Brief) -> Metre:
    fields = _fields(brief)
    drawn = ("4/4", "4/4", "3/4", "6/8")[brief.seed // 3 % 4]
    if is_chinese(fields.lyrics or brief.words):
        drawn = ("4/4", "4/4", "4/4", "3/4")[brief.seed // 3 % 4]  # even feet, which three eighths would limp in
    return Metre(0, *METRES[fields.metre or drawn])


def _pace(brief: Brief) -> Pace:
    return _PACES[brief.seed % len(_PACES)]


def _drawn(seed: int, mode: Literal["major", "minor"] | None) -> Key:
    """A key of few accidentals, by the seed; major where the words say nothing of it, as most songs are."""
    chosen = mode or ("minor" if seed % 5 == 0 else "major")
    return Key((0, 1, -1, 2, -2, 3, -3)[seed // 2 % 7], chosen)


GENRE = Song()
