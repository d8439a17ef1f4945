"""The site in a browser, opened from disk: a page of each kind, in the light and the dark scheme."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("site_pages", reason="comes with the extra `docs`")
pytest.importorskip("axe_playwright_python", reason="comes with the extra `docs`")

from playwright.sync_api import expect

from tests.site.browsing import Visit, chromium, file_address, inaccessible, not_loaded, set_width, too_wide, unreadable

pytestmark = pytest.mark.slow

BOOK_PAGE = "_generated/book/slope-at-one.html"
KINDS = {
    "start": "index.html",
    "tutorial": "tutorial.html",
    "contents": "_generated/book/index.html",
    "book": BOOK_PAGE,
    "results": "_generated/results.html",
    "gallery": "_generated/gallery/index.html",
    "figure": "_generated/gallery/optimal_beta.html",
    "package": "_generated/api/theory.learning.html",
    "manual": "large_data.html",
    "search": "search.html",
}
WITH_FORMULAS = {"start": 5, "contents": 20, "book": 100}  # at least so many
WITH_PICTURES = {"start": 1, "gallery": 15, "figure": 1}


@pytest.fixture(scope="module")
def browser():
    yield from chromium()


@pytest.fixture
def opened(browser, site):
    """Opens a page of the site."""
    visits = []

    def open_page(name, query="", scheme="light"):
        visits.append(Visit.to(browser, file_address(site / name, query), scheme))
        return visits[-1].page

    yield open_page
    for visit in visits:
        visit.close()


@pytest.fixture(scope="module", params=[(kind, scheme) for kind in KINDS for scheme in ("light", "dark")], ids="-".join)
def visited(request, browser, site):
    """A page of each kind in each scheme, which the tests look at one after another."""
    kind, scheme = request.param
    visit = Visit.to(browser, file_address(site / KINDS[kind], "?q=optimal+beta" if kind == "search" else ""), scheme)
    if kind == "search":
        visit.page.locator(".search-summary").filter(has_text="found").wait_for()
    yield kind, scheme, visit
    visit.close()


def test_no_complaint_and_no_network(visited):
    _, _, visit = visited
    assert (visit.said, visit.asked) == ([], [])


def test_formulas_are_drawn(visited):
    kind, _, visit = visited
    assert unreadable(visit.page) == []
    assert visit.page.locator("mjx-container").count() >= WITH_FORMULAS.get(kind, 0)


def test_pictures_are_there(visited):
    kind, _, visit = visited
    assert not_loaded(visit.page) == []
    assert visit.page.locator("article img").count() >= WITH_PICTURES.get(kind, 0)


def test_no_page_scrolls_sideways(visited):
    _, _, visit = visited
    assert too_wide(visit.page) == []


def test_wcag(visited):
    """Wide and light, narrow and dark: the colours do not depend on the width."""
    _, scheme, visit = visited
    set_width(visit.page, {"light": 1280, "dark": 390}[scheme])
    background = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    assert inaccessible(visit.page) == []


def test_a_bad_page_has_every_fault(browser, tmp_path):
    file = tmp_path / "bad.html"
    file.write_text(
        r"""<title>A page</title><article style="width: 2000px">
        <p class="math">\(x\)</p><p style="color: #999; background: #888">Of $y$ little is seen.</p>
        <img src="missing.png"><script src="https://example.org/x.js"></script><script>console.error("no")</script>
        </article>"""
    )
    visit = Visit.to(browser, file_address(file), "light")
    assert unreadable(visit.page) == [r"not drawn: \(x\)", r"source: \(x\)", "source: Of $y$ little is seen."]
    assert not_loaded(visit.page) == [(tmp_path / "missing.png").as_uri()]
    assert too_wide(visit.page) == [390, 1280]
    rules = {fault.split(":")[0] for fault in inaccessible(visit.page)}
    assert rules == {"color-contrast", "html-has-lang", "image-alt"}
    assert visit.asked == ["https://example.org/x.js"]
    assert "no" in visit.said
    visit.close()


def tab_until(page, reached, most):
    """Press the tab key until the element with the focus is one that is looked for."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(f"document.activeElement.matches({reached!r})"):
            return
    raise AssertionError(f"{most} times the tab key, and no {reached}")


def test_the_keyboard_reaches_search_and_text(opened):
    page = opened("index.html")
    tab_until(page, "input[name=q]", 5)
    page.keyboard.type("collapse")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=collapse*")
    page = opened("index.html")
    tab_until(page, "a.skip-to-content", 1)
    page.keyboard.press("Enter")
    tab_until(page, "article a", 1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/_generated/book/index.html*")


def test_the_keyboard_opens_the_contents_of_a_narrow_page(opened):
    page = opened("index.html")
    set_width(page, 390)
    search = page.locator("input[name=q]")
    expect(search).not_to_be_in_viewport()
    tab_until(page, ".nav-overlay-icon", 2)
    assert page.evaluate("document.activeElement.ariaExpanded") == "false"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.ariaExpanded") == "true"
    expect(search).to_be_in_viewport()
    tab_until(page, "input[name=q]", 5)


def test_the_keyboard_scrolls_what_is_wide(opened):
    page = opened("index.html")
    set_width(page, 390)
    formula = page.locator("div.math").nth(1)
    formula.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.activeElement.scrollLeft > 0")
    assert page.evaluate("document.activeElement.matches('div.math')")
    set_width(page, 1280)
    # How wide a formula is depends on the fonts of the machine: what scrolls is a stop of the tab key, and no other.
    page.wait_for_function(
        "[...document.querySelectorAll('div.math')].every("
        "box => (box.scrollWidth > box.clientWidth) === box.hasAttribute('tabindex'))"
    )


def test_steps_fold_and_unfold(opened):
    page = opened(BOOK_PAGE)
    steps = page.locator("details.step")
    opened_steps = page.locator("details.step[open]")
    count = steps.count()
    assert count == opened_steps.count() > 10
    page.get_by_role("button", name="Fold all steps").focus()
    page.keyboard.press("Enter")
    expect(opened_steps).to_have_count(0)
    page.get_by_role("button", name="Unfold all steps").focus()
    page.keyboard.press("Enter")
    expect(opened_steps).to_have_count(count)
    for step in steps.all():
        step.locator("> summary").click()
    expect(page.get_by_role("button", name="Unfold all steps")).to_be_visible()
    expect(opened_steps).to_have_count(0)


def test_what_must_fail_is_folded_at_first(opened):
    page = opened(BOOK_PAGE)
    refused = page.locator("details.refused").first
    formula = refused.locator("mjx-container")
    expect(formula).not_to_be_visible()
    refused.locator("summary").click()
    expect(formula).to_be_visible()


def test_results_are_filtered(opened):
    page = opened(KINDS["results"])
    rows = page.locator("table.results tbody tr")
    shown = page.locator("table.results tbody tr:visible")
    count = rows.count()
    page.get_by_label("Filter the results").fill("optimal beta")
    for width in (1280, 390):
        set_width(page, width)
        assert 0 < shown.count() < count
    assert all(re.search("optimal.*beta|beta.*optimal", row.text_content(), re.I | re.S) for row in shown.all())
    expect(page.get_by_role("status")).to_have_text(f"{shown.count()} of {count} results")
    page.get_by_label("Filter the results").fill("")
    expect(shown).to_have_count(count)


def test_search_finds_the_optimal_beta(opened):
    page = opened("search.html", "?q=optimal+beta")
    found = page.locator("#search-results a[href*='theory.inference.optimal_beta']").first
    found.click()
    page.wait_for_url("**/theory.inference.html*")
    expect(page.locator("dt[id='theory.inference.optimal_beta']")).to_be_in_viewport()
