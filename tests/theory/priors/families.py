"""The priors that the tests share, one or more of each family, and expectations by other ways."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from theory.priors import ClusterPrior, GaussianPrior, SpikeSlabPrior, StudentPrior

PRIORS = {
    "isotropic": GaussianPrior.isotropic(2, 1.7),
    "anisotropic": GaussianPrior.anisotropic([3.0, 0.4]),
    "from_pca": GaussianPrior.from_pca(np.diag([0.4, 2.0, 5.0]), 2),
    "block": GaussianPrior.block([[[2.0, 0.5], [0.5, 1.0]], [[0.3]]]),
    "two_level": GaussianPrior.two_level([[1.0], [-0.5]], 0.3),
    "student": StudentPrior(2.0, 2),
    "student_9": StudentPrior(9.0, 3),
    "spike_slab": SpikeSlabPrior(2),
    "spike_slab_3": SpikeSlabPrior(3, 0.3, 0.2),
    "clusters": ClusterPrior(),
    "wide_clusters": ClusterPrior(1.5, 0.4),
}
priors = pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)


def by_adaptive_quadrature(log_density, mean, variance, features):
    """E log p(u), u ~ N(mean, variance), by scipy between break points at the features and the quantiles."""
    deviation = np.sqrt(variance)
    points = [mean + k * deviation for k in range(-12, 13)]
    points = sorted({*points, *(feature for feature in features if points[0] < feature < points[-1])})
    return sum(
        quad(lambda u: norm.pdf(u, mean, deviation) * log_density(u), low, high, epsabs=1e-12, epsrel=1e-12, limit=200)[
            0
        ]
        for low, high in pairwise(points)
    )
