"""Theory against experiment, result by result: the table that `python -m numerics verify` prints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tqdm import tqdm

from numerics.checks import axes, groups, inference, learning, objective, structure
from numerics.checks.comparison import Effort, Row
from theory import validation

__all__ = ["CHECKS", "verify"]

CHECKS = objective.CHECKS | inference.CHECKS | learning.CHECKS | axes.CHECKS | structure.CHECKS | groups.CHECKS

FULL = Effort(samples=1_000_000, quick=False)
QUICK = Effort(samples=100_000, quick=True)


def verify(*, quick: bool = False, only: Sequence[str] | None = None, progress: bool = True) -> list[Row]:
    """Compare every closed form with training from random starts and with Monte Carlo.

    Parameters
    ----------
    quick : bool
        fewer draws, and without the larger cases.
    only : sequence of str, optional
        names in `CHECKS`; all by default.
    progress : bool
        a progress bar on stderr.

    Returns
    -------
    list of Row
        in the order of `CHECKS`, the same on every run; each says whether it passed.

    Raises
    ------
    ValueError
        for an unknown name, or an `only` that is empty or no sequence.
    """
    effort = QUICK if validation.flag("quick", quick) else FULL
    progress = validation.flag("progress", progress)
    chosen = (
        CHECKS
        if only is None
        else [validation.choice("only", name, CHECKS) for name in validation.sequence("only", only)]
    )
    names = [name for name in CHECKS if name in chosen]
    rows = []
    with tqdm(names, desc="verify", unit="result", disable=None if progress else True, leave=False) as bar:
        for name in bar:
            bar.set_postfix_str(name)
            rows.extend(replace(row, result=name) for row in CHECKS[name](effort))
    return rows
