"""A sweep as a step of a larger computation, which needs every run: it comes whole, or an error says why not."""

from __future__ import annotations

import numpy as np

from numerics.sweeps.sweep import Sweep, sweep
from numerics.training.stop import Stop

__all__ = ["complete_sweep"]


def complete_sweep(covariance, latent_dim: int, **options) -> Sweep:
    """`sweep` with all of its runs made and none overflowed, without a progress bar.

    Parameters
    ----------
    covariance, latent_dim, **options
        as for `sweep`, but for `progress`.

    Returns
    -------
    Sweep

    Raises
    ------
    KeyboardInterrupt
        if it was interrupted. `sweep` itself returns what was finished, which a caller that needs all cannot use.
    RuntimeError
        if it failed: a worker that died, or a file that could not be written.
    ValueError
        if a run overflowed, and as `sweep`.
    """
    done = sweep(covariance, latent_dim, progress=False, **options)
    if done.failure is not None:
        raise RuntimeError(f"the sweep ended before all of its runs were made: {done.failure}")
    if done.interrupted:
        raise KeyboardInterrupt
    for row, column in np.argwhere(done.stopped == Stop.OVERFLOWED)[:1]:
        done.vae(row, column)  # raises, and names the run and the remedy
    return done
