"""What an encoder gives for each observation, from any framework, checked once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from theory import validation
from theory.moments import set_fields
from theory.validation import AMPLITUDE_DECADES, VARIANCE_DECADES

__all__ = ["Codes"]

CODE_DECADES = 40  # of posterior variances: then squares of log densities are floats, of the largest mean too
LARGEST_LOG = CODE_DECADES * np.log(10)


@dataclass(frozen=True, eq=False)
class Codes:
    """The posterior q(z | x_n) = N(mean_n, diag(variance_n)) of each of N observations.

    Parameters
    ----------
    mean : (N, K) array, N >= 2, K >= 1
        a row for each observation, a column for each latent.
    variance : (N, K) array > 0
        of the posterior; or, instead,
    log_variance : (N, K) array
        its natural logarithm, what most encoders return. Not the logarithm of the standard deviation: double that.
    reconstruction : (N, D) array, optional
        the decoder's mean for one code of each observation drawn from its posterior, as in training. That of the mean
        code has a smaller error than the loss counts. Or, instead,
    squared_error : (N,) array >= 0, optional
        |x_n - reconstruction_n|^2, summed over the D dimensions; it may be averaged over several draws.

    Arrays of NumPy and JAX and tensors of PyTorch and TensorFlow pass, with gradients too. After construction both
    `variance` and `log_variance` are there.

    Raises
    ------
    ValueError
        for both or none of `variance` and `log_variance`, likewise of `reconstruction` and `squared_error`; for shapes
        that do not fit, NaN, or a variance that is not positive: a deterministic encoder has an infinite KL.

    Examples
    --------
    >>> from numerics import Codes
    >>> codes = Codes([[0.5, 0.0], [-0.5, 0.0], [1.0, 0.1]], log_variance=[[-1.0, 0.0], [-1.2, 0.0], [-0.9, 0.0]])
    >>> codes.kl.round(3)
    array([[0.309, 0.   ],
           [0.376, 0.   ],
           [0.653, 0.005]])
    """

    mean: np.ndarray
    variance: np.ndarray | None = None
    log_variance: np.ndarray | None = None
    reconstruction: np.ndarray | None = None
    squared_error: np.ndarray | None = None

    def __post_init__(self):
        mean = validation.observations("mean", self.mean)
        validation.within_decades("mean", mean, AMPLITUDE_DECADES, tiny=True)
        if (self.variance is None) == (self.log_variance is None):
            both = "none" if self.variance is None else "both"
            raise ValueError(f"variance or log_variance must be given, got {both}; pass one of them")
        if self.log_variance is None:
            variance = validation.matrix("variance", self.variance, mean.shape)
            if not variance.min() > 0:
                raise ValueError(
                    f"variance must be > 0 everywhere, its smallest entry is {float(variance.min())!r}; pass "
                    "log_variance if these are logarithms, and no code of a deterministic encoder: its KL is infinite"
                )
            variance = validation.scales("variance", variance, CODE_DECADES)
            logarithm = np.log(variance)
        else:
            logarithm = validation.matrix("log_variance", self.log_variance, mean.shape)
            if (largest := np.abs(logarithm).max()) > LARGEST_LOG:
                raise ValueError(
                    f"log_variance must be at most {LARGEST_LOG:.0f} in size, its largest is {largest:.3g}; pass "
                    "natural logarithms of variances"
                )
            variance = np.exp(logarithm)
        reconstruction, error = self.reconstruction, self.squared_error
        if reconstruction is not None and error is not None:
            raise ValueError("reconstruction and squared_error must not both be given; pass one of them")
        if reconstruction is not None:
            reconstruction = validation.matrix("reconstruction", reconstruction, (len(mean), None))
            validation.within_decades("reconstruction", reconstruction, AMPLITUDE_DECADES, tiny=True)
        if error is not None:
            error = validation.vector("squared_error", error, len(mean))
            if error.min() < 0:
                raise ValueError(
                    f"squared_error must be >= 0 everywhere, its smallest entry is {float(error.min())!r}; pass "
                    "the squared distance of each observation from its reconstruction"
                )
            validation.within_decades("squared_error", error, VARIANCE_DECADES, tiny=True)
        set_fields(
            self,
            mean=mean,
            variance=variance,
            log_variance=logarithm,
            reconstruction=reconstruction,
            squared_error=error,
        )

    def __len__(self) -> int:
        """N, the number of observations."""
        return len(self.mean)

    @property
    def latent_dim(self) -> int:
        return self.mean.shape[1]

    @property
    def kl(self) -> np.ndarray:
        """KL(q(z_j | x_n) || N(0, 1)) = (mean^2 + variance - 1 - log variance) / 2 in nats, (N, K)."""
        # expm1(log v) is v - 1 with all digits near v = 1; the difference is at least zero, but for rounding.
        return (self.mean**2 + np.maximum(np.expm1(self.log_variance) - self.log_variance, 0.0)) / 2

    def sample(self, rng: np.random.Generator) -> np.ndarray:
        """One draw of z for each observation, (N, K)."""
        return self.mean + np.sqrt(self.variance) * rng.standard_normal(self.mean.shape)
