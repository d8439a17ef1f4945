from __future__ import annotations

import importlib
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from numerics.checks.verify import CHECKS, verify
from numerics.comparison import MOST_ROWS
from theory import LinearVAE

# Each check, and a closed form under it which, when perturbed, must make it fail.
CLOSED_FORMS = [
    ("objective_parts", "theory.elbo_terms"),
    ("optimal_encoder", "theory.inference.optimal_encoder"),
    ("family_gap", "theory.inference.family_gap"),
    ("inference_errors", "theory.inference.inference_error"),
    ("inference_error_curve", "theory.inference.inference_error_curve"),
    ("optimal_beta", "theory.inference.optimal_beta"),
    ("optimal_beta_learned_noise", "theory.inference.optimal_beta"),
    ("slope_at_one", "theory.inference.forward_kl_slope"),
    ("two_factors", "theory.inference.two_factor_optimal_beta"),
    ("two_factors", "theory.inference.small_coherence_beta"),
    ("noise_mismatch", "theory.inference.mismatched_beta"),
    ("correlated_factors", "theory.inference.optimal_beta"),
    ("correlated_factors", "theory.inference.squared_error_level_bracket"),
    ("random_mixing", "theory.inference.random_mixing_errors"),
    ("random_mixing", "theory.inference.random_mixing_optimal_beta"),
    ("optimum_fixed_noise", "theory.learning.optimum"),
    ("optimum_learned_noise", "theory.learning.optimum"),
    ("optimum_full_posterior", "theory.learning.optimum"),
    ("optimal_weights", "theory.learning.optimum"),
    ("aggregate_posterior", "theory.learning.optimum"),
    ("rate_distortion", "theory.learning.rate_distortion"),
    ("capacity_penalty", "theory.learning.capacity_penalty"),
    ("collapse", "theory.learning.critical_betas"),
    ("learned_inference_error", "theory.inference_error"),
    ("first_and_second_order", "theory.learning.optimum"),
    ("digits_optimum", "theory.learning.optimum"),
    ("rotation_energy", "theory.axes.rotation_energy"),
    ("two_mode_rotation_energy", "theory.axes.two_mode_rotation_energy"),
    ("rotation_curvature", "theory.axes.rotation_curvature"),
    ("annealed_prior", "theory.priors.annealed_terms"),
    ("annealed_prior", "theory.priors.rescaled_terms"),
    ("prior_optimum", "theory.priors.prior_optimum"),
    ("prior_optimum", "theory.priors.nearest_gaussian"),
    ("prior_rotation_energy", "theory.priors.prior_rotation_energy"),
    ("prior_rotation_energy", "theory.priors.factor_rotation_energy"),
    ("aggregate_penalty", "theory.priors.aggregate_divergence"),
    ("aggregate_penalty", "theory.priors.regularised_encoder"),
    ("aggregate_penalty_learned", "theory.priors.regularised_terms"),
    ("orthogonality_chance", "theory.axes.orthogonality_chance_level"),
    ("polarized_regime", "theory.axes.polarized_relative_error"),
    ("polarized_regime", "theory.axes.collapse_probability"),
    ("smallest_manipulation", "theory.axes.two_factor_manipulation"),
    ("smallest_manipulation", "theory.axes.smallest_manipulation"),
    ("largest_angle", "theory.axes.two_factor_largest_angle"),
    ("separation_by_time", "theory.axes.separate"),
    ("gaussian_scores", "theory.scores.scores"),
    ("grouped_parts", "theory.groups.grouped_terms"),
    ("grouped_learned_decoder", "theory.groups.learned_decoder_value"),
    ("correlated_prior", "theory.groups.correlated_prior_shift"),
    ("grouped_optimum", "theory.groups.grouped_optimum"),
    ("independent_groups", "theory.groups.independent_groups"),
    ("granularity_slope", "theory.groups.granularity_slope"),
    ("minibatch_estimates", "theory.groups.minibatch_bias"),
    ("minibatch_bounds", "theory.groups.minibatch_bounds"),
]


def perturbed(value):
    """The same kind of result with every number off by a tenth and more."""
    if isinstance(value, LinearVAE):
        return replace(value, encoder=1.1 * value.encoder, posterior_covariance=1.1 * value.posterior_covariance)
    if is_dataclass(value):
        return replace(value, **{field.name: perturbed(getattr(value, field.name)) for field in fields(value)})
    if isinstance(value, tuple):
        return tuple(perturbed(entry) for entry in value)
    if isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype == float):
        return 1.1 * value + 0.2
    return value


@pytest.fixture(scope="module")
def rows():
    return verify(quick=True, progress=False)


def test_theory_and_experiment_agree(rows):
    assert [row for row in rows if not row.passed] == []
    assert {row.result for row in rows} == set(CHECKS)


def test_every_row_compares_something(rows):
    for row in rows:
        assert (row.trained is not None) or (row.monte_carlo is not None)
        assert (row.monte_carlo is None) == (row.standard_error is None)
        assert row.deviation <= row.tolerance
        assert 0 <= row.resolution < 1
    assert sum(row.monte_carlo is not None for row in rows) <= MOST_ROWS


def test_rows_do_not_depend_on_what_else_runs(rows):
    names = ["inference_errors", "collapse"]
    assert verify(quick=True, only=names, progress=False) == [row for row in rows if row.result in names]


@pytest.mark.parametrize(("name", "closed_form"), CLOSED_FORMS)
def test_a_wrong_closed_form_is_found(name, closed_form, monkeypatch):
    module, function = closed_form.rsplit(".", 1)
    right = getattr(importlib.import_module(module), function)
    monkeypatch.setattr(closed_form, lambda *args, **kwargs: perturbed(right(*args, **kwargs)))
    rows = verify(quick=True, only=[name], progress=False)
    assert any(not row.passed for row in rows)


def test_every_check_is_tried_with_a_wrong_closed_form():
    assert {name for name, _ in CLOSED_FORMS} == set(CHECKS)


def test_unknown_names_are_refused():
    with pytest.raises(
        ValueError, match=r"only must name checks or results, got 'optimal'; the checks are objective_parts, "
    ):
        verify(only=["optimal"])
