"""Experiments that confirm the closed forms of `theory`: training by gradients, sweeps, sampling and checks."""

import theory  # noqa: F401  before all else, for `theory.interrupts`
from numerics.activity import active_count
from numerics.autoencoder import train_autoencoder
from numerics.block_factors import block_truth
from numerics.certification import Certificate, certify
from numerics.data import digits, load
from numerics.granularity import GranularityRun, granularity_map
from numerics.minibatch_training import train_minibatch
from numerics.monte_carlo import Estimate, sample_elbo_terms, sample_errors
from numerics.prior_training import PriorRun, train_with_prior
from numerics.sprites import load_dsprites, sample_sprites
from numerics.sweep import Sweep, sweep
from numerics.training import TrainingRun, train
from numerics.verification import verify
from numerics.vertex import VertexCell, vertex_map

__all__ = [
    "Certificate",
    "Estimate",
    "GranularityRun",
    "PriorRun",
    "Sweep",
    "TrainingRun",
    "VertexCell",
    "active_count",
    "block_truth",
    "certify",
    "digits",
    "granularity_map",
    "load",
    "load_dsprites",
    "sample_elbo_terms",
    "sample_errors",
    "sample_sprites",
    "sweep",
    "train",
    "train_autoencoder",
    "train_minibatch",
    "train_with_prior",
    "verify",
    "vertex_map",
]
