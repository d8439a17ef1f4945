"""Pages for the terminal."""

import pytest

from theory.derivations.book import terminal
from theory.derivations.registry import derivations


@pytest.mark.parametrize("page", derivations(), ids=lambda page: page.name)
def test_a_page_for_the_terminal(page):
    shown = terminal.terminal_page(page)
    assert page.title in shown
    assert "\\" not in shown and "$" not in shown
    assert all(f"{number}. {step.title}" in shown for number, step in enumerate(page.steps, 1))
    assert max(map(len, shown.splitlines())) <= terminal.COLUMNS + 24  # a single term may be wider than the column
    assert shown == terminal.terminal_page(page)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("for $\\beta \\ge 1$ and `code`", "for β ≥ 1 and code"),
        ("$P^{-1} W^T/t$", "P⁻¹ Wᵀ/t"),
        ("$p(x|z)^{1/\\beta}$", "p(x|z)^(1/β)"),
        ("$\\sigma^2 l_1$", "σ² l₁"),
        ("$\\log\\det C_{jj}$", "log det Cⱼⱼ"),
        ("$\\sqrt{l - t}/u_{q+1} + e^{2I}$", "√(l - t)/u_(q+1) + e^(2I)"),
    ],
)
def test_mathematics_in_plain_text(sentence, expected):
    assert terminal.plain(sentence) == expected
