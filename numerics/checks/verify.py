"""Theory against experiment, result by result: the table that `python -m numerics verify` prints.

Each module beside this one has the checks of a room. What decides whether theory and experiment agree is
`numerics.comparison`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from numerics.checks import (
    aggregate,
    axes,
    group_selection,
    groups,
    inference,
    learning,
    manipulation,
    matching,
    minibatch,
    objective,
    optimal_beta,
    prior_families,
    priors,
    random_mixing,
    scores,
    separation,
    users,
)
from numerics.comparison import Budget, Comparison
from theory import validation
from theory.interface.options import chosen_names
from theory.interface.progress import progress_bar

__all__ = ["CHECKS", "verify"]

MODULES = (
    objective,
    inference,
    optimal_beta,
    random_mixing,
    learning,
    users,
    matching,
    axes,
    manipulation,
    separation,
    prior_families,
    priors,
    aggregate,
    scores,
    groups,
    group_selection,
    minibatch,
)
CHECKS = {name: check for module in MODULES for name, check in module.CHECKS.items()}

FULL = Budget(samples=1_000_000, quick=False)
QUICK = Budget(samples=100_000, quick=True)


def verify(*, quick: bool = False, only: Sequence[str] | None = None, progress: bool = True) -> list[Comparison]:
    """Compare closed forms with training from random starts and with Monte Carlo.

    Parameters
    ----------
    quick : bool
        fewer draws, and without the larger cases.
    only : sequence of str, optional
        names in `CHECKS`, or of results (`theory.results`), each for all its checks; all by default.
    progress : bool
        a progress bar on stderr.

    Returns
    -------
    list of Comparison
        in the order of `only`, or of `CHECKS`, each name once; the same on every run; `passed` of each is the verdict.

    Raises
    ------
    ValueError
        for an unknown name, or an `only` that is empty or not a sequence.

    Examples
    --------
    >>> from numerics import verify
    >>> rows = verify(quick=True, only=["slope_at_one"], progress=False)
    >>> [(row.quantity, row.passed) for row in rows]
    [('d forward KL / d beta', True)]
    """
    budget = QUICK if validation.flag("quick", quick) else FULL
    progress = validation.flag("progress", progress)
    names = chosen_names("only", only, CHECKS, "checks")
    rows = []
    with progress_bar(names, desc="verify", unit="result", progress=None if progress else False, leave=False) as bar:
        for name in bar:
            bar.set_postfix_str(name)
            rows.extend(replace(row, result=name) for row in CHECKS[name](budget))
    return rows
