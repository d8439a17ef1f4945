"""The curves: one module per figure, each with `data() -> Table` and `plot(table, axes) -> axes`.

Lines are closed forms of `theory`, dots are training by `numerics` (stopped by the gradient norm), error bars are Monte
Carlo. `python -m figures` draws them all and ends with the largest deviation between theory and experiment; `draw`
draws one with the parameters that you give.
"""

import theory  # noqa: F401  before all else, for `theory.interface.interrupts`
from theory.interface.facade import facade

__getattr__, __dir__, __all__ = facade(__name__, {"figures.by_name": "draw"})
