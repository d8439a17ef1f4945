"""The families of priors by name, each with an example of two latents, which figures go through.

How to add a family: docs/extending.md.
"""

from __future__ import annotations

from theory.priors.clusters import ClusterPrior
from theory.priors.gaussian import GaussianPrior
from theory.priors.protocol import Prior
from theory.priors.spike_slab import SpikeSlabPrior
from theory.priors.student import StudentPrior

__all__ = ["EXAMPLES"]

EXAMPLES: dict[str, Prior] = {
    "isotropic": GaussianPrior.isotropic(2),
    "anisotropic": GaussianPrior.anisotropic([1.5, 0.6]),
    "Student-t": StudentPrior(2.0, 2),
    # A wider spike than the usual 0.05, at which Gaussian data have two optima, one of them inside the spike.
    "spike and slab": SpikeSlabPrior(2, 0.8, 0.25),
    "clusters": ClusterPrior(),
}
