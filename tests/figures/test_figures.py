"""Each figure: its table agrees with theory, notices a wrong theory, and is drawn on the Axes that it is given."""

from __future__ import annotations

import dataclasses
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend

from figures import (
    collapse,
    experiments,
    inference_error,
    learned_noise,
    optimal_beta,
    rate_distortion,
    rotation_energy,
)
from figures.registry import FIGURES
from theory import GenerativeModel, Moments, optimum
from theory.axes import plane_rotation
from theory.inference import two_factor_loading, two_factor_optimal_beta


@pytest.fixture(params=FIGURES)
def entry(request):
    return FIGURES[request.param]


def axes_of(module):
    figure = Figure(figsize=module.LAYOUT["size"])
    FigureCanvasAgg(figure)
    return figure.subplots(*module.LAYOUT["shape"])


def test_experiment_agrees_with_theory(entry, quick_table):
    deviations = quick_table(entry.name).deviations
    assert len(deviations) >= 3
    assert [d for d in deviations if not d.passed] == []
    assert all(d.reason and d.points > 0 for d in deviations)


def test_every_panel_has_theory_and_experiment(entry, quick_table):
    table = quick_table(entry.name)
    for panel in {row.panel for row in table.points}:
        sources = {row.source for row in table.points if row.panel == panel}
        assert "trained" in sources and ("theory" in sources or panel == rotation_energy.STARTS)


def test_plot_draws_on_the_axes_that_it_is_given(entry, quick_table):
    before, module = dict(matplotlib.rcParams), entry.module
    axes = axes_of(module)
    assert module.plot(quick_table(entry.name), axes) is axes
    for ax in np.ravel(axes):
        assert ax.get_xlabel() and ax.get_title(loc="left").startswith(r"$\bf{")
        assert sum(len(line.get_xdata()) for line in ax.lines) > 10
    legends = [child for ax in np.ravel(axes) for child in ax.get_children() if isinstance(child, Legend)]
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


def later(function, position=None):
    """A theory evaluated at a beta or level, the option `beta` or the argument at a position, one percent too large."""

    def wrong(*arguments, **options):
        moved = list(arguments)
        if position is not None:
            moved[position] = 1.01 * np.asarray(moved[position])
        elif "beta" in options:
            options["beta"] *= 1.01
        return function(*moved, **options)

    return wrong


@pytest.mark.parametrize(
    ("name", "attribute", "perturb", "panel"),
    [
        ("inference_error", "inference_error_curve", lambda f: later(f, 1), "forward_kl"),
        ("optimal_beta", "two_factor_optimal_beta", lambda f: scaled(f, 1.001), "coherence"),
        ("optimal_beta", "mismatched_beta", lambda f: scaled(f, 1.001), "noise_mismatch"),
        ("optimal_beta", "random_mixing_optimal_beta", lambda f: scaled(f, 1.5), "random_mixing limit"),
        ("learned_inference_error", "optimum", later, "general forward_kl"),
        ("collapse", "optimum", later, "weight_norm"),
        ("rate_distortion", "vae_rate_distortion", lambda f: later(f, 2), "distortion"),
        ("rate_distortion", "capacity_penalty", lambda f: later(f, 2), "excess_distortion"),
        ("learned_noise", "optimum_curve", lambda f: later(f, 2), "noise_variance"),
        ("rotation_energy", "two_mode_rotation_energy", lambda f: scaled(f, 1.001), "excess_loss"),
    ],
)
def test_a_wrong_theory_is_noticed(name, attribute, perturb, panel, monkeypatch):
    module = FIGURES[name].module
    monkeypatch.setattr(module, attribute, perturb(getattr(module, attribute)))
    failed = {d.quantity for d in module.data(quick=True).deviations if not d.passed}
    assert panel in failed


def test_inference_error_minima(quick_table):
    table = quick_table("inference_error")
    for panel in inference_error.PANELS:
        assert table.select(panel, "minimum", "0").x == pytest.approx(1.0, abs=1e-10)
    assert np.all(np.diff(table.select("forward_kl", "minimum").x) > 0)
    np.testing.assert_allclose(table.select("mean_squared_error", "minimum").x, 1.0, atol=1e-10)


def test_the_search_finds_the_closed_form_and_reports_unfinished_training(monkeypatch):
    truth = GenerativeModel(two_factor_loading(4.0, 0.7), 1.0)
    found = optimal_beta.trained_optimal_beta(truth)
    assert found == pytest.approx(two_factor_optimal_beta(4.0, 0.7), rel=1e-5)

    def hasty(*arguments, **options):
        return dataclasses.replace(experiments_train(*arguments, **options), stopped="max_steps")

    experiments_train = optimal_beta.train
    monkeypatch.setattr(optimal_beta, "train", hasty)
    assert np.isnan(optimal_beta.trained_optimal_beta(truth))


def test_axis_angle_reads_the_rotation_modulo_a_quarter_turn():
    best = optimum(np.diag([4.0, 2.0, 0.5]), 2, beta=1.0, noise_variance=0.6).vae
    for angle in (-44.0, -10.0, 0.0, 30.0, 44.0):
        for turn in (0, 90, 180):
            decoder = best.decoder @ plane_rotation(2, np.radians(angle + turn)).T
            turned = dataclasses.replace(best, decoder=decoder)
            assert abs(rotation_energy.axis_angle(turned)) == pytest.approx(abs(angle), abs=1e-9)


@pytest.mark.parametrize("module", [collapse, rate_distortion, learned_noise])
def test_own_data(module):
    """Few directions, a constant column, another scale; the noise must stay learnable."""
    rng = np.random.default_rng(3)
    data = np.column_stack([rng.standard_normal((80, 3)) * [300.0, 100.0, 50.0], np.full(80, 7.0)])
    table = module.data(observations=data, name="mine", quick=True)
    assert all(d.passed for d in table.deviations)
    assert (table.parameters["data"], table.parameters["observations"], table.parameters["rank"]) == ("mine", 80, 3)
    module.plot(table, axes_of(module))


def test_data_without_a_noise_to_learn_are_refused():
    for data in (np.ones((5, 3)), np.arange(10.0).reshape(5, 2), np.diag([1.0, 1e-5]).repeat(2, axis=0)):
        with pytest.raises(ValueError, match="mine: must vary in at least two directions of comparable scale"):
            experiments.real_data(data, "mine")


def test_latent_dims_keep_the_noise_learnable():
    def source(*eigenvalues):
        return experiments.Observations(
            "x", np.zeros((2, 2)), Moments(0, np.zeros(1), np.eye(1)), np.array(eigenvalues)
        )

    assert source(4, 3, 2, 0).latent_dims((12, 3, 2)) == [2]
    assert source(4, 3, 1e-7, 1e-7).latent_dims((3, 2)) == [1]
    assert source(4, 3, 2, 1, 1).latent_dims((2, 4)) == [2, 4]


def test_betas_near_a_collapse_are_left_out():
    kept = experiments.away_from(np.array([2.0, 1.0, 0.0]), np.array([0.5, 0.99, 1.03, 1.99, 2.5]))
    np.testing.assert_array_equal(kept, [0.5, 1.03, 2.5])


def test_an_interrupt_in_training_is_passed_on(monkeypatch):
    done = experiments.train_each(np.diag([2.0, 1.0]), 1, [1.0])
    monkeypatch.setattr(experiments, "sweep", lambda *_, **__: dataclasses.replace(done, interrupted=True))
    with pytest.raises(KeyboardInterrupt):
        experiments.train_each(np.diag([2.0, 1.0]), 1, [1.0])


def test_unfinished_training_is_counted():
    hasty = experiments.train_each(np.diag([2.0, 1.0]), 1, [1.0, 1.5], max_steps=1)
    check = experiments.unfinished([hasty])
    assert (check.largest, check.points, check.passed) == (2.0, 2, False)
