"""What a reader would see go wrong on a page, in a real browser: each function lists the faults of the open page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

STANDARD = ["wcag2a", "wcag2aa"]  # the tags of the rules that axe-core tries

UNREADABLE = r"""() => {
  const faults = [];
  for (const formula of document.querySelectorAll(".math")) {
    const drawn = formula.querySelector("mjx-container");
    if (!drawn) faults.push(`not drawn: ${formula.textContent}`);
    else if (drawn.checkVisibility()) {
      const { width, height } = drawn.getBoundingClientRect();
      if (!(width > 0 && height > 0)) faults.push(`without a size: ${formula.outerHTML}`);
    }
  }
  for (const error of document.querySelectorAll("mjx-merror")) faults.push(`refused: ${error.outerHTML}`);
  const texts = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement } = texts.currentNode;
    if (/\\[([]|\$/.test(data) && !parentElement.closest("pre, code, script, mjx-container"))
      faults.push(`source: ${data}`);
  }
  return faults;
}"""

NOT_LOADED = """() => [...document.images].filter((image) => !(image.complete && image.naturalWidth > 0))
  .map((image) => image.src)"""

# Formulas are drawn, fonts are there, and two frames have passed, in which the page tends to what scrolls.
SETTLED = """async () => {
  if (window.MathJax) await MathJax.startup.promise;
  await document.fonts.ready;
  for (const frame of [1, 2]) await new Promise(requestAnimationFrame);
}"""


def chromium() -> Iterator[Browser]:
    """The browser, while a fixture is in use."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-quic", "--disable-sync"])
        yield browser
        browser.close()


@dataclass
class Visit:
    """An open page, with what its console said and what it asked of a network."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @classmethod
    def to(cls, browser: Browser, address: str, scheme: str) -> Visit:
        """Open an address in a window of its own, without a network, in the light or the dark scheme."""
        context = browser.new_context(color_scheme=scheme, offline=True, viewport={"width": 1280, "height": 900})
        visit = cls(context.new_page())
        visit.page.on("console", lambda line: line.type in ("error", "warning") and visit.said.append(line.text))
        visit.page.on("pageerror", lambda error: visit.said.append(str(error)))
        visit.page.on("request", lambda request: _is_local(request.url) or visit.asked.append(request.url))
        visit.page.goto(address)
        visit.page.evaluate(SETTLED)
        return visit

    def close(self) -> None:
        self.page.context.close()


def file_address(file: Path, query: str = "") -> str:
    return file.as_uri() + query


def _is_local(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:"))


def unreadable(page: Page) -> list[str]:
    """Formulas that are not drawn, and text that is still their source."""
    return page.evaluate(UNREADABLE)


def not_loaded(page: Page) -> list[str]:
    """Pictures without pixels."""
    return page.evaluate(NOT_LOADED)


def too_wide(page: Page) -> list[int]:
    """The widths of a screen, of a phone and of a laptop, at which the page scrolls sideways."""
    return [width for width in (390, 1280) if _scrolls_at(page, width)]


def _scrolls_at(page: Page, width: int) -> bool:
    set_width(page, width)
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def set_width(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.evaluate(SETTLED)


def inaccessible(page: Page) -> list[str]:
    """What breaks a rule of WCAG 2 at the levels A and AA: the rule and the element."""
    options = {"runOnly": {"type": "tag", "values": STANDARD}, "resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]
