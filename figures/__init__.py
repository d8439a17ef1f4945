"""The curves: one module per figure, each with `data() -> Table` and `plot(table, axes) -> axes`.

Lines are closed forms of `theory`, dots are training by `numerics` (stopped by the gradient norm), error bars are Monte
Carlo. `python -m figures` draws them all and ends with the largest deviation between theory and experiment.
"""

import theory  # noqa: F401  before all else, for `theory.interface.interrupts`
