"""The recipes of docs/extending.md, followed: a prior, through everything that takes one; a method; a figure.

That of a theorem is followed in `tests/theory/test_results.py`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import erf

import theory.priors
from figures import priors_and_axes
from figures.__main__ import main
from figures.kit.output import draw, render
from figures.kit.table import Table, points
from figures.registry import FIGURES, FigureEntry
from numerics import train_with_prior
from numerics.checks import priors as checks
from numerics.comparison import Tolerance
from numerics.training import train as train_module
from numerics.training.alternation import em
from numerics.training.methods import ALTERNATING, METHODS
from tests.theory.priors.families import PRIORS
from theory import elbo_terms, optimum
from theory.axes import plane_rotation
from theory.priors import GaussianPrior, Prior, annealed_terms, nearest_gaussian, prior_optimum, prior_rotation_energy
from theory.priors.registry import EXAMPLES
from theory.results import FIGURES_STAND_FOR

FAMILIES = [
    family
    for name in theory.priors.__all__
    if name.endswith("Prior") and (family := getattr(theory.priors, name)) is not Prior
]


def missing_of(family):
    """What the recipe for a family of priors of the project still asks for."""
    members = ("latent_dim", "log_density", "expected_log_density", "covariance", "sample", "symmetries", "is_symmetry")
    fields = getattr(family, "__dataclass_fields__", {})
    places = {
        "EXAMPLES of theory/priors/registry.py": EXAMPLES,
        "FAMILIES of numerics/checks/priors.py": checks.FAMILIES,
        "PRIORS of tests/theory/priors/families.py": PRIORS,
    }
    return [f"the member {name}" for name in members if not hasattr(family, name) and name not in fields] + [
        f"an object in {place}" for place, held in places.items() if family not in map(type, held.values())
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_of_priors_is_complete(family):
    left = missing_of(family)
    assert not left, f"{family.__name__} lacks:\n" + "\n".join(left)


def test_what_a_new_family_lacks_is_named():
    assert len(FAMILIES) >= 4
    assert missing_of(type("NewPrior", (), {"latent_dim": 2, "log_density": None, "sample": None})) == [
        "the member expected_log_density",
        "the member covariance",
        "the member symmetries",
        "the member is_symmetry",
        "an object in EXAMPLES of theory/priors/registry.py",
        "an object in FAMILIES of numerics/checks/priors.py",
        "an object in PRIORS of tests/theory/priors/families.py",
    ]


@dataclass(frozen=True)
class LaplacePrior:
    """Product of identical Laplace densities exp(-|z| / scale) / (2 scale)."""

    latent_dim: int = 2
    scale: float = 0.7

    def log_density(self, latents):
        return -np.sum(np.abs(latents) / self.scale + np.log(2 * self.scale), axis=-1)

    def expected_log_density(self, mean, covariance):
        # E |z| = sqrt(2 v / pi) exp(-m^2 / (2 v)) + m erf(m / sqrt(2 v)) for z ~ N(m, v)
        variance = np.diagonal(covariance)
        size = np.sqrt(2 * variance / np.pi) * np.exp(-(mean**2) / (2 * variance))
        size = size + mean * erf(mean / np.sqrt(2 * variance))
        return float(-np.sum(size / self.scale + np.log(2 * self.scale)))

    def log_normaliser(self, beta):
        return self.latent_dim * ((1 - beta) * np.log(2 * self.scale) - np.log(beta))

    def nodes(self, count):
        places, masses = np.polynomial.laguerre.laggauss(count // 2)
        places, masses = self.scale * np.append(-places, places), np.append(masses, masses) / 2
        points = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
        return points, np.outer(masses, masses).ravel(), -2 * (1 + np.log(2 * self.scale))


LAPLACE, BETA, NOISE = LaplacePrior(), 1.3, 0.2
LOADING = np.array([[1.5, 0.2], [0.3, 0.9], [-0.4, 0.5]])
FACTORS = GaussianPrior.isotropic(2)
COVARIANCE = LOADING @ LOADING.T + 0.1 * np.eye(3)


def test_it_is_a_prior():
    assert isinstance(LAPLACE, Prior)


def test_its_nearest_gaussian_is_that_of_its_stationary_equation():
    """KL(N(0, b) || p) = -log b / 2 + sqrt(2 b / pi) / scale + const is least at sqrt(b) = scale sqrt(pi / 2)."""
    covariance, _ = nearest_gaussian(LAPLACE)
    np.testing.assert_allclose(covariance, LAPLACE.scale**2 * np.pi / 2 * np.eye(2), rtol=0, atol=1e-6)


def test_training_ends_at_the_optimum_of_theory():
    best = prior_optimum(COVARIANCE, LAPLACE, beta=BETA, noise_variance=NOISE)
    run = train_with_prior(FACTORS, LOADING, 0.1, LAPLACE, beta=BETA, noise_variance=NOISE)
    assert run.loss == pytest.approx(best.loss, abs=1e-8)
    assert run.distortion == pytest.approx(best.distortion, abs=1e-4)


def test_a_rotation_costs_what_draws_say():
    rotation, code = plane_rotation(2, 0.6), np.array([[0.9, 0.1], [0.1, 0.3]])
    energy = prior_rotation_energy(LAPLACE, code, rotation, BETA)
    codes = np.random.default_rng(0).standard_normal((400_000, 2)) @ np.linalg.cholesky(code).T
    draws = BETA * (LAPLACE.log_density(codes) - LAPLACE.log_density(codes @ rotation.T))
    assert abs(energy - draws.mean()) < 5 * draws.std() / np.sqrt(len(draws))


def test_annealing_keeps_the_loss():
    vae = optimum(COVARIANCE, 2, beta=BETA, noise_variance=NOISE).vae
    terms = annealed_terms(vae, COVARIANCE, BETA, prior=LAPLACE)
    code = vae.encoder @ COVARIANCE @ vae.encoder.T + vae.posterior_covariance
    rate = -terms.entropy - LAPLACE.expected_log_density(np.zeros(2), code)
    loss = elbo_terms(vae, COVARIANCE).reconstruction + BETA * rate
    assert terms.loss == pytest.approx(loss, abs=1e-12)
    values = np.linspace(-60, 60, 2_400_001)
    integral = np.trapezoid(np.exp(-BETA * (np.abs(values) / LAPLACE.scale + np.log(2 * LAPLACE.scale))), values)
    assert terms.log_normaliser == pytest.approx(2 * np.log(integral), abs=1e-8)


def test_a_penalty_on_the_aggregate_code_is_trained_with_its_nodes():
    """At alpha > 0 the least loss falls as the code comes nearer to the prior."""
    options = {"beta": BETA, "noise_variance": NOISE, "decoder": LOADING}
    plain = train_with_prior(FACTORS, LOADING, 0.1, LAPLACE, **options)
    nearer = train_with_prior(FACTORS, LOADING, 0.1, LAPLACE, alpha=2.0, start=plain.vae, **options)
    assert nearer.stopped == plain.stopped == "gradient"
    assert nearer.divergence < plain.divergence - 1e-3
    assert nearer.loss == pytest.approx(nearer.reconstruction + BETA * nearer.rate + 2.0 * nearer.divergence, abs=1e-6)


@pytest.mark.slow
def test_a_figure_draws_it_once_it_is_registered(monkeypatch):
    monkeypatch.setitem(EXAMPLES, "Laplace", LAPLACE)
    table = priors_and_axes.data(quick=True)
    assert "Laplace" in table.series("gaussian_factors", "trained")
    assert all(comparison.passed for comparison in table.comparisons)
    assert render(draw(priors_and_axes, table), "svg")


@pytest.mark.slow
def test_a_figure_decides_by_the_best_code_of_a_prior_not_by_its_name(monkeypatch):
    """The best code of a correlated prior is no multiple of I, and not diagonal: a rotation of it has a cost."""
    monkeypatch.setitem(EXAMPLES, "correlated", GaussianPrior([[1.0, 0.4], [0.4, 0.6]]))
    table = priors_and_axes.data(quick=True)
    assert table.series("gaussian_factors", "monte_carlo") == ["anisotropic", "correlated"]
    assert "correlated" not in table.series("gaussian_factors", "trained")
    assert all(comparison.passed for comparison in table.comparisons)


def one_long_step(problem, start, objective, limits, history):
    """A method of training that a user adds: the best decoder and encoder in turns, so many times."""
    return em(problem, start, objective, limits._replace(max_steps=3), history)


def test_a_training_method_is_a_function_and_a_name(monkeypatch):
    monkeypatch.setitem(ALTERNATING, "one_long_step", f"{__name__}.one_long_step")
    monkeypatch.setattr(train_module, "METHODS", (*METHODS, "one_long_step"))
    monkeypatch.setitem(
        sys.modules, __name__, sys.modules.get(__name__) or SimpleNamespace(one_long_step=one_long_step)
    )
    run = train_module.train(COVARIANCE, 2, beta=BETA, noise_variance=NOISE, method="one_long_step")
    assert (run.steps, run.stopped) == (3, "max_steps")


def test_a_figure_is_a_module_and_an_entry(monkeypatch, tmp_path):
    def data(*, quick=False, seed=0, progress=None):
        rows = points("panel", "series", "theory", [0.0, 1.0], [0.0, 1.0])
        rows += points("panel", "series", "trained", [0.5], [0.5], expected=0.5)
        return Table(tuple(rows), {"seed": seed}, {("panel", "trained"): Tolerance(1e-9, "none is needed")})

    def plot(table, axes):
        rows = table.select("panel", "theory")
        axes.plot(rows.x, rows.y)
        return axes

    layout = {"shape": (1, 1), "size": (3.0, 2.0)}
    module = SimpleNamespace(LAYOUT=layout, CAPTION="A line, seed {seed}.", data=data, plot=plot)
    monkeypatch.setitem(sys.modules, "figures.mine", module)
    monkeypatch.setitem(FIGURES, "mine", FigureEntry("mine", "a line"))
    monkeypatch.setitem(FIGURES_STAND_FOR, "mine", "none (mine)")
    assert main(["--only", "mine", "--quick", "--out", str(tmp_path)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"mine.{kind}" for kind in ("pdf", "png", "csv", "json", "md")
    }
    assert "A line, seed 0." in (tmp_path / "mine.md").read_text()
