"""The explorer in a browser: sliders move the numbers, and the numbers are those of `theory`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pytest

pytest.importorskip("bokeh", reason="comes with the extra `explore`")
pytest.importorskip("axe_playwright_python", reason="comes with the extra `docs`")

from playwright.sync_api import Page, expect

from figures.explorer.settings import chosen_spectrum
from tests.figures.explorer.examples import printed, settings
from tests.figures.explorer.serving import explorer
from tests.site.browsing import chromium, inaccessible, set_width, too_wide
from theory import beta_for_rate, inference_error_curve, optimal_beta, optimum
from theory.axes import two_mode_rotation_energy
from theory.groups import equal_groups, granularity_errors

pytestmark = pytest.mark.slow

PANELS = ("latents", "rate", "inference", "rotation", "groups")
DIGITS = 1e-5  # the page shows six
ROWS = np.random.default_rng(0).standard_normal((40, 5)) * [3.0, 2.0, 1.0, 0.5, 0.1]


@dataclass
class Opened:
    """An open explorer, what its console said, and what it asked of another host."""

    page: Page
    address: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @classmethod
    def at(cls, browser, address: str, scheme: str = "light") -> Opened:
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})
        opened = cls(context.new_page(), address)
        opened.page.on("console", lambda line: line.type in ("error", "warning") and opened.said.append(line.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.page.on("request", lambda request: opened.note(request.url))
        opened.page.on("websocket", lambda socket: opened.note(socket.url.replace("ws:", "http:")))
        opened.page.goto(address)
        opened.wait()
        return opened

    def close(self) -> None:
        """No complaint, and nothing asked of a network."""
        assert (self.said, self.asked) == ([], [])
        self.page.context.close()

    def note(self, url: str) -> None:
        if not url.startswith((self.address, "data:", "blob:")):
            self.asked.append(url)

    def wait(self) -> None:
        """Until nothing is computed any more, and the texts stay as they are."""
        self.page.locator(".groups_message p").wait_for()
        texts, before = self.page.locator("main pre, main p"), None
        while (now := texts.all_inner_texts()) != before or "…" in now:
            before = now
            self.page.wait_for_timeout(250)

    def slide(self, name: str, key: str, times: int = 1) -> None:
        """Press a key on the handle of a slider, as the keyboard does; wait until the page has answered."""
        handle = self.page.get_by_role("slider", name=name)
        handle.focus()
        for _ in range(times):
            self.page.keyboard.press(key)
        self.wait()

    def choose(self, name: str, option: str) -> None:
        self.page.get_by_label(name, exact=True).select_option(label=option)
        self.wait()

    def message(self, panel: str) -> str:
        return self.page.locator(f".{panel}_message p").inner_text()

    def numbers(self, panel: str) -> dict[str, str]:
        text = self.page.locator(f".{panel}_numbers pre.numbers").inner_text()
        return dict(re.split(r"\s{2,}", line, maxsplit=1) for line in text.splitlines())

    def number(self, panel: str, name: str) -> float:
        return float(self.numbers(panel)[name])

    def commands(self, panel: str) -> list[str]:
        return self.page.locator(f".{panel}_numbers pre.command").all_inner_texts()


@pytest.fixture(scope="module")
def browser():
    yield from chromium()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    file = tmp_path_factory.mktemp("data") / "mine.csv"
    np.savetxt(file, ROWS, delimiter=",", header="a,b,c,d,e", comments="")
    with explorer("--data", str(file)) as (address, _):
        yield address


@pytest.fixture
def opened(browser, address):
    """The page with the parameters that it has without data."""
    opened = Opened.at(browser, address)
    opened.choose("Spectrum", "geometric")
    opened.slide("Latents K", "ArrowRight")
    yield opened
    opened.close()


def test_a_slider_moves_the_numbers_of_theory(opened):
    opened.slide("β", "ArrowRight", 17)
    beta = opened.number("latents", "beta")
    assert beta == pytest.approx(10**0.47, rel=1e-2) and beta != 2.0
    eigenvalues = chosen_spectrum("geometric", 20, 0.7).eigenvalues
    best = optimum(np.diag(eigenvalues), 6, beta=beta, noise_variance=0.1)
    assert opened.number("latents", "active_count") == best.active_count
    assert opened.number("latents", "water_level") == pytest.approx(0.1 * beta, rel=DIGITS)
    assert opened.number("latents", "loss") == pytest.approx(best.loss, rel=DIGITS)
    assert opened.number("rate", "rate") == pytest.approx(best.rate, rel=DIGITS)
    assert opened.number("rate", "distortion") == pytest.approx(best.distortion, rel=DIGITS)
    back = beta_for_rate(eigenvalues, 6, opened.number("rate", "rate"), 0.1)
    assert back.beta == pytest.approx(beta, rel=1e-4)
    energy = two_mode_rotation_energy(1 / (0.1 * beta), 0.7 / (0.1 * beta), np.pi / 4, beta)
    assert opened.number("rotation", "energy at 45 degrees, reoptimised") == pytest.approx(energy, rel=DIGITS)


def test_the_true_model_follows_its_sliders(opened):
    from figures.explorer.model import true_model

    opened.slide("Coherence of the columns of A", "ArrowRight", 25)
    opened.slide("Correlation in pairs of factors", "ArrowLeft", 30)
    opened.slide("Latents K", "ArrowLeft", 2)
    truth = true_model(settings(latent_dim=4, coherence=0.75, correlation=0.3))
    best = optimal_beta(truth, "forward_kl")
    assert opened.number("inference", "forward_kl, optimal beta") == pytest.approx(best.beta, rel=DIGITS)
    at_two = inference_error_curve(truth, [2.0]).mean_squared_error[0]
    assert opened.number("inference", "mean_squared_error at beta 2") == pytest.approx(at_two, rel=DIGITS)
    errors = granularity_errors(truth, [equal_groups(4, size) for size in (1, 2, 3, 4)], 2.0)
    shown = [float(value) for value in opened.numbers("groups").values()]
    assert shown == pytest.approx([error.mean_squared_error for error in errors], rel=DIGITS)
    opened.choose("Error", "squared error")
    assert opened.number("inference", "forward_kl, optimal beta") == pytest.approx(best.beta, rel=DIGITS)


def test_a_copied_command_gives_the_numbers(opened):
    opened.choose("Noise of the decoder", "learned")
    opened.slide("Decay", "ArrowRight", 3)
    (command,) = opened.commands("latents")
    best, shown = printed(command), opened.numbers("latents")
    assert best["noise_status"] == shown["noise_status"] == "learned"
    assert float(shown["noise_variance"]) == pytest.approx(best["noise_variance"], rel=DIGITS)
    assert [f"{beta:.6g}" for beta in best["critical_betas"]] == shown["critical_betas"].split(", ")
    optimal, _ = map(printed, opened.commands("inference"))
    shown = opened.number("inference", "forward_kl, optimal beta")
    assert shown == pytest.approx(optimal["forward_kl"]["beta"], rel=DIGITS)


def test_errors_are_words_and_the_page_lives_on(opened):
    opened.slide("Dimensions D", "Home")
    assert "latent_dim must be at most the 2 dimensions of the data, got 6" in opened.message("inference")
    opened.choose("Noise of the decoder", "learned")
    opened.slide("β", "Home")
    for panel in ("latents", "rate", "rotation"):
        assert "the loss falls without bound as the noise vanishes" in opened.message(panel), panel
    opened.slide("Latents K", "Home")
    assert "latent_dim must be at least 2 for a rotation" in opened.message("rotation")
    opened.slide("Dimensions D", "End")
    opened.slide("Latents K", "End")
    assert "Take 8 latents at most, or run the command" in opened.message("groups")
    assert opened.number("latents", "active_count") == 16


def test_own_data_from_the_command_line(browser, address):
    opened = Opened.at(browser, address)
    eigenvalues = np.linalg.eigvalsh(np.cov(ROWS.T, bias=True))[::-1]
    noise = float(f"{0.1 * eigenvalues[0]:.3g}")
    best = optimum(np.diag(eigenvalues), 5, beta=2.0, noise_variance=noise)
    assert opened.number("latents", "loss") == pytest.approx(best.loss, rel=DIGITS)
    assert opened.commands("latents")[0].startswith("python -m theory optimum --data mine.csv --latent-dim 5")
    opened.close()


def test_own_data_from_the_page(opened, tmp_path):
    file = opened.page.locator("input[type=file]")
    (tmp_path / "other.csv").write_text("a,b\n1,x\n")
    file.set_input_files(tmp_path / "other.csv")
    opened.page.get_by_text("Not read: other.csv").wait_for()
    np.savetxt(tmp_path / "<b>own.csv", ROWS[:, :3], delimiter=",")
    file.set_input_files(tmp_path / "<b>own.csv")
    opened.page.get_by_text("<b>own.csv: 40 × 3").wait_for()
    opened.wait()
    eigenvalues = np.linalg.eigvalsh(np.cov(ROWS[:, :3].T, bias=True))[::-1]
    critical = [float(beta) for beta in opened.numbers("latents")["critical_betas"].split(", ")]
    noise = float(f"{0.1 * eigenvalues[0]:.3g}")
    assert critical == pytest.approx([*(eigenvalues / noise), 0, 0, 0], rel=DIGITS)
    assert "latent_dim must be at most the 3 dimensions" in opened.message("groups")


def test_the_keyboard_reaches_every_control_and_command(opened):
    page, reached = opened.page, []
    page.evaluate("document.activeElement?.blur()")
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("""() => {
              let element = document.activeElement;
              while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
              return element.ariaLabel ?? element.name ?? element.className;
            }""")
        )
    sliders = page.get_by_role("slider")
    names = [slider.get_attribute("aria-label") for slider in sliders.all()]
    assert len(names) == len(set(names)) == 7 and set(names) <= set(reached)
    assert reached.count("command") >= 7 and reached.count("numbers") >= 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_wide_and_narrow(browser, address, scheme):
    opened = Opened.at(browser, address, scheme)
    opened.choose("Spectrum", "geometric")
    assert too_wide(opened.page) == []
    for width in (390, 1280):
        set_width(opened.page, width)
        assert inaccessible(opened.page) == []
        for panel in PANELS:
            expect(opened.page.locator(f".{panel}_numbers pre.numbers")).to_be_visible()
        assert opened.page.locator("canvas").count() >= len(PANELS)
    background = opened.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (background == "rgb(255, 255, 255)") == (scheme == "light")
    opened.close()
