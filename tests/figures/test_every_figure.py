"""What is asked of every figure: it agrees with theory, notices a wrong one, and draws on the Axes given."""

from __future__ import annotations

import dataclasses
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.legend import Legend

from figures import collapse, convergence, learned_noise, rate_distortion
from figures.kit.caption import caption_of
from figures.kit.table import EXPERIMENTS
from figures.registry import FIGURES
from tests.figures.helpers import axes_of


@pytest.fixture(params=FIGURES)
def entry(request):
    return FIGURES[request.param]


def test_experiment_agrees_with_theory(entry, quick_table):
    deviations = quick_table(entry.name).comparisons
    assert len(deviations) >= 3
    assert [d for d in deviations if not d.passed] == []
    assert all(d.reason and d.points > 0 for d in deviations)


def test_lines_pass_through_what_is_expected_of_the_experiment(entry, quick_table):
    """A line and the values that its experiment is compared with are computed apart."""
    table = quick_table(entry.name)
    for panel in dict.fromkeys(row.panel for row in table.points):
        for series in table.series(panel, "theory"):
            line = table.select(panel, "theory", series)
            for source in EXPERIMENTS:
                rows = table.select(panel, source, series)
                known = np.isfinite(rows.expected) & (rows.x >= line.x.min()) & (rows.x <= line.x.max())
                if (entry.name, panel) in AGAINST_ANOTHER_LINE or not known.any():
                    continue
                order = np.argsort(line.x)
                between = np.interp(rows.x[known], line.x[order], line.y[order])
                assert np.abs(between - rows.expected[known]).max() <= 0.03 * np.abs(line.y).max() + 1e-9, (
                    panel,
                    series,
                )


# The dots of "convergence" are compared with zero excess, the rate of the line by a check.
AGAINST_ANOTHER_LINE = {("convergence", spectrum) for spectrum in convergence.SPECTRA}


def test_plot_draws_on_the_axes_that_it_is_given(entry, quick_table):
    before, module = dict(matplotlib.rcParams), entry.module
    axes = axes_of(module)
    assert module.plot(quick_table(entry.name), axes) is axes
    for ax in np.ravel(axes):
        assert ax.get_xlabel() and ax.get_title(loc="left").startswith(r"$\bf{")
        assert ax.images or sum(len(line.get_xdata()) for line in ax.lines) >= 3
    assert sum(len(line.get_xdata()) for ax in np.ravel(axes) for line in ax.lines) > 10 * np.size(axes)
    legends = [child for ax in np.ravel(axes) for child in ax.get_children() if isinstance(child, Legend)]
    legends += np.ravel(axes)[0].figure.legends
    assert legends and all(text.get_text() for legend in legends for text in legend.get_texts())
    assert dict(matplotlib.rcParams) == before
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or pyplot.get_fignums() == []


def test_plot_refuses_another_number_of_axes(entry, quick_table):
    axes = np.ravel(axes_of(entry.module))
    with pytest.raises(ValueError, match=f"axes must hold {len(axes)} Axes, got {len(axes) - 1}"):
        entry.module.plot(quick_table(entry.name), axes[:-1])


def scaled(function, factor):
    """A theory whose values are wrong by a factor."""

    def wrong(*arguments, **options):
        return function(*arguments, **options) * factor

    return wrong


def shifted(function):
    """A theory of data that vary more than they do in one direction."""

    def wrong(covariance, *arguments, **options):
        more = np.zeros(len(covariance))
        more[0] = 0.01 * np.trace(covariance)
        return function(covariance + np.diag(more), *arguments, **options)

    return wrong


def with_field(function, name, factor):
    """A theory with one field of its results wrong by a factor."""

    def wrong(*arguments, **options):
        result = function(*arguments, **options)
        return dataclasses.replace(result, **{name: factor * getattr(result, name)})

    return wrong


def later(function, position=None, factor=1.01):
    """A theory evaluated at a beta or level, the option `beta` or the argument at a position, too large by a factor."""

    def wrong(*arguments, **options):
        moved = list(arguments)
        if position is not None:
            moved[position] = factor * np.asarray(moved[position])
        elif "beta" in options:
            options["beta"] *= factor
        return function(*moved, **options)

    return wrong


def heavier(function):
    """An optimum for a weight between groups that is too large."""

    def wrong(decoder, noise_variance, covariance, weights, *arguments, **options):
        more = dataclasses.replace(weights, between=1.01 * weights.between)
        return function(decoder, noise_variance, covariance, more, *arguments, **options)

    return wrong


def halved(function):
    """A bias as if the minibatch held twice as many points."""

    def wrong(*arguments, batch_size, **options):
        return function(*arguments, batch_size=2 * batch_size, **options)

    return wrong


def turned(separation):
    """A demixing with its rows mixed a little."""
    return dataclasses.replace(separation, demixing=np.array([[1.0, 0.01], [0.0, 1.0]]) @ separation.demixing)


CRITICAL = "curvature of a dead latent at its critical beta"
EXPANSION, LIMIT = "expansion in the coherence", "limit of independent groups"


@pytest.mark.parametrize(
    ("name", "attribute", "perturb", "panel"),
    [
        ("inference_error", "inference_error_curve", lambda f: later(f, 1), "forward_kl"),
        ("optimal_beta", "two_factor_optimal_beta", lambda f: scaled(f, 1.001), "coherence"),
        ("optimal_beta", "mismatched_beta", lambda f: scaled(f, 1.001), "noise_mismatch"),
        ("optimal_beta", "random_mixing_optimal_beta", lambda f: scaled(f, 1.01), "random_mixing"),
        ("learned_inference_error", "optimum", later, "general forward_kl"),
        ("collapse", "optimum", later, "weight_norm"),
        ("rate_distortion", "vae_rate_distortion", lambda f: later(f, 2), "distortion"),
        ("rate_distortion", "capacity_penalty", lambda f: later(f, 2), "excess_distortion"),
        ("learned_noise", "optimum_curve", lambda f: later(f, 2), "noise_variance"),
        ("convergence", "optimum", later, "separated"),
        ("convergence", "optimum", later, "nearly_tied"),
        ("convergence", "subspace_rate", lambda f: scaled(f, 1.01), "rate of rotated EM"),
        ("rotation_energy", "two_mode_rotation_energy", lambda f: scaled(f, 1.001), "excess_loss"),
        ("rotation_energy", "two_mode_rotation_energy", lambda f: scaled(f, 1.001), "excess_loss_if_only_turned"),
        ("degenerate_spectrum", "orthogonality_chance_level", lambda f: with_field(f, "mean", 1.6), "distance"),
        ("degenerate_spectrum", "orthogonality_distribution", lambda f: scaled(f, 1.8), "distribution"),
        ("priors_and_axes", "prior_optimum", later, "gaussian_factors"),
        ("priors_and_axes", "prior_optimum", later, "loss with Gaussian factors"),
        ("priors_and_axes", "factor_rotation_energy", lambda f: scaled(f, 1.01), "other_factors"),
        ("decomposition", "regularised_encoder", lambda f: later(f, 3), "gaussian"),
        ("granularity", "granularity_errors", lambda f: later(f, 2), "nested_sizes"),
        (
            "granularity",
            "inference_error",
            lambda f: lambda *a: dataclasses.replace(f(*a), mean_squared_error=0.0),
            "share_helped",
        ),
        (
            "granularity_trajectory",
            "grouped_optima",
            lambda f: lambda *a: f(a[0], a[1], 1.01 * a[2], *a[3:]),
            "objective_by_size",
        ),
        ("granularity_trajectory", "correlated_prior_shift", lambda f: scaled(f, 1.001), "objective_by_size"),
        ("total_correlation", "grouped_optimum", heavier, "parts of the rate"),
        ("total_correlation", "minibatch_bias", halved, "bias of a code of little information"),
        (
            "total_correlation",
            "minibatch_bounds",
            lambda f: with_field(f, "between", 0.999),
            "bounds of a precise code",
        ),
        ("inference_error", "optimal_beta", lambda f: with_field(f, "beta", 1.01), "optimal beta"),
        ("inference_error", "optimal_beta", lambda f: with_field(f, "error", 1.01), "error at the optimal beta"),
        ("optimal_beta", "small_coherence_beta", lambda f: lambda a, r: 1 + 1.01 * (f(a, r) - 1), EXPANSION),
        ("collapse", "optimum_curve", lambda f: with_field(f, "critical_betas", 1.01), CRITICAL),
        ("rate_distortion", "rate_distortion", lambda f: with_field(f, "distortion", 1.01), "distortion"),
        ("rate_distortion", "vae_rate_distortion", lambda f: with_field(f, "rate", 1.01), "rate"),
        ("decomposition", "hoyer_chance_level", lambda f: scaled(f, 1.01), "sparsity"),
        ("granularity_trajectory", "independent_groups", lambda f: lambda a, b, c, d: f(a, 1.1 * b, c, d), LIMIT),
        ("total_correlation", "grouped_terms", lambda f: with_field(f, "between", 1.01), "information"),
        ("total_correlation", "minibatch_scale", lambda f: scaled(f, 1.01), "scale"),
        ("hiding_factors", "separation_code", lambda f: lambda a, b: f(a, turned(b)), "mutual_information_gap"),
        ("hiding_factors", "optimum", shifted, "mean_correlation"),
        ("hiding_factors", "optimum", shifted, "mutual_information_gap"),
    ],
)
def test_a_wrong_theory_is_noticed(name, attribute, perturb, panel, monkeypatch, remember_calls):
    module = FIGURES[name].module
    remember_calls(module)  # the experiments stay as they are
    monkeypatch.setattr(module, attribute, perturb(getattr(module, attribute)))
    failed = {d.quantity for d in module.data(quick=True).comparisons if not d.passed}
    assert panel in failed


@pytest.mark.parametrize("module", [collapse, rate_distortion, learned_noise])
def test_own_data(module):
    """Few directions, a constant column, another scale; the noise must stay learnable."""
    rng = np.random.default_rng(3)
    data = np.column_stack([rng.standard_normal((80, 3)) * [300.0, 100.0, 50.0], np.full(80, 7.0)])
    table = module.data(observations=data, name="mine", quick=True)
    assert all(d.passed for d in table.comparisons)
    assert (table.parameters["data"], table.parameters["observations"], table.parameters["rank"]) == ("mine", 80, 3)
    assert "The data are `mine`, 80 observations of 4 variables" in caption_of(module, table)
    module.plot(table, axes_of(module))


BAD_OPTIONS = {
    "quick": (1, "yes", None, np.array([True])),
    "seed": (None, -1, 0.5, True, "0", [0]),
    "progress": (None, "x", 3),
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_data_checks_its_options_at_the_door(entry, name):
    for value in BAD_OPTIONS[name]:
        with pytest.raises(ValueError, match=f"^{name} must be"):
            entry.module.data(**{name: value})
