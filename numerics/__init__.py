"""Experiments that confirm the closed forms of `theory`: training by gradients, sweeps, sampling and checks."""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "numerics.checks.verify": "verify",
        "numerics.data.block_factors": "block_truth",
        "numerics.data.observations": "digits load",
        "numerics.data.sprites": "load_dsprites sample_sprites",
        "numerics.diagnosis.activity": "active_count",
        "numerics.diagnosis.audit": "audit Audit",
        "numerics.diagnosis.codes": "Codes",
        "numerics.diagnosis.certificate": "Certificate certify",
        "numerics.experiments.best_group_size": "vertex_map VertexCell",
        "numerics.experiments.granularity": "granularity_map GranularityRun",
        "numerics.priors.training": "PriorRun train_with_prior",
        "numerics.sampling.monte_carlo": "Estimate sample_elbo_terms sample_errors",
        "numerics.sweeps.read_runs": "read_runs Runs",
        "numerics.sweeps.sweep": "Sweep sweep",
        "numerics.training.autoencoder": "train_autoencoder",
        "numerics.training.minibatch": "train_minibatch",
        "numerics.training.train": "train TrainingRun",
    },
)
