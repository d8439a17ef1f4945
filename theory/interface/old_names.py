"""Names that a package exported before, and where they are now: old package -> old name -> new dotted name.

They stay importable from there, with a DeprecationWarning (`theory.interface.facade`). Nothing in the project uses
them.
"""

__all__ = ["OLD_NAMES"]

OLD_NAMES = {
    "theory.axes": {
        "AnnealedTerms": "theory.priors.AnnealedTerms",
        "ClusterPrior": "theory.priors.ClusterPrior",
        "GaussianPrior": "theory.priors.GaussianPrior",
        "Prior": "theory.priors.Prior",
        "PriorOptimum": "theory.priors.PriorOptimum",
        "RegularisedEncoder": "theory.priors.RegularisedEncoder",
        "RegularisedTerms": "theory.priors.RegularisedTerms",
        "RescaledTerms": "theory.priors.RescaledTerms",
        "SpikeSlabPrior": "theory.priors.SpikeSlabPrior",
        "StudentPrior": "theory.priors.StudentPrior",
        "aggregate_divergence": "theory.priors.aggregate_divergence",
        "annealed_terms": "theory.priors.annealed_terms",
        "factor_rotation_energy": "theory.priors.factor_rotation_energy",
        "gaussian_log_normaliser": "theory.priors.gaussian_log_normaliser",
        "kernel_mean": "theory.priors.kernel_mean",
        "nearest_gaussian": "theory.priors.nearest_gaussian",
        "prior_optimum": "theory.priors.prior_optimum",
        "prior_rotation_energy": "theory.priors.prior_rotation_energy",
        "regularised_encoder": "theory.priors.regularised_encoder",
        "regularised_terms": "theory.priors.regularised_terms",
        "rescale": "theory.priors.rescale",
        "rescaled_terms": "theory.priors.rescaled_terms",
        "student_log_normaliser": "theory.priors.student_log_normaliser",
    },
    "theory.axes.priors": {
        "ClusterPrior": "theory.priors.ClusterPrior",
        "GaussianPrior": "theory.priors.GaussianPrior",
        "Prior": "theory.priors.Prior",
        "SpikeSlabPrior": "theory.priors.SpikeSlabPrior",
        "StudentPrior": "theory.priors.StudentPrior",
        "checked_factors": "theory.priors.protocol.checked_factors",
        "checked_prior": "theory.priors.protocol.checked_prior",
        "expectation_and_slopes": "theory.priors.protocol.expectation_and_slopes",
    },
    "theory.groups": {
        "Granularity": "theory.groups.GroupSelection",
        "rotation_stiffness": "theory.axes.rotation_curvature",
    },
    "theory.metrics": {
        "DCI": "theory.scores.DCI",
        "GaussianCode": "theory.scores.GaussianCode",
        "Scores": "theory.scores.Scores",
        "dci": "theory.scores.dci",
        "hoyer_chance_level": "theory.scores.hoyer_chance_level",
        "hoyer_sparsity": "theory.scores.hoyer_sparsity",
        "mean_correlation": "theory.scores.mean_correlation",
        "mutual_information_gap": "theory.scores.mutual_information_gap",
        "mutual_information_matrix": "theory.scores.mutual_information_matrix",
        "sap": "theory.scores.sap",
        "scores": "theory.scores.scores",
        "total_correlation": "theory.scores.total_correlation",
    },
}
