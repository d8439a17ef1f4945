from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from numerics.experiments import optimal_beta
from numerics.training.stop import Stop
from theory import GenerativeModel, inference_error, optimal_encoder
from theory.inference import two_factor_loading, two_factor_optimal_beta


def test_the_search_finds_the_closed_form_and_reports_unfinished_training(monkeypatch):
    truth = GenerativeModel(two_factor_loading(4.0, 0.7), 1.0)
    found = optimal_beta.trained_optimal_beta(truth)
    assert found.beta == pytest.approx(two_factor_optimal_beta(4.0, 0.7), rel=1e-5)
    best = optimal_encoder(truth.loading, 1.0, two_factor_optimal_beta(4.0, 0.7))
    assert found.error == pytest.approx(inference_error(truth, best).forward_kl, abs=1e-9)

    def hasty(*arguments, **options):
        return dataclasses.replace(experiments_train(*arguments, **options), stopped=Stop.MAX_STEPS)

    experiments_train = optimal_beta.train_problem
    monkeypatch.setattr(optimal_beta, "train_problem", hasty)
    assert np.isnan(optimal_beta.trained_optimal_beta(truth)).all()


def test_of_the_log_score_it_finds_the_largest():
    truth = GenerativeModel(two_factor_loading(4.0, 0.7), 1.0)
    found = optimal_beta.trained_optimal_beta(truth, "log_score")
    assert found.beta == pytest.approx(two_factor_optimal_beta(4.0, 0.7), rel=1e-5)
    worse = optimal_encoder(truth.loading, 1.0, 1.1 * found.beta)
    assert found.error > inference_error(truth, worse).log_score
