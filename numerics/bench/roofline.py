"""How fast a step could be if it were only its multiplications: NumPy's matrix products of the same shapes.

With decoder W and encoder V^T, both (D x K), and C and M of shape (K x K), a step multiplies

    on a covariance    W^T W,  V V^T,  C W^T,  M V            4 D K^2 multiplications, for each run
    on n rows X        X V^T,  Z W^T,  R^T Z,  R W,  X^T G    5 n D K multiplications; Z, G are (n x K), R is (n x D)

The second are the products of the textbook; a contestant may use others. Moments of N rows take N D^2 / 2, half of
X^T X, by SciPy's `dsyrk`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.linalg.blas import dsyrk

from numerics.bench.problem import DataMoments, Descent, MinibatchDescent
from theory.moments.sums import block_rows

__all__ = ["products_of_a_step", "products_of_moments"]


def products_of_a_step(task: Descent | MinibatchDescent) -> Callable[[], None]:
    """A function that does the products of one step, of all runs, into arrays that are ready."""
    pairs = _minibatch(task) if isinstance(task, MinibatchDescent) else _full_batch(task)
    pairs = [(left, right, np.matmul(left, right)) for left, right in pairs]

    def multiply():
        for left, right, out in pairs:
            np.matmul(left, right, out=out)

    return multiply


def products_of_moments(task: DataMoments) -> list[Callable[[], np.ndarray]]:
    """Functions that multiply all rows, from memory and not centred: in blocks as large as ours, and in one call."""
    data_dim = task.data.shape[1]

    def multiply(size):
        products = np.zeros((data_dim, data_dim), order="F")
        for first in range(0, len(task.data), size):
            block = task.data[first : first + size]
            products = dsyrk(1.0, block.T, beta=1.0, c=products, lower=1, overwrite_c=1)
        return products

    return [partial(multiply, size) for size in (block_rows(data_dim), len(task.data))]


def _full_batch(task: Descent):
    decoder, encoder = task.start.decoder, task.start.encoder
    decoder_rows, encoder_rows = (np.ascontiguousarray(np.swapaxes(maps, -1, -2)) for maps in (decoder, encoder))
    gram, code = decoder_rows @ decoder, encoder_rows @ encoder
    return [(decoder_rows, decoder), (encoder_rows, encoder), (code, decoder_rows), (gram, encoder_rows)]


def _minibatch(task: MinibatchDescent):
    decoder, encoder, data = task.start.decoder, task.start.encoder, task.rows[: task.batch_size]
    codes = data @ encoder
    residuals = data - codes @ decoder.T
    return [(data, encoder), (codes, decoder.T), (residuals.T, codes), (residuals, decoder), (data.T, codes)]
