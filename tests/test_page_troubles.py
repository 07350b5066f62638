"""The page when something goes wrong: what failed is said, nothing turns for ever, and nothing is lost unasked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from browsers import amount, browsing, go, log_in, opened, until
from servers import PASSWORD, Served, tile

SILENT = "The server does not answer."


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def served(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With a pattern and a short chorale in Ada's library, and Bo's account."""
    server = Served(tmp_path_factory.mktemp("page") / "server").start()
    ada = server.sign_up("Ada")
    server.made = [
        ada.make("pattern", "leaves", fields={"picture": tile()}, seed=5),
        ada.make("chorale", seed=4, fields={"bars": 2}),
    ]
    server.sign_up("Bo", ada.client.post("/api/invitations").json()["invitation"])
    yield server
    server.stop()


@pytest.fixture
def ada(browser: Any, served: Served) -> Iterator[Any]:
    page = opened(browser, served)
    log_in(page, "Ada")
    yield page
    assert page.complaints == []
    page.context.close()


def fail(route: Any) -> None:
    route.fulfill(status=500, json={"error": {"message": "The disk is full.", "code": "failed", "hint": "Free some."}})


def test_what_settings_cannot_show_they_say(ada):
    for each in ("quota", "keys", "accounts", "audit*"):
        ada.route(f"**/api/{each}", fail)
    go(ada, "/settings")
    ada.get_by_text("What was done with accounts and keys").click()
    amount(ada.get_by_role("alert").filter(has_text="Next: Free some."), 4)
    assert ada.locator("main .spinner").count() == 0


def test_a_star_or_rating_that_was_not_taken_says_so(ada, served):
    go(ada, f"/work/{served.made[0]['works'][0]}")
    ada.route("**/api/works/**", lambda route: route.continue_() if route.request.method == "GET" else route.abort())
    ada.get_by_role("button", name="Star").click()
    ada.get_by_role("alert").filter(has_text=SILENT).wait_for()
    ada.get_by_role("alert").get_by_role("button", name="Close").click()
    amount(ada.get_by_role("alert"), 0)
    ada.locator(".rating label").first.click()
    ada.get_by_role("alert").filter(has_text=SILENT).wait_for()


def test_who_could_not_be_logged_out_is_told(ada):
    ada.route("**/api/session", lambda route: route.abort())
    ada.get_by_role("button", name="Log out").click()
    ada.get_by_role("alert").filter(has_text=SILENT).wait_for()
    ada.unroute("**/api/session")
    ada.get_by_role("button", name="Log out").click()
    ada.get_by_role("heading", name="Log in").wait_for()
    assert ada.get_by_text("Your session has ended").count() == 0


def test_a_session_that_ended_is_said_and_begins_again_where_it_was(ada):
    ada.context.clear_cookies()
    ada.evaluate("location.hash = '/library'")
    ada.get_by_text("Your session has ended").wait_for()
    log_in(ada, "Ada")
    ada.get_by_role("heading", name="Library").wait_for()


def test_a_secret_is_copied_over_plain_http_too(ada):
    ada.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    go(ada, "/settings")
    ada.get_by_role("button", name="Invite somebody").click()
    address = ada.get_by_role("dialog").locator("input").input_value()
    ada.get_by_role("button", name="Copy").click()
    ada.get_by_role("button", name="Copied").wait_for()
    ada.keyboard.press("Escape")
    ada.get_by_label("What the key is for").focus()
    ada.keyboard.press("Control+V")
    assert ada.get_by_label("What the key is for").input_value() == address[:64]


def test_a_reply_that_breaks_off_or_is_stopped_says_so(ada):
    said = {"choices": [{"index": 0, "delta": {"content": "It is"}, "finish_reason": None}]}
    ada.route(
        "**/v1/chat/completions",
        lambda route: route.fulfill(content_type="text/event-stream", body=f"data: {json.dumps(said)}\n\n"),
    )
    go(ada, "/chat")
    ada.get_by_label("Your message").fill("What is the capital of France?")
    ada.get_by_role("button", name="Send").click()
    ada.locator(".turn.assistant").get_by_role("alert").filter(has_text=SILENT).wait_for()
    assert "It is" in ada.locator(".turn.assistant").inner_text()
    ada.unroute("**/v1/chat/completions")
    ada.route("**/v1/chat/completions", lambda route: None)  # never answered
    ada.get_by_label("Your message").fill("And of Norway?")
    ada.get_by_role("button", name="Send").click()
    ada.get_by_role("button", name="Stop").click()
    ada.locator(".turn.assistant").last.get_by_text("Stopped here; it is not kept.").wait_for()
    amount(ada.locator(".dots"), 0)


def test_a_conversation_fits_a_phone(browser, served):
    page = opened(browser, served, locale="zh-CN", viewport={"width": 390, "height": 844})
    log_in(page, "Ada")
    names = ["castalia", "a-model-of-a-long-name-1.5b-instruct-q4_k_m", "another"]
    page.route("**/v1/models", lambda route: route.fulfill(json={"data": [{"id": each} for each in names]}))
    page.route("**/v1/chat/completions", fail)
    go(page, "/chat")
    page.get_by_label("您的消息").fill("你好" * 100)
    page.get_by_role("button", name="发送").click()
    page.get_by_role("button", name="新对话").wait_for()
    page.get_by_label("模型").select_option(names[1])
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert page.get_by_role("button", name="发送").bounding_box()["x"] < 390 - 60
    page.context.close()


def test_a_step_on_the_command_line_is_called_so_and_a_call_is_not_told(ada):
    go(ada, "/create/song")
    ada.get_by_role("button", name="Create", exact=True).click()
    told = ada.locator("article.job").get_by_role("alert").filter(has_text="A song needs words or a subject.")
    told.get_by_text("On the command line: castalia create song").wait_for()
    assert "Next:" not in told.inner_text()
    ada.evaluate("location.hash = '/work/nothing'")
    ada.get_by_role("alert").filter(has_text="No work has the id").wait_for()
    assert "GET /api" not in ada.locator("main").inner_text()


def test_a_collection_whose_stream_breaks_is_followed_and_a_failure_stays(ada, tmp_path):
    pytest.importorskip("torch", reason="needs castalia[train]")
    broken = []

    def once(route: Any) -> None:
        route.continue_() if broken else route.fulfill(status=503)
        broken.append(True)

    ada.route("**/api/jobs/*/events", once)
    path = tmp_path / "prints.zip"
    path.write_bytes(b"no archive")
    go(ada, "/collections")
    for label, said in (("Name", "prints"), ("Owner", "Ada"), ("Licence", "own work")):
        ada.get_by_label(label).fill(said)
    ada.get_by_role("button", name="Add", exact=True).click()
    ada.get_by_role("alert").filter(has_text="There are no files yet.").wait_for()
    ada.locator("main input[type=file]").set_input_files(path)
    ada.get_by_role("button", name="Add", exact=True).click()
    ada.get_by_role("alert").filter(has_text="prints.zip").wait_for()
    assert broken
    go(ada, "/verify")
    go(ada, "/collections")
    ada.get_by_role("alert").filter(has_text="prints.zip").wait_for()


def test_every_work_of_a_large_library_is_shown(ada, served):
    """The server's own answer about one work, as from a library of 450."""
    chorale = ada.evaluate(f"fetch('/api/works/{served.made[1]['works'][0]}').then((answer) => answer.json())")
    every = [{**chorale, "id": f"work-{n}"} for n in range(450)]

    def answer(route: Any) -> None:
        asked = dict(each.split("=") for each in route.request.url.split("?")[1].split("&"))
        start, most = int(asked.get("offset", 0)), int(asked["limit"])
        assert most <= 200
        route.fulfill(json={"works": every[start : start + most], "total": 450, "boards": {}})

    ada.route("**/api/works?*", answer)
    go(ada, "/library")
    shown = 24
    while shown < 450:
        ada.locator(".work-card").nth(shown - 1).wait_for()
        ada.get_by_role("button", name="Show more").click()
        shown += 24
    amount(ada.locator(".work-card"), 450)
    amount(ada.get_by_role("button", name="Show more"), 0)


def test_music_without_a_title_is_chosen_by_its_kind_not_by_its_notes(ada):
    go(ada, "/create/variation")
    chosen = ada.get_by_label("From the library …").first.locator("option").nth(1)
    assert chosen.inner_text().startswith("Chorale · ")


def test_a_room_is_named_in_the_window_as_on_the_page(ada, served):
    go(ada, "/library")
    until(ada, "document.title === 'Library · Castalia'")
    ada.evaluate("location.hash = '/library?board=walls'")
    until(ada, "document.title === 'walls · Castalia'")
    assert ada.get_by_role("heading", name="walls").is_visible()


def test_the_administrator_sees_whose_limits_and_whom_a_button_is_for(ada, served):
    people = ada.evaluate("fetch('/api/accounts').then((answer) => answer.json())")
    bo = next(each["id"] for each in people if each["name"] == "Bo")
    served.log_in("Ada").client.patch(
        f"/api/accounts/{bo}", json={"quota": {"works": 2, "bytes": 50_000_000, "jobs_a_day": 3}}
    )
    go(ada, "/settings")
    row = ada.locator(".rows > li").filter(has=ada.get_by_role("button", name="Limits of Bo"))
    assert "/ 50 MB · at most 2 works · at most 3 jobs a day" in row.inner_text()
    row.get_by_role("button", name="Shut out: Bo").click()
    row.get_by_role("button", name="Let in again: Bo").click()
    row.get_by_role("button", name="Shut out: Bo").wait_for()
    ada.route(f"**/api/accounts/{bo}", fail)
    row.get_by_role("button", name="Delete Bo").click()
    ada.get_by_role("dialog").get_by_role("button", name="Delete").click()
    ada.get_by_role("dialog").get_by_role("alert").filter(has_text="The disk is full.").wait_for()


def test_a_chinese_page_says_what_was_done_and_can_be_chosen_in_chinese(browser, served):
    page = opened(browser, served, locale="zh-CN")
    log_in(page, "Ada", PASSWORD)
    go(page, "/settings")
    page.get_by_text("账户与密钥操作记录").click()
    page.locator(".audit").get_by_text("登录", exact=True).first.wait_for()
    go(page, "/models")
    notes = page.locator(".models > li > div > p.hint:nth-of-type(3)").all_inner_texts()
    assert len(notes) > 8
    assert all(re.search("[一-鿿]{2}", each) for each in notes), notes
    go(page, "/create/chorale")
    page.get_by_text("更多设置").click()
    assert page.get_by_label("音色").locator("option").all_inner_texts() == ["合唱", "管风琴", "弦乐", "钢琴", "铜管"]
    assert page.get_by_text("音色：合唱、管风琴、弦乐、钢琴、铜管").is_visible()
    go(page, "/create/redraw")
    page.get_by_role("group", name="蒙版").wait_for()
    page.context.close()


def test_who_is_lost_or_on_a_phone_finds_the_way(browser, served):
    page = opened(browser, served, viewport={"width": 390, "height": 844})
    log_in(page, "Ada")
    go(page, "/settings")
    row = page.locator(".rows > li").filter(has=page.get_by_role("button", name="Limits of Bo"))
    assert row.locator("div").first.bounding_box()["width"] >= 176  # the buttons stand below
    go(page, "/nowhere")
    page.locator("main").get_by_role("link", name="Create").click()
    page.get_by_role("heading", name="What would you like to make?").wait_for()
    page.context.close()


def test_a_job_that_is_gone_is_no_longer_waited_for(ada):
    gone = {"error": {"message": "There is no such job.", "code": "no_job"}}
    ada.route("**/api/jobs/*/events", lambda route: route.fulfill(status=404, json=gone))
    ada.route(re.compile(r"/api/jobs/[^/?]+$"), lambda route: route.fulfill(status=404, json=gone))
    go(ada, "/create/chorale")
    before = ada.locator("article.job").count()
    ada.get_by_label("Brief").fill("one that is gone")
    with ada.expect_response(re.compile(r"/api/jobs/[^/?]+$")):
        ada.get_by_role("button", name="Create", exact=True).click()
    amount(ada.locator("article.job"), before)
