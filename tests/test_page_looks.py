"""The page for everybody: screen readers, keyboards, phones, both languages, light and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import castalia.server
from browsers import browsing, go, log_in, opened, until
from castalia import genres
from servers import PASSWORD, Served, tile

PAGE = Path(castalia.server.__file__).with_name("page")
ROOMS = ("create", "create/picture", "library", "verify", "chat", "models", "collections", "settings", "nowhere")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def served(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With a pattern and a short chorale in Ada's library."""
    server = Served(tmp_path_factory.mktemp("page") / "server").start()
    ada = server.sign_up("Ada")
    made = [
        ada.make("pattern", "leaves", fields={"picture": tile()}, seed=5),
        ada.make("chorale", seed=4, fields={"bars": 2}),
    ]
    assert [each["state"] for each in made] == ["done", "done"]
    ada.client.patch(f"/api/works/{made[0]['works'][0]}", json={"starred": True, "boards": ["walls"]})
    ada.client.put(f"/api/works/{made[0]['works'][0]}/rating", json={"rating": 4})
    server.rooms = [
        *ROOMS,
        *(f"work/{each['works'][0]}" for each in made),
        "/".join(["compare", *(each["works"][0] for each in made)]),
    ]
    yield server
    server.stop()


LOOKS = (
    ("en-GB", "light", 1280),
    ("zh-CN", "dark", 390),
    pytest.param("zh-CN", "light", 1280, marks=pytest.mark.slow),
    pytest.param("en-GB", "dark", 390, marks=pytest.mark.slow),
)


@pytest.mark.parametrize(("spoken", "colours", "width"), LOOKS)
def test_every_room_is_accessible_and_fits(browser, served, spoken, colours, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python")
    page = opened(browser, served, locale=spoken, color_scheme=colours, viewport={"width": width, "height": 844})
    for place in (None, *served.rooms):
        if place is None:
            page.locator("form").wait_for()
        elif page.locator("nav.rooms").count() == 0:
            log_in(page, "Ada")
        if place is not None:
            go(page, f"/{place}")
            page.locator(".score img, .canvas img").first.wait_for() if place.startswith("work") else None
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width, place
        page.wait_for_timeout(400)  # until what appears slowly is there
        found = axe.Axe().run(page).response["violations"]
        serious = [
            (each["id"], [node["html"] for node in each["nodes"]])
            for each in found
            if each["impact"] in ("serious", "critical")
        ]
        assert not serious, (place, json.dumps(serious, indent=1))
        assert page.evaluate("document.documentElement.lang") == ("zh-CN" if spoken == "zh-CN" else "en")
    assert page.complaints == []
    page.context.close()


def test_a_keyboard_alone_makes_a_work(browser, served):
    page = opened(browser, served)
    page.get_by_label("Name").focus()
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="What would you like to make?").wait_for()
    page.keyboard.press("Tab")
    seen = []
    while "a small picture" not in (said := page.evaluate("document.activeElement.textContent")):
        seen.append(said)
        assert len(seen) < 40, seen
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Picture").wait_for()
    page.get_by_label("Brief").wait_for()
    while page.evaluate("document.activeElement.tagName") != "TEXTAREA":
        page.keyboard.press("Tab")
    page.keyboard.type("a yellow sun")
    page.keyboard.press("Control+Enter")
    page.locator("article.job .variation.made").wait_for()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.context.close()


def test_a_dialog_holds_the_focus_and_gives_it_back(browser, served):
    page = opened(browser, served, f"#/{served.rooms[len(ROOMS)]}")
    log_in(page, "Ada")
    page.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent") == "Delete"
    page.context.close()


def test_the_focus_stays_near_where_something_was_removed(browser, served):
    place = f"/{served.rooms[len(ROOMS)]}"
    page = opened(browser, served, f"#{place}")
    log_in(page, "Ada")
    page.get_by_label("Name of a board").fill("for a while")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Take off the board for a while").focus()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.closest('.boards') !== null && !document.body.innerText.includes('a while')")
    page.get_by_role("button", name="Star").focus()
    for pressed in ("false", "true"):
        page.keyboard.press("Enter")  # is disabled until the server has answered
        page.locator(f"button.star[aria-pressed={pressed}]:enabled").wait_for()
        until(page, "document.activeElement.matches('button.star')")
    go(page, "/create/pattern")
    page.locator("form input[type=file]").set_input_files(PAGE.parents[3] / "docs" / "page-create.webp")
    page.get_by_role("button", name="Remove").focus()
    page.keyboard.press("Enter")
    until(page, "document.activeElement.matches('form input[type=file]')")
    page.mouse.click(1200, 700)  # who leaves it on purpose has left it
    page.get_by_label("Brief").evaluate("field => { field.disabled = true; field.disabled = false }")
    assert page.evaluate("document.activeElement === document.body")
    page.context.close()


@pytest.mark.parametrize("late", [0, 1_500])
def test_the_menu_of_a_phone_closes_by_escape(browser, served, late):
    """Also for somebody faster than the page, which does part of its work after it has drawn."""
    page = opened(browser, served, viewport={"width": 390, "height": 844})
    page.evaluate(
        """late => {
          const [drawn, later] = [requestAnimationFrame, setTimeout];
          window.requestAnimationFrame = (work) => drawn(() => later(work, late));
          window.setTimeout = (work, after = 0) => later(work, after + late);
        }""",
        late,
    )
    log_in(page, "Ada")
    page.get_by_role("button", name="More", exact=True).focus()
    page.keyboard.press("Enter")
    page.locator(".rest.open").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    page.locator(".rest.open").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent").strip() == "More"
    page.context.close()


def test_who_asks_for_less_motion_gets_it(browser, served):
    page = opened(browser, served, "#/create", reduced_motion="reduce")
    log_in(page, "Ada")
    page.locator(".card").first.wait_for()
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).transitionDuration") == "1e-05s"
    page.context.close()


def test_language_and_colours_are_chosen_and_stay(browser, served):
    page = opened(browser, served)
    log_in(page, "Ada")
    go(page, "/settings")
    page.get_by_role("button", name="中文").click()
    page.get_by_role("heading", name="设置").wait_for()
    page.get_by_role("button", name="深色").click()
    page.reload()
    page.get_by_role("heading", name="设置").wait_for()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(17, 23, 26)"
    go(page, "/create/haiku")
    page.get_by_role("heading", name="俳句").wait_for()
    page.get_by_text("更多设置").click()
    assert page.get_by_label("关键词").is_visible()
    page.context.close()


def test_every_word_that_is_said_is_in_the_table_in_both_languages():
    table = (PAGE / "words.js").read_text()
    words = dict(re.findall(r'^  "?([\w\' ]+)"?: \[(".*", ".*")\],$', table, re.MULTILINE))
    assert len(words) > 150
    for name, pair in words.items():
        english, chinese = json.loads(f"[{pair}]")
        assert english, name
        assert re.search(r"[一-鿿]", chinese) or "Castalia" in chinese, name
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", chinese)), name
    source = "".join(path.read_text() for path in PAGE.glob("*.js"))
    said = set(re.findall(r'\bt\("(\w+)"', source))
    assert said <= words.keys(), said - words.keys()
    begun = set(re.findall(r"\bt\(`(\w+_)\$\{", source))
    assert len(begun) > 8
    unused = {name for name in words if name not in said and not name.startswith(tuple(begun))}
    assert not {name for name in unused if f'"{name}"' not in source}, unused


def test_every_choice_and_every_noted_event_has_a_chinese_name():
    table = (PAGE / "words.js").read_text()
    parts = {name: table.split(f"const {name} = {{")[1].split("};")[0] for name in ("CHOICES", "EVENTS")}
    named = {name: set(re.findall(r'(?:"([^"]+)"|(\w+)): "', part)) for name, part in parts.items()}
    choices, events = ({one or other for one, other in found} for found in named.values())
    fields = [each for room in genres.every() for each in room.fields.model_json_schema().get("properties", {}).items()]
    offered = {str(each) for name, schema in fields if name != "language" for each in schema.get("enum", ())}
    spoken = {each for each in offered if re.search("[a-z]", each)}
    hidden = {"auto", "required"}  # of a turn of a conversation, which has no form
    assert len(spoken) > 30
    assert spoken - hidden <= choices, spoken - hidden - choices
    source = "".join(path.read_text() for path in PAGE.parent.rglob("*.py"))
    noted = set(re.findall(r'\.note\(\s*"([^"]+)"', source)) | {"account enabled", "account disabled"}
    assert len(noted) > 10
    assert noted <= events, noted - events


def test_nothing_is_loaded_from_elsewhere():
    for path in (*PAGE.rglob("*.js"), *PAGE.glob("*.html"), *PAGE.glob("*.css")):
        outside = set(re.findall(r"https?://[^\s\"'`)]+", path.read_text())) - {
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1999/xlink",
        }
        assert not outside, (path, outside)
