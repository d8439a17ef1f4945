"""Which groups: total correlation along partitions, the grouped objective and its optima, groups chosen from data."""

from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(
    __name__,
    {
        "theory.groups.decomposition": (
            "equal_groups grouped_terms GroupedTerms total_correlation_path TotalCorrelationPath"
        ),
        "theory.groups.free_rotations": "block_rotation free_planes",
        "theory.groups.penalty_slope": "granularity_slope",
        "theory.groups.independence": "independent_groups",
        "theory.groups.learned_decoder": "correlated_prior_shift learned_decoder_value LearnedDecoderValue",
        "theory.groups.minibatch": (
            "minibatch_bias minibatch_bounds minibatch_offset minibatch_scale MinibatchBounds MinibatchParts"
        ),
        "theory.groups.objective": "grouped_gradient grouped_loss Weights",
        "theory.groups.errors": "granularity_errors",
        "theory.groups.optimum": "grouped_optima grouped_optimum GroupedOptimum",
        "theory.groups.selection.choice": "choose_groups GroupSelection",
        "theory.groups.selection.factors": "estimate_factors FactorEstimate",
    },
)
