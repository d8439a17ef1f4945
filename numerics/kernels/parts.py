"""Steps of Adam on batches of observations, of large problems in two parts that are computed at the same time.

The columns of the data are shared out: each part has its columns of X, W^T and V, and its own copy of L and log s2,
which take the same steps in both. The sums over all columns are exchanged once a step. Whether there are two parts
depends on the sizes only, so that the bits of a run do not depend on the threads. Letters and products are those of
`numerics.kernels.minibatch`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, pairwise
from threading import Barrier

import numpy as np

from numerics.kernels.descent import AdamState
from numerics.kernels.minibatch import Part, begin_step, end_step, sampled_scratch, steps_of_all, sums
from numerics.kernels.objective import views
from numerics.kernels.products import zeros

__all__ = ["joined", "sampled_adam", "separated"]

LARGE = 2**21  # multiplications in a product with a batch, from where two parts save more than they cost


def separated(theta, data, mask, latent_dim, batch_size) -> tuple[Part, ...]:
    """The parts, one or two, of a point [ W^T | V | L | log s2 ], of data (N, D) and of what is learned (`mask`)."""
    data_dim = data.shape[1]
    two = data_dim > 2 * latent_dim and data_dim * latent_dim * batch_size >= LARGE
    cuts = (0, data_dim // 2, data_dim) if two else (0, data_dim)

    def part(begin: int, end: int) -> Part:
        own, learned = (_columns(vector, latent_dim, data_dim, begin, end) for vector in (theta, mask))
        state = AdamState(own, *(zeros(len(own)) for _ in range(3)))
        return Part(np.ascontiguousarray(data[:, begin:end]), state, learned)

    return tuple(part(begin, end) for begin, end in pairwise(cuts))


def _columns(vector, latent_dim, data_dim, begin, end):
    """The point that has only some of the columns of W^T and V."""
    size = 2 * latent_dim * data_dim
    maps, rest = vector[:size].reshape(2 * latent_dim, data_dim)[:, begin:end].ravel(), vector[size:]
    out = zeros(len(maps) + len(rest))
    out[: len(maps)], out[len(maps) :] = maps, rest
    return out


def joined(parts, latent_dim) -> np.ndarray:
    """The point that `separated` took apart, as it is now."""
    points = [views(part.state.theta, latent_dim, part.data.shape[1]) for part in parts]
    rest = parts[0].state.theta[points[0].maps.size :]
    return np.concatenate([np.hstack([point.maps for point in points]).ravel(), rest])


def sampled_adam(parts, step, picks, noise, beta, learning_rate, losses, threads):
    """Steps of Adam, after `step` earlier ones, one for each row of `picks` (of rows of the data) and `noise`, in
    place in the states of the parts.

    `losses` receives the sampled loss before each.
    """
    if len(parts) == 1:
        steps_of_all(parts[0], step, picks, noise, beta, learning_rate, losses)
        return
    count, latent_dim, sizes = picks.shape[1], noise.shape[1], [part.data.shape[1] for part in parts]
    data_dim = sum(sizes)
    # In turn one of two, since a part may begin a step while the other still reads the sums of the one before.
    exchanged = [[sums(latent_dim, count) for _ in parts] for _ in range(2)]
    own = [
        (np.empty((count, size)), sums(latent_dim, count), sampled_scratch(latent_dim, size, count)) for size in sizes
    ]
    together = Barrier(min(threads, len(parts)))

    def steps_of(some):
        try:
            for row, both in zip(range(len(picks)), cycle(exchanged), strict=False):
                for at in some:
                    begin_step(parts[at], picks[row], own[at][0], both[at])
                together.wait()
                left = 0.9 ** (step + row + 1), 0.999 ** (step + row + 1)
                for at in some:
                    batch, total, scratch = own[at]
                    losses[row] = end_step(
                        parts[at], left, batch, noise[row], beta, data_dim, learning_rate, *both, total, scratch
                    )
        except BaseException:
            together.abort()  # else the other part would wait for this one
            raise

    if together.parties == 1:
        steps_of(range(len(parts)))
        return
    with ThreadPoolExecutor(len(parts)) as pool:
        for ended in [pool.submit(steps_of, [at]) for at in range(len(parts))]:
            ended.result()
