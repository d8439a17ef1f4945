"""Checks of the disentanglement scores: closed forms against the usual scores of samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from numerics.comparison import Budget, Comparison, compare
from numerics.sampling.estimate import Estimate
from numerics.sampling.scores import sample_scores
from theory import scores

__all__ = ["CHECKS"]

BATCHES = 10


def gaussian_scores(budget: Budget) -> Iterator[Comparison]:
    """Every score of a code that mixes three factors, against those of draws."""
    rng = np.random.default_rng(405)
    mixing = np.array([[1.0, 0.3, 0.0], [-0.2, 0.8, 0.4], [0.1, 0.0, 0.5], [0.5, 0.5, -0.5]])
    exact = scores.scores(scores.GaussianCode(np.eye(3), mixing @ mixing.T + 0.2 * np.eye(4), mixing.T))
    count = budget.samples // BATCHES
    batches = []
    for _ in range(BATCHES):
        factors = rng.standard_normal((count, 3))
        codes = factors @ mixing.T + np.sqrt(0.2) * rng.standard_normal((count, 4))
        batches.append(asdict(sample_scores(factors, codes)))
    for name, value in asdict(exact).items():
        # Counting in 20 x 20 bins adds up to 19^2/2n nats to an information; the error of everything else is smaller.
        estimate = Estimate.of(np.array([batch[name] for batch in batches]))
        yield compare(name.replace("_", " "), value, monte_carlo=estimate, bias=19**2 / (2 * count))


CHECKS = {"gaussian_scores": gaussian_scores}
