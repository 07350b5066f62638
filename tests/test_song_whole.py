"""Songs from given words to finished files, with the models that write tunes and chords."""

from __future__ import annotations

from pathlib import Path

import pytest

from castalia.core.values import Work
from castalia.modalities.music import read_score
from castalia.studio import Studio

POEM = """The boats come in before the dark
And tie against the wall.
An old man lifts his lantern up
To hear the seagulls call.

His coat is torn, his hands are cold,
His hair is full of foam,
But every wave behind his boat
Has pushed him gently home."""


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Studio:
    monkeypatch.setenv("CASTALIA_HOME", str(tmp_path))
    monkeypatch.setenv("CASTALIA_OFFLINE", "1")
    return Studio(tries=4)


def test_a_poem_becomes_a_song_that_is_sung_accompanied_and_marked(studio: Studio, tmp_path: Path) -> None:
    work = studio.create("song", lyrics=POEM, seed=3, accompaniment="guitar")
    score = work.content.score
    assert score is not None
    assert score.chords
    assert len(score.parts) > 1
    assert all(finding.ok or finding.severity == "note" for finding in work.findings)
    for face in ("musicxml", "abc", "mid"):
        path = tmp_path / f"song.{face}"
        studio.export(work, path)
        back = read_score(path.read_bytes(), face)
        sung = next(part for part in back.parts if any(note.lyric for note in part.notes))
        assert [note.lyric for note in sung.notes] == [note.lyric for note in score.parts[0].notes]
    again, differences = studio.remake(work.id)
    assert again.content == work.content
    assert not differences
    studio.close()


def test_a_work_is_sung_and_becomes_a_parent(studio: Studio) -> None:
    poem = studio.create("song", lyrics=POEM, seed=3, accompaniment="none")
    song: Work = studio.create("song", lyrics=poem.id[:8], seed=4, metre="6/8", accompaniment="none")
    assert song.record.parents == (poem.id,)
    assert song.content.text == poem.content.text
    assert song.content.score != poem.content.score
    studio.close()


@pytest.mark.parametrize("metre", ["4/4", "3/4", "6/8"])
def test_verses_are_sung_to_one_tune(studio: Studio, metre: str) -> None:
    score = studio.create("song", lyrics=POEM, seed=5, metre=metre, accompaniment="none").content.score
    assert score is not None
    notes = score.parts[0].notes
    half = len(notes) // 2
    assert [note.pitch for note in notes[:half]] == [note.pitch for note in notes[half:]]
    studio.close()
