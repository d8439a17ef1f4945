"""Which groups: total correlation along partitions, the grouped objective and its optima, groups chosen from data."""

from theory.groups.block_posterior import block_rotation, free_planes, rotation_stiffness
from theory.groups.choice import Granularity, choose_groups
from theory.groups.decomposition import (
    GroupedTerms,
    TotalCorrelationPath,
    equal_groups,
    grouped_terms,
    total_correlation_path,
)
from theory.groups.factors import FactorEstimate, estimate_factors
from theory.groups.independence import independent_groups
from theory.groups.learned_decoder import LearnedDecoderValue, correlated_prior_shift, learned_decoder_value
from theory.groups.minibatch import (
    MinibatchBounds,
    MinibatchParts,
    minibatch_bias,
    minibatch_bounds,
    minibatch_offset,
    minibatch_scale,
)
from theory.groups.objective import Weights, grouped_gradient, grouped_loss
from theory.groups.optimum import GroupedOptimum, granularity_errors, grouped_optimum
from theory.groups.slope import granularity_slope

__all__ = [
    "FactorEstimate",
    "Granularity",
    "GroupedOptimum",
    "GroupedTerms",
    "LearnedDecoderValue",
    "MinibatchBounds",
    "MinibatchParts",
    "TotalCorrelationPath",
    "Weights",
    "block_rotation",
    "choose_groups",
    "correlated_prior_shift",
    "equal_groups",
    "estimate_factors",
    "free_planes",
    "granularity_errors",
    "granularity_slope",
    "grouped_gradient",
    "grouped_loss",
    "grouped_optimum",
    "grouped_terms",
    "independent_groups",
    "learned_decoder_value",
    "minibatch_bias",
    "minibatch_bounds",
    "minibatch_offset",
    "minibatch_scale",
    "rotation_stiffness",
    "total_correlation_path",
]
