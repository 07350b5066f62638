"""The page as people use it, in a real browser on a real server."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import castalia.server
from browsers import amount, browsing, go, log_in, opened, sign_up, until
from servers import PASSWORD, Served, tile

PAGE = Path(castalia.server.__file__).with_name("page")
EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def served(browser: Any, english_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = {"CASTALIA_MODEL": "smollm2-135m", "CASTALIA_TRIES": "1", "CASTALIA_THREADS": "1"}
    server = Served(tmp_path_factory.mktemp("page") / "server", environment=settings).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def ada(browser: Any, served: Served) -> Any:
    """The page of the administrator."""
    page = opened(browser, served)
    assert re.fullmatch(r"(\w{5}-){5}\w{5}", sign_up(page, "Ada"))
    return page


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("picture") / "a <b>tile.png"
    path.write_bytes(base64.b64decode(tile()["base64"]))
    return path


def make_pattern(page: Any, picture: Path, words: str = "", seed: int | None = 5) -> Any:
    """Make a pattern; returns its card."""
    go(page, "/create")  # leaves a form that was filled in
    go(page, "/create/pattern")
    page.locator("form input[type=file]").set_input_files(picture)
    page.get_by_label("Brief").fill(words)
    if seed is not None:
        page.get_by_label("Seed").fill(str(seed))
    before = page.locator("article.job").count()
    page.get_by_role("button", name="Create", exact=True).click()
    page.locator("article.job").nth(before).wait_for()  # others may stand there from before
    card = page.locator("article.job").first
    card.locator(".variation.made .rules").wait_for()
    return card


def show(face: Any) -> None:
    """Open a work by its picture."""
    face.click()
    face.page.get_by_label("Name of a board").wait_for()  # the card may be there for a moment more


def test_a_newcomer_makes_keeps_takes_and_verifies_a_picture(ada, tmp_path):
    ada.get_by_label("Search all kinds of works").fill("small picture")
    ada.locator('a.genre[href="#/create/picture"]').click()
    ada.get_by_label("Brief").fill("a red fox")
    ada.get_by_label("Seed").fill("7")
    ada.get_by_label("Variations").fill("2")
    ada.get_by_role("button", name="Create 2 variations").click()
    made = ada.locator("article.job .variation.made")
    made.nth(1).locator(".rules").wait_for()
    assert "rules kept" in made.first.locator(".rules summary").inner_text()
    made.first.locator(".rules summary").click()
    assert made.first.locator(".rules li.yes").count() > 5
    assert made.first.locator(".rules li.no").count() == 0
    assert "Seed 7" in made.first.inner_text()

    go(ada, "/library")
    amount(ada.locator(".work-card"), 2)
    ada.locator(".work-card a.face").first.click()
    ada.locator(".canvas img").wait_for()
    with ada.expect_download() as waiting:
        ada.get_by_role("button", name="Download as png").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.suffix == ".png"

    go(ada, "/verify")
    ada.locator("main input[type=file]").set_input_files(path)
    ada.get_by_text("Generated; signed by a trusted studio.").wait_for()
    assert ada.locator(".layers li.yes").count() == 7
    assert ada.get_by_role("link", name="It is a work of your library.").is_visible()
    assert ada.complaints == []


def test_a_job_is_found_after_a_reload_and_cancelled(ada):
    go(ada, "/create/chorale")  # seconds a piece, which outlast the reload
    ada.get_by_label("Brief").fill("a blue bird")
    ada.get_by_label("Variations").fill("8")
    ada.get_by_role("button", name="Create 8 variations").click()
    ada.locator("article.job").first.get_by_role("button", name="Cancel").wait_for()
    ada.reload()
    job = ada.locator("article.job").first
    job.locator(".said").filter(has_text="a blue bird").wait_for()
    job.get_by_role("progressbar").wait_for()
    job.get_by_role("button", name="Cancel").click()
    job.locator(".badge.cancelled").wait_for()
    assert job.locator(".variation.made").count() < 8
    assert job.get_by_role("button", name="Try again").is_visible()
    job.get_by_role("button", name="Put away").click()
    amount(ada.locator("article.job").filter(has_text="a blue bird"), 0)


def test_many_jobs_at_once_leave_the_page_its_connections(ada, picture):
    go(ada, "/create/pattern")
    ada.locator("form input[type=file]").set_input_files(picture)
    ada.get_by_label("Brief").fill("many at once")
    for _ in range(8):
        ada.get_by_role("button", name="Create", exact=True).click()
        ada.wait_for_timeout(50)
    mine = ada.locator("article.job").filter(has_text="many at once")
    amount(mine, 8)
    amount(mine.locator(".badge.done"), 8)
    amount(mine.locator(".variation.made"), 8)


def test_two_people_see_nothing_of_each_other(ada, browser, served, picture):
    make_pattern(ada, picture)
    mine = ada.locator(".variation.made a.face").first.get_attribute("href")
    go(ada, "/settings")
    ada.get_by_role("button", name="Invite somebody").click()
    address = ada.get_by_label("Invitation").and_(ada.locator("input")).input_value()
    ada.keyboard.press("Escape")
    bo = opened(browser, served, address.removeprefix(served.url + "/"))
    sign_up(bo, "Bo")
    go(bo, "/library")
    bo.get_by_text("Nothing here yet").wait_for()
    go(bo, mine.removeprefix("#"))
    assert "No work has the id" in bo.get_by_role("alert").inner_text()
    go(bo, "/settings")
    assert bo.get_by_role("button", name="Invite somebody").count() == 0
    go(ada, "/library")
    ada.locator(".work-card").nth(2).wait_for()
    bo.get_by_role("button", name="Log out").click()
    bo.get_by_role("heading", name="Log in").wait_for()
    log_in(bo, "Bo")
    bo.context.close()


def test_what_somebody_or_a_model_wrote_is_never_markup(ada, served, picture, tmp_path):
    go(ada, "/create/pattern")
    ada.locator("form input[type=file]").set_input_files(picture)
    assert "a <b>tile.png" in ada.locator(".held").inner_text()
    show(make_pattern(ada, picture, words=f"{EVIL} leaves").locator(".variation.made a.face").first)
    assert EVIL in ada.locator("h1").inner_text()
    ada.get_by_label("Name of a board").fill("<b onclick=alert(1)>walls</b>")
    ada.get_by_role("button", name="Put there").click()
    ada.get_by_role("link", name="<b onclick=alert(1)>walls</b>").click()
    ada.locator("h1", has_text="<b onclick=alert(1)>walls</b>").wait_for()
    page = tmp_path / f"{EVIL[:30].replace('/', '')}.html"
    page.write_text(f"<html><body>{EVIL}</body></html>")
    go(ada, "/verify")
    ada.locator("main input[type=file]").set_input_files(page)
    ada.locator(".report").wait_for()
    assert ada.evaluate("window.hacked") is None
    assert ada.locator("main b, main img[src=x]").count() == 0
    assert ada.complaints == []


def test_no_script_of_the_page_makes_markup_of_text():
    own = [path for path in PAGE.rglob("*.js") if "vendor" not in path.parts]
    assert len(own) > 10
    for path in own:
        found = re.findall(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", path.read_text()
        )
        assert not found, path


def test_a_work_is_starred_put_on_a_board_rated_found_and_deleted(ada, picture):
    card = make_pattern(ada, picture, words="plum coloured fence", seed=11)
    show(card.locator(".variation.made a.face").first)
    ada.get_by_role("button", name="Star").click()
    ada.locator("button.star.on").wait_for()
    ada.get_by_label("Name of a board").fill("walls")
    ada.get_by_role("button", name="Put there").click()
    ada.get_by_role("link", name="walls", exact=True).wait_for()
    ada.locator(".rating label").nth(3).click()
    amount(ada.locator(".rating label.on"), 4)
    go(ada, "/library?board=walls")
    amount(ada.locator(".work-card"), 1)
    go(ada, "/library")
    ada.get_by_role("button", name="Starred").click()
    amount(ada.locator(".work-card"), 1)
    ada.get_by_role("button", name="Starred").click()
    ada.get_by_label("Search").fill("plum fence")
    amount(ada.locator(".work-card"), 1)
    show(ada.locator(".work-card", has_text="plum").first.locator("a.face"))
    ada.get_by_role("button", name="Delete").click()
    ada.get_by_role("dialog").get_by_role("button", name="Delete").click()
    ada.get_by_role("heading", name="Library").wait_for()
    ada.get_by_label("Search").fill("plum fence")
    ada.get_by_text("Nothing found").wait_for()


def test_the_settings_of_a_work_are_used_again(ada, picture):
    go(ada, "/create/picture")
    ada.get_by_label("Brief").fill("a green tree")
    ada.get_by_label("Seed").fill("21")
    ada.get_by_text("More settings").click()
    ada.get_by_role("combobox", name="Language").select_option("zh")
    ada.get_by_role("button", name="Create", exact=True).click()
    show(ada.locator("article.job").filter(has_text="a green tree").locator(".variation.made a.face"))
    ada.get_by_role("link", name="Use these settings again").click()
    until(ada, "document.querySelector('textarea')?.value === 'a green tree'")
    assert ada.get_by_label("Seed").input_value() == "21"
    assert ada.get_by_role("combobox", name="Language").input_value() == "zh"


def test_two_works_are_compared_side_by_side(ada):
    go(ada, "/library")
    for number in (0, 1):
        ada.locator(".work-card .choose input").nth(number).check()
    ada.get_by_role("link", name="Compare").click()
    ada.locator(".compare article").nth(1).wait_for()
    assert ada.locator(".compare dl").count() == 2


def test_music_shows_its_score_and_plays(ada):
    go(ada, "/create/chorale")
    ada.get_by_text("More settings").click()
    ada.get_by_label("Bars").fill("2")
    ada.get_by_label("Seed").fill("4")
    ada.get_by_label("Brief").fill("evening")
    ada.get_by_role("button", name="Create", exact=True).click()
    show(ada.locator("article.job .variation.made a.face").first)
    ada.locator(".score img").wait_for()
    assert ada.evaluate("document.querySelector('.score img').naturalWidth") > 100
    ada.get_by_role("button", name="Play").click()
    ada.locator("audio").wait_for()
    until(ada, "document.querySelector('audio')?.duration > 3")
    assert ada.complaints == []


def test_a_conversation_comes_in_marked_replies(ada):
    go(ada, "/chat")
    for _ in range(5):  # the seed is drawn, and what the smallest model says is refused now and then
        ada.get_by_label("Your message").fill("What is the capital of France?")
        ada.keyboard.press("Enter")
        ada.locator(".turn.assistant .marked, .turn.assistant .notice").wait_for(timeout=60_000)
        if ada.locator(".turn.assistant .marked").count():
            break
        ada.get_by_role("button", name="New conversation").click()
    assert len(ada.locator(".turn.assistant .paper").inner_text()) > 5
    assert ada.locator(".turn.assistant .marked a").get_attribute("href").startswith("#/work/")


def test_a_refused_draft_is_shown_with_every_rule_and_what_to_do(ada):
    go(ada, "/create/social")
    ada.get_by_label("Brief").fill("We open on Monday at 9.")
    ada.get_by_text("More settings").click()
    ada.get_by_label("Keywords").fill("犬")  # an English model does not write it
    ada.get_by_label("Seed").fill("1")
    ada.get_by_role("button", name="Create", exact=True).click()
    refused = ada.locator(".variation.refused")
    refused.wait_for(timeout=120_000)
    assert refused.locator(".rules li.no").count() >= 1
    assert "Next:" in refused.inner_text()
    assert ada.get_by_role("button", name="Try again").is_visible()


def test_a_draft_is_previewed_as_one_that_was_not_checked(ada):
    go(ada, "/create/haiku")
    ada.get_by_label("Brief").fill("first snow over the harbour")
    ada.get_by_label("Seed").fill("7")
    ada.get_by_label("Variations").fill("2")
    ada.get_by_role("button", name="Create 2 variations").click()
    preview = ada.locator(".variation.pending").filter(has_text="Preview: not checked yet").locator(".paper")
    preview.first.wait_for()
    assert len(preview.first.inner_text()) > 5
    ada.locator("article.job .badge:is(.done, .refused)").first.wait_for()
    amount(ada.locator(".variation.pending"), 0)


def test_a_dropped_file_finds_its_field(ada, picture):
    go(ada, "/create/pattern")
    held = ada.evaluate_handle("() => new DataTransfer()")
    ada.evaluate(
        "([held, content]) => held.items.add(new File([Uint8Array.from(atob(content), each => each.charCodeAt(0))], "
        "'dropped.png', { type: 'image/png' }))",
        [held, tile()["base64"]],
    )
    ada.dispatch_event("form.stack", "drop", {"dataTransfer": held})
    ada.locator(".held").wait_for()
    assert "dropped.png" in ada.locator(".held").inner_text()
    ada.get_by_role("button", name="Remove dropped.png").click()
    amount(ada.locator(".held"), 0)


def test_a_form_says_which_file_is_missing(ada):
    go(ada, "/create/pattern")
    ada.get_by_label("Brief").fill("without a picture")
    before = ada.locator("article.job").count()
    ada.get_by_role("button", name="Create", exact=True).click()
    ada.get_by_role("alert").filter(has_text="Picture is missing. Drop or choose a file.").wait_for()
    assert ada.locator("article.job").count() == before


def test_keys_are_shown_once_and_revoked(ada, served):
    go(ada, "/settings")
    ada.get_by_label("What the key is for").fill("my program")
    ada.get_by_role("button", name="Make a key").click()
    key = ada.get_by_role("dialog").get_by_label("my program").input_value()
    assert served.client(Authorization=f"Bearer {key}").get("/api/works").status_code == 200
    ada.keyboard.press("Escape")
    assert key not in ada.content()
    ada.get_by_role("button", name="Revoke the key my program").click()
    ada.get_by_text("No keys yet.").wait_for()
    assert served.client(Authorization=f"Bearer {key}").get("/api/works").status_code == 401


def test_the_administrator_limits_what_an_account_may_have(ada, served):
    go(ada, "/settings")
    ada.get_by_role("button", name="Limits of Ada").click()
    ada.get_by_label("Works", exact=True).fill("900")
    ada.get_by_label("Megabytes on the disk").fill("2500")
    ada.get_by_role("button", name="Save").click()
    ada.get_by_role("dialog").wait_for(state="detached")
    account = ada.evaluate("fetch('/api/session').then((answer) => answer.json())")["account"]
    assert account["quota"] == {"works": 900, "bytes": 2_500_000_000, "jobs_a_day": None}
    go(ada, "/library")
    go(ada, "/settings")
    ada.get_by_text("/ 900").wait_for()
    assert "/ 2.5 GB" in ada.locator(".settings").inner_text()
    ada.get_by_role("button", name="Limits of Ada").click()
    assert ada.get_by_label("Megabytes on the disk").input_value() == "2500"
    ada.get_by_label("Works", exact=True).fill("-1")
    ada.get_by_role("button", name="Save").click()
    assert ada.get_by_role("dialog").is_visible()  # the browser says what is wrong
    for label in ("Works", "Megabytes on the disk"):
        ada.get_by_label(label, exact=True).fill("")
    ada.get_by_role("button", name="Save").click()
    ada.get_by_role("dialog").wait_for(state="detached")
    account = ada.evaluate("fetch('/api/session').then((answer) => answer.json())")["account"]
    assert set(account["quota"].values()) == {None}


def test_a_wrong_password_is_said_and_the_right_one_opens(ada, browser, served):
    page = opened(browser, served)
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill("wrong words entirely")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").wait_for()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name="What would you like to make?").wait_for()
    page.context.close()


def test_models_say_whether_they_are_here_and_fit(ada):
    go(ada, "/models")
    ada.get_by_label("Search models").fill("smollm2-135m")
    model = ada.locator(".models > li")
    amount(model, 1)
    assert "installed" in model.inner_text()
    ada.get_by_label("Search models").fill("")
    assert ada.get_by_role("button", name="Fetch ").count() >= 1
    assert ada.get_by_text("fits this machine").count() >= 1


def test_a_collection_is_added_and_deleted(ada, picture):
    pytest.importorskip("torch", reason="needs castalia[train]")
    go(ada, "/collections")
    ada.get_by_text("No collections yet").wait_for()
    ada.get_by_label("Name").fill("tiles")
    ada.get_by_label("Owner").fill("Ada")
    ada.get_by_label("Licence").fill("own work")
    ada.locator("main input[type=file]").set_input_files(picture)
    ada.get_by_role("button", name="Add", exact=True).click()
    ada.get_by_role("button", name="Delete tiles").wait_for()
    assert "1 pieces · Ada · own work" in ada.locator(".rows li").inner_text()
    ada.get_by_role("button", name="Delete tiles").click()
    ada.get_by_role("dialog").get_by_role("button", name="Keep it").click()
    ada.get_by_role("button", name="Delete tiles").click()
    ada.get_by_role("dialog").get_by_role("button", name="Delete").click()
    ada.get_by_text("No collections yet").wait_for()
