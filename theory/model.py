"""The two models: how the data arise (`GenerativeModel`) and what is trained on them (`LinearVAE`).

Both are frozen and check their fields once, so the functions that take them need not check them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from theory import validation
from theory.gaussian import is_positive_definite, unit_spectrum
from theory.moments import Moments, set_fields
from theory.partition import Posterior, partition, partition_mask
from theory.singular_values import principal_axes
from theory.validation import AMPLITUDE_DECADES, VARIANCE_DECADES

if TYPE_CHECKING:
    from theory.regression import Regression

__all__ = ["FittedModel", "GenerativeModel", "LinearVAE", "linear_vae", "mean_offset"]

# How far the bias of an encoder may be from that of a `LinearVAE`, in posterior standard deviations: at the optimum a
# shift of e costs e^2/2 nats for each unit of beta, and single precision leaves some 1e-6.
LARGEST_OFFSET = 1e-3


@dataclass(frozen=True, eq=False)
class GenerativeModel:
    """The truth: x = A s + m + n with factors s ~ N(0, Gamma) and noise n ~ N(0, tau2 I).

    Parameters
    ----------
    loading : (D, K) array, A; any shape and rank
    noise_variance : float >= 0, tau2
    factor_covariance : (K, K) array, Gamma, optional
        positive semi-definite; the identity by default.
    mean : (D,) array, m, optional
        zero by default.

    Raises
    ------
    ValueError
        for a negative noise, a shape that does not fit, NaN, or a `factor_covariance` that is not a covariance matrix.

    Examples
    --------
    >>> from theory import GenerativeModel
    >>> truth = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], noise_variance=0.05)
    >>> truth.covariance.round(3)
    array([[1.86, 0.36],
           [0.36, 0.21]])
    """

    loading: np.ndarray
    noise_variance: float
    factor_covariance: np.ndarray | None = None
    mean: np.ndarray | None = None

    def __post_init__(self):
        loading = validation.matrix("loading", self.loading)
        data_dim, latent_dim = loading.shape
        factors, mean = self.factor_covariance, self.mean
        factors = (
            np.eye(latent_dim)
            if factors is None
            else validation.covariance_matrix("factor_covariance", factors, latent_dim)
        )
        mean = np.zeros(data_dim) if mean is None else validation.vector("mean", mean, data_dim)
        noise = validation.non_negative("noise_variance", self.noise_variance)
        set_fields(
            self,
            loading=validation.within_decades("loading", loading, AMPLITUDE_DECADES),
            noise_variance=validation.within_decades("noise_variance", noise, VARIANCE_DECADES, tiny=True),
            factor_covariance=validation.within_decades("factor_covariance", factors, VARIANCE_DECADES),
            mean=validation.within_decades("mean", mean, AMPLITUDE_DECADES, tiny=True),
        )

    @classmethod
    def from_data(cls, data, factors, *, standardize: bool = False) -> FittedModel:
        """The model of data whose factors were measured: loading and noise by least squares, Gamma by their covariance.

        A = X^T F (F^T F)^-1, tau2 = |X - F A^T|^2 / ((N - 1 - K) D), Gamma = F^T F / N, of centred columns; see
        `theory.regression` for the standard errors. Assumes a linear dependence and independent noise of one variance;
        what the factors leave unexplained counts as noise.

        Parameters
        ----------
        data : (N, D) array, N >= K + 2
        factors : (N, K) array
            the measured factors, one observation in each row as in `data`; none constant, none a combination of others.
        standardize : bool
            divide each factor by its standard deviation, so that it has the variance of the prior N(0, I). A factor in
            pixels or years needs that before the model is compared with a VAE.

        Returns
        -------
        FittedModel
            with `.model` and standard errors; a noise of zero if the factors explain the data up to rounding.

        Raises
        ------
        ValueError
            if the rows do not match or are too few, or a factor is constant or follows from the others.

        Examples
        --------
        >>> from theory import GenerativeModel
        >>> fitted = GenerativeModel.from_data([[0.0, 1.0], [2.1, 0.9], [3.9, 1.0], [6.0, 1.1]], [[0], [1], [2], [3]])
        >>> fitted.model.loading.round(2).tolist(), round(fitted.noise_error, 4)
        ([[1.98], [0.04]], 0.0053)
        """
        from theory.regression import regression  # loads scipy.special, which nothing else here needs

        return FittedModel.of(regression(data, factors), standardize=validation.flag("standardize", standardize))

    @property
    def data_dim(self) -> int:
        return self.loading.shape[0]

    @property
    def latent_dim(self) -> int:
        return self.loading.shape[1]

    @cached_property
    def covariance(self) -> np.ndarray:
        """Covariance of the data, S = A Gamma A^T + tau2 I, shape (D, D)."""
        scaled = self.loading @ self.factor_root
        return scaled @ scaled.T + self.noise_variance * np.eye(self.data_dim)

    @cached_property
    def factor_log_determinant(self) -> float:
        """log det Gamma; minus infinity where it is singular."""
        values, _, scales = self._factor_spectrum
        return float(np.log(values).sum() + 2 * np.log(scales).sum()) if values.all() else -np.inf

    @cached_property
    def factor_root(self) -> np.ndarray:
        """A matrix L with L L^T = Gamma, shape (K, K); K minus the rank of Gamma of its columns are zero."""
        values, directions, scales = self._factor_spectrum
        return scales[:, np.newaxis] * directions * np.sqrt(values)

    @cached_property
    def _factor_spectrum(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return unit_spectrum(self.factor_covariance)

    def posterior(self) -> tuple[np.ndarray, np.ndarray]:
        """The exact posterior p(s | x) = N(gain (x - m), covariance).

        gain = Gamma A^T S^-1, covariance = Gamma - gain A Gamma, computed from the singular values b of A L (L L^T =
        Gamma): along their right singular vectors the variance shrinks by tau2 / (b^2 + tau2), which needs no
        difference of large numbers. For tau2 = 0 the limit tau2 -> 0 is returned (S^-1 becomes the pseudo-inverse).

        Returns
        -------
        gain : (K, D) array
        covariance : (K, K) array, singular if tau2 = 0 or Gamma is singular
        """
        left, singular, shrink, basis = self.posterior_modes
        gains = np.divide(singular, singular**2 + self.noise_variance, out=np.zeros(len(singular)), where=singular > 0)
        return (basis * gains) @ left.T, (basis * shrink) @ basis.T

    @cached_property
    def posterior_modes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """The posterior mode by mode: (left (D, K), singular (K,), shrink (K,), basis (K, K)).

        A L = left diag(singular) X^T, X orthogonal; the factors are L X e with e ~ N(0, I) and, given x, the variances
        of e are `shrink`; `basis` is L X. Everything about p(s | x) follows from these.
        """
        left, singular, axes = principal_axes(self.loading @ self.factor_root)
        shrink = np.divide(
            self.noise_variance, singular**2 + self.noise_variance, out=np.ones(len(singular)), where=singular > 0
        )
        return left, singular, shrink, self.factor_root @ axes

    def sample(self, n: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """Draw n pairs: factors of shape (n, K) and data of shape (n, D); `rng` is a generator or a seed."""
        n = validation.count("n", n, bytes_each=8 * 3 * (self.data_dim + self.latent_dim))
        rng = validation.random_generator("rng", rng)
        factors = rng.standard_normal((n, self.latent_dim)) @ self.factor_root.T
        noise = np.sqrt(self.noise_variance) * rng.standard_normal((n, self.data_dim))
        return factors, factors @ self.loading.T + self.mean + noise


@dataclass(frozen=True, eq=False)
class FittedModel:
    """A generative model that was fitted to data and measured factors, and how well it is known.

    Attributes
    ----------
    model : GenerativeModel
    loading_errors : (D, K) array
        standard errors of `model.loading`.
    noise_error : float
    factor_covariance_errors : (K, K) array
    residual_variances : (D,) array
        of each column; they are equal, up to sampling error, if the noise is isotropic as the model says.
    explained : float
        share of the variance of the data that the factors explain.
    relation_p_value : float
        small if the loading is not zero.
    orthogonality_p_value : float
        small if the columns of the loading are not orthogonal; 1 for a single factor.
    independence_p_value : float
        small if the factors are correlated; 1 for a single factor.

    Examples
    --------
    >>> import numpy as np
    >>> from theory import GenerativeModel
    >>> factors, data = GenerativeModel([[1.0, 0.9], [0.0, 0.4]], 0.05).sample(2000, rng=0)
    >>> fitted = GenerativeModel.from_data(data, factors)
    >>> fitted.model.loading.round(1), fitted.loading_errors.round(3)
    (array([[1. , 0.9],
           [0. , 0.4]]), array([[0.005, 0.005],
           [0.005, 0.005]]))
    """

    model: GenerativeModel
    loading_errors: np.ndarray
    noise_error: float
    factor_covariance_errors: np.ndarray
    residual_variances: np.ndarray
    explained: float
    relation_p_value: float
    orthogonality_p_value: float
    independence_p_value: float

    @classmethod
    def of(cls, regressed: Regression, *, standardize: bool = False) -> FittedModel:
        """That of observations that were regressed on factors."""
        from theory.regression import standard_errors

        found = regressed.estimate()
        mean = regressed.means[0] - found.loading @ regressed.means[1]
        if standardize:
            found = found.standardized()
        return cls(
            model=GenerativeModel(found.loading, found.noise_variance, found.factor_covariance, mean),
            residual_variances=found.residual_variances,
            **standard_errors(found),
        )


@dataclass(frozen=True, eq=False)
class LinearVAE:
    """A linear-Gaussian VAE: decoder p(x | z) = N(W z + m, s2 I), encoder q(z | x) = N(V (x - m), Q).

    Parameters
    ----------
    decoder : (D, K) array, W
    encoder : (K, D) array, V
    posterior_covariance : (K, K) array, Q, positive definite
    noise_variance : float > 0, s2
    mean : (D,) array, m, optional
        `None` stands for the mean of whatever data the VAE is used with.

    Raises
    ------
    ValueError
        for a noise that is not positive, shapes that do not fit, NaN, or a Q that is not positive definite.

    Examples
    --------
    >>> from theory import LinearVAE
    >>> vae = LinearVAE([[2.0], [0.0]], [[0.4, 0.0]], posterior_covariance=[[0.2]], noise_variance=1.0)
    >>> vae.data_dim, vae.latent_dim
    (2, 1)
    """

    decoder: np.ndarray
    encoder: np.ndarray
    posterior_covariance: np.ndarray
    noise_variance: float
    mean: np.ndarray | None = None

    def __post_init__(self):
        decoder = validation.matrix("decoder", self.decoder)
        encoder = validation.matrix("encoder", self.encoder)
        covariance = validation.symmetric_matrix("posterior_covariance", self.posterior_covariance)
        data_dim, latent_dim = decoder.shape
        if decoder.shape == encoder.shape and len(covariance) == data_dim != latent_dim:
            raise ValueError(
                f"decoder must be D x K, got {data_dim} x {latent_dim} with an encoder (K x D) of that shape and "
                f"{data_dim} latents in posterior_covariance; transpose it"
            )
        encoder = validation.matrix("encoder", encoder, (latent_dim, data_dim))
        if len(covariance) != latent_dim:
            raise ValueError(
                f"posterior_covariance must be {latent_dim} x {latent_dim} for a decoder (D x K) that is {data_dim} x "
                f"{latent_dim}, got {len(covariance)} x {len(covariance)}; pass one of that size, or transpose decoder "
                "and encoder"
            )
        if not is_positive_definite(covariance):
            raise ValueError("posterior_covariance must be positive definite; a collapsed latent has variance 1, not 0")
        noise = validation.positive("noise_variance", self.noise_variance)
        mean = None if self.mean is None else validation.vector("mean", self.mean, data_dim)
        set_fields(
            self,
            decoder=validation.within_decades("decoder", decoder, AMPLITUDE_DECADES, tiny=True),
            encoder=validation.within_decades("encoder", encoder, VARIANCE_DECADES, tiny=True),
            posterior_covariance=validation.within_decades(
                "posterior_covariance", covariance, VARIANCE_DECADES, tiny=True
            ),
            noise_variance=validation.within_decades("noise_variance", noise, 2 * VARIANCE_DECADES),
            mean=None if mean is None else validation.within_decades("mean", mean, AMPLITUDE_DECADES, tiny=True),
        )

    @classmethod
    def from_weights(
        cls, decoder, encoder, log_variance, *, noise_variance: float, decoder_bias=None, encoder_bias=None
    ) -> LinearVAE:
        """The linear VAE that a network without hidden layers is: decoder W z + c, encoder N(V x + b, diag(exp(g))).

        Its mean is m = c. A `LinearVAE` encodes V (x - m), so that b must be -V c, as it is at the optimum.

        Parameters
        ----------
        decoder : (D, K) array, W
            `weight` of a `torch.nn.Linear(K, D)`; of Keras or Flax, whose kernels are inputs x outputs, its transpose.
        encoder : (K, D) array, V
            likewise of the layer that gives the mean of the code.
        log_variance : (K,) array, g
            logarithms of the posterior variances, the same for every observation.
        noise_variance : float > 0, s2
        decoder_bias : (D,) array, c, optional
        encoder_bias : (K,) array, b, optional
            a layer without bias has zero.

        Arrays, or tensors of any framework, with gradients too.

        Returns
        -------
        LinearVAE

        Raises
        ------
        ValueError
            for shapes that do not fit, NaN, or an `encoder_bias` that shifts the mean of a code by more than .001 of
            its posterior standard deviation from -V c. (At the optimum a shift of .001 costs 5e-7 nats for each latent
            and unit of beta.) For another network pass its codes to `numerics.audit`.

        Examples
        --------
        >>> from theory import LinearVAE
        >>> vae = LinearVAE.from_weights(
        ...     [[2.0], [0.0]], [[0.4, 0.1]], [-1.6], noise_variance=1.0, decoder_bias=[1.0, 2.0], encoder_bias=[-0.6]
        ... )
        >>> vae.posterior_covariance.round(3), vae.mean
        (array([[0.202]]), array([1., 2.]))
        """
        logarithms = validation.vector("log_variance", log_variance)
        latent_dim = len(logarithms)
        decoder = validation.matrix("decoder", decoder, (None, latent_dim))
        data_dim = len(decoder)
        if (largest := np.abs(logarithms).max(initial=0.0)) > VARIANCE_DECADES * np.log(10):
            raise ValueError(
                f"log_variance must be at most {VARIANCE_DECADES * np.log(10):.0f} in size, its largest is "
                f"{largest:.3g}; pass natural logarithms of variances"
            )
        mean = np.zeros(data_dim) if decoder_bias is None else validation.vector("decoder_bias", decoder_bias, data_dim)
        bias = (
            np.zeros(latent_dim)
            if encoder_bias is None
            else validation.vector("encoder_bias", encoder_bias, latent_dim)
        )
        vae = cls(decoder, encoder, np.diag(np.exp(logarithms)), noise_variance, mean)
        offsets = np.abs(bias + vae.encoder @ vae.mean) / np.exp(logarithms / 2)
        if np.any(offsets > LARGEST_OFFSET):
            latent = int(np.argmax(offsets))
            raise ValueError(
                f"encoder_bias must be -encoder @ decoder_bias, latent {latent} is off by {offsets[latent]:.3g} of its "
                "posterior standard deviation; train to the end, centre the data and leave out both biases, or pass "
                "the codes to numerics.audit"
            )
        return vae

    @property
    def data_dim(self) -> int:
        return self.decoder.shape[0]

    @property
    def latent_dim(self) -> int:
        return self.decoder.shape[1]

    def encode(self, data) -> np.ndarray:
        """The means of the codes of observations, V (x - m): (N, D) -> (N, K)."""
        return self._centred(data) @ self.encoder.T

    def decode(self, codes) -> np.ndarray:
        """The means of the observations of codes, W z + m: (N, K) -> (N, D); without a mean of its own m = 0."""
        codes = validation.matrix("codes", codes, (None, self.latent_dim))
        validation.within_decades("codes", codes, AMPLITUDE_DECADES, tiny=True)
        return codes @ self.decoder.T + (0.0 if self.mean is None else self.mean)

    def sample(self, n: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """Draw n pairs of the decoder: codes from N(0, I), shape (n, K), and observations of shape (n, D)."""
        n = validation.count("n", n, bytes_each=8 * 3 * (self.data_dim + self.latent_dim))
        rng = validation.random_generator("rng", rng)
        codes = rng.standard_normal((n, self.latent_dim))
        noise = np.sqrt(self.noise_variance) * rng.standard_normal((n, self.data_dim))
        return codes, self.decode(codes) + noise

    def log_likelihood(self, data) -> np.ndarray:
        """log N(x; m, W W^T + s2 I) of each observation, with the codes integrated out: (N, D) -> (N,). Exact.

        By the singular values b of W, along whose axes the variance is b^2 + s2, and s2 elsewhere.
        """
        centred, noise = self._centred(data), self.noise_variance
        left, singular, _ = np.linalg.svd(self.decoder, full_matrices=False)
        along = centred @ left
        outside = np.sum((centred - along @ left.T) ** 2, axis=1)
        variances = singular**2 + noise
        logarithms = np.log(variances).sum() + (self.data_dim - len(singular)) * np.log(noise)
        squares = np.sum(along**2 / variances, axis=1) + outside / noise
        return -(squares + logarithms + self.data_dim * np.log(2 * np.pi)) / 2

    def _centred(self, data) -> np.ndarray:
        """Observations less the mean of the VAE, or less their own if it has none."""
        data = validation.matrix("data", data, (None, self.data_dim))
        validation.within_decades("data", data, AMPLITUDE_DECADES, tiny=True)
        return data - (data.mean(axis=0) if self.mean is None else self.mean)

    def belongs_to(self, posterior: Posterior) -> bool:
        """Whether the posterior covariance is block-diagonal on the groups of a family, exactly."""
        mask = partition_mask(partition(posterior, self.latent_dim), self.latent_dim)
        return not np.any(self.posterior_covariance[~mask])


def linear_vae(name: str, value) -> LinearVAE:
    """Return `value` if it is a `LinearVAE`; `Optimum.vae` is None if the noise runs to zero."""
    if value is None:
        raise ValueError(
            f"{name} must be a LinearVAE, got None: the noise ran to zero (rank <= latents, beta < D/rank); "
            "fix noise_variance, take fewer latents or a larger beta"
        )
    return validation.instance(name, value, LinearVAE)


def mean_offset(vae: LinearVAE, covariance) -> np.ndarray:
    """Mean of the data minus mean of the VAE, shape (D,): zero unless both are given.

    A VAE without a mean takes that of the data; a bare covariance is taken to be about the mean of the VAE.
    """
    linear_vae("vae", vae)
    if vae.mean is None or not isinstance(covariance, Moments):
        return np.zeros(vae.data_dim)
    return validation.vector("covariance.mean", covariance.mean, vae.data_dim) - vae.mean
