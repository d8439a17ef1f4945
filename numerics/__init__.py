"""Experiments that confirm the closed forms of `theory`: training by gradients, sweeps, sampling and checks."""

from numerics.activity import active_count
from numerics.certification import Certificate, certify
from numerics.data import digits, load
from numerics.monte_carlo import Estimate, sample_elbo_terms, sample_errors
from numerics.sweep import Sweep, sweep
from numerics.training import TrainingRun, train
from numerics.verification import verify

__all__ = [
    "Certificate",
    "Estimate",
    "Sweep",
    "TrainingRun",
    "active_count",
    "certify",
    "digits",
    "load",
    "sample_elbo_terms",
    "sample_errors",
    "sweep",
    "train",
    "verify",
]
