"""The linear beta-VAE as a scikit-learn transformer, fitted by its closed form: the one module that loads scikit-learn.

With beta = 1 and a learned noise it is probabilistic PCA: the axes, the learned noise and the score are those of
`sklearn.decomposition.PCA` with as many components, up to the divisor of the covariance: N here, as the maximum of the
likelihood has it, and N - 1 there. Where N < D, PCA divides the variance that is left by N - K, not D - K, so that its
noise is larger. Codes are posterior means, that is, shrunken and of the scale of the latents; those of PCA are
projections.
"""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from theory import validation
from theory.learning import optimum
from theory.moments import Moments, statistics_of_block

__all__ = ["LinearBetaVAE"]

FIT = {"dtype": (np.float64, np.float32), "accept_sparse": ("csr", "csc")}  # float32 is read in blocks, not converted
FILLED_NUMBERS = 2**22  # of sparse observations that are scored together


class LinearBetaVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A linear-Gaussian beta-VAE at its global optimum, as a transformer. Exact, without training.

    Parameters
    ----------
    n_components : int, K
        number of latents.
    beta : float > 0
        weight of the KL term.
    noise_variance : "learned" or float > 0
    posterior : "diagonal", "full", or a list of groups of latents
        the same optimum serves every family.
    solver : "closed"
        how the optimum is found; `numerics.train` trains it.

    Attributes
    ----------
    vae_ : LinearVAE
    optimum_ : Optimum
        with active latents, critical betas, rate, distortion and loss; of the eigenvalues the K largest.
    components_ : (K, D) array
        decoder columns as rows; of a collapsed latent zeros.
    mean_ : (D,) array
    noise_variance_ : float
    n_components_, n_samples_, n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from theory.estimator import LinearBetaVAE
    >>> data = np.random.default_rng(0).standard_normal((200, 4)) * [3.0, 2.0, 1.0, 0.5]
    >>> LinearBetaVAE(n_components=2, beta=1.2).fit(data).transform(data).shape
    (200, 2)
    """

    def __init__(self, n_components=2, beta=1.0, noise_variance="learned", posterior="diagonal", solver="closed"):
        self.n_components = n_components
        self.beta = beta
        self.noise_variance = noise_variance
        self.posterior = posterior
        self.solver = solver

    def fit(self, X, y=None):
        """Fit to observations X, (N, D), dense or sparse; y is not used."""
        X = validate_data(self, X, **FIT, ensure_min_samples=2)
        return self._fitted(Moments.of(X))

    def partial_fit(self, X, y=None):
        """Fit to all observations so far, of which X, (N, D), are the next; the same as `fit` to all at once."""
        first = not hasattr(self, "moments_")
        X = validate_data(self, X, **FIT, reset=first, ensure_min_samples=2 if first else 1)
        moments = Moments.of_statistics(statistics_of_block(X))
        return self._fitted(moments if first else self.moments_ + moments)

    def _fitted(self, moments: Moments):
        validation.choice("solver", self.solver, ("closed",))
        for name, kind in (("n_components", Integral), ("beta", Real)):
            if not isinstance(getattr(self, name), kind):
                raise ValueError(f"{name} must be a number, got {getattr(self, name)!r}; pass for example 2")
        found = optimum(
            moments,
            int(self.n_components),
            beta=float(self.beta),
            noise_variance=self.noise_variance,
            posterior=self.posterior,
            leading_only=True,
        )
        if found.vae is None:
            raise ValueError(
                "noise_variance runs to zero (rank <= latents, beta < D/rank), so that there is no optimum; fix "
                "noise_variance, take fewer latents (n_components) or a larger beta"
            )
        self.moments_, self.optimum_, self.vae_ = moments, found, found.vae
        self.components_, self.mean_ = found.vae.decoder.T, moments.mean
        self.noise_variance_, self.n_components_ = found.noise_variance, int(self.n_components)
        self.n_samples_ = moments.count
        return self

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def transform(self, X):
        """The posterior means of observations, (N, K)."""
        X, vae = self._checked(X), self._vae()
        if issparse(X):  # not filled
            return np.asarray(X @ vae.encoder.T - vae.encoder @ vae.mean)
        return vae.encode(X)

    def inverse_transform(self, X):
        """The reconstructions of codes X, (N, K): (N, D)."""
        return self._vae().decode(np.asarray(X, dtype=np.float64))

    def score_samples(self, X):
        """log N(x; mean, W W^T + s2 I) of each observation, (N,)."""
        X, vae = self._checked(X), self._vae()
        if not issparse(X):
            return vae.log_likelihood(X)
        step = max(1, FILLED_NUMBERS // X.shape[1])
        parts = [vae.log_likelihood(X[first : first + step].toarray()) for first in range(0, X.shape[0], step)]
        return np.concatenate(parts)

    def score(self, X, y=None) -> float:
        """The mean of `score_samples`, as of PCA; y is not used."""
        return float(np.mean(self.score_samples(X)))

    def get_covariance(self):
        """The covariance of the model, W W^T + s2 I, (D, D)."""
        vae = self._vae()
        size = 8 * vae.data_dim**2
        validation.fits_into_memory(f"the covariance of {vae.data_dim} variables", size, "use vae_.decoder, its factor")
        return vae.decoder @ vae.decoder.T + vae.noise_variance * np.eye(vae.data_dim)

    def sample(self, n_samples=1, random_state=None):
        """Observations drawn from the model, (n_samples, D)."""
        seed = check_random_state(random_state).randint(2**31 - 1)
        return self._vae().sample(validation.count("n_samples", n_samples, minimum=1), int(seed))[1]

    def _vae(self):
        check_is_fitted(self)
        return self.vae_

    def _checked(self, X):
        check_is_fitted(self)
        return validate_data(self, X, dtype=np.float64, accept_sparse="csr", reset=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
