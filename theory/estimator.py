"""The linear beta-VAE as a scikit-learn transformer, fitted by its closed form: the one module that loads scikit-learn.

With beta = 1 and a learned noise it is probabilistic PCA: the axes, the learned noise and the score are those of
`sklearn.decomposition.PCA` with as many components, up to the divisor of the covariance: N here, as the maximum of the
likelihood has it, and N - 1 there. Where N < D, PCA divides the variance that is left by N - K, not D - K, so that its
noise is larger. Codes are posterior means, that is, shrunken and of the scale of the latents; those of PCA are
projections.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_array, check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from theory import validation
from theory.learning import Optimum, optimum
from theory.moments import Moments, statistics_of_block

__all__ = ["LinearBetaVAE"]

READ = {"dtype": (np.float64, np.float32), "accept_sparse": ("csr", "csc")}  # float32 is converted in blocks
FILLED_NUMBERS = 2**22  # of sparse observations that are scored together

NO_OPTIMUM = "noise_variance runs to zero (rank <= latents, beta < D/rank), so that there is no optimum"
REMEDY = "fix noise_variance, take fewer latents (n_components) or a larger beta"


class LinearBetaVAE(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A linear-Gaussian beta-VAE at its global optimum, as a transformer. Exact, without training.

    Parameters
    ----------
    n_components : int >= 1, K
        number of latents. A share of the variance, "mle" and None, which PCA takes, are not offered: `optimum_` tells
        how many latents are active.
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
    explained_variance_ : (K,) array
        the K largest eigenvalues l_i of the covariance, which is divided by N: (N - 1) / N times those of PCA. They are
        the variances of the data, whatever beta is and whether a latent is active or not; zeros beyond the D-th.
    explained_variance_ratio_ : (K,) array
        l_i over the sum of all D eigenvalues, as of PCA; NaN if all columns are constant.
    singular_values_ : (K,) array
        of the centred observations, sqrt(N l_i), as of PCA.
    n_components_, n_samples_, n_features_in_ : int
    feature_names_in_ : (D,) array
        of a data frame whose columns have text as names.
    moments_ : Moments
        of all observations; with it alone `partial_fit` goes on.

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
        """Fit to observations X, (N, D), N >= 2, dense or sparse; y is not used.

        If there is no optimum, because the noise runs to zero, this is a `ValueError`. After any error nothing is left
        of an earlier fit.
        """
        self._forget()
        moments = Moments.of(self._checked(X, reset=True, ensure_min_samples=2))
        found = self._optimum(moments)
        if found.vae is None:
            raise ValueError(f"{NO_OPTIMUM}; {REMEDY}")
        return self._keep(moments, found)

    def partial_fit(self, X, y=None):
        """Fit to all observations so far, of which X, (N, D), are the next; the same as `fit` to all at once.

        One observation is enough. After `fit` it goes on with those of `fit`.

        While all observations so far have no optimum (one alone; or so few that the noise runs to zero) they are kept,
        and there is no model: of the attributes only `moments_`, `n_samples_`, `n_features_in_` and
        `feature_names_in_` exist, and methods raise a `NotFittedError` that says why. If X or a parameter is refused,
        which is another `ValueError`, X is not taken and nothing changes.
        """
        first = not hasattr(self, "moments_")
        try:
            moments = Moments.of_statistics(statistics_of_block(self._checked(X, reset=first)))
            moments = moments if first else self.moments_ + moments
            found = self._optimum(moments)
        except ValueError:
            if first:
                self._forget()  # what was noted of X
            raise
        self._forget("n_features_in_", "feature_names_in_")
        return self._keep(moments, None if found.vae is None or moments.count < 2 else found)

    def _optimum(self, moments: Moments) -> Optimum:
        validation.choice("solver", self.solver, ("closed",))
        return optimum(
            moments,
            self._latents(moments.data_dim),
            beta=self.beta,
            noise_variance=self.noise_variance,
            posterior=self.posterior,
            leading_only=True,
        )

    def _latents(self, data_dim: int) -> int:
        """The parameter `n_components`, checked under this name."""
        wanted = self.n_components
        if wanted is None or isinstance(wanted, str | float | np.floating):
            raise ValueError(
                f"n_components must be a whole number, got {validation.shown(wanted)}; pass the number of latents, "
                "such as 2 (a share of the variance, 'mle' and None are PCA's; here optimum_.active_count tells how "
                "many of the latents are active)"
            )
        latents = validation.count("n_components", wanted, minimum=1)
        return validation.count("n_components", latents, bytes_each=8 * (2 * data_dim + 2 * latents))

    def _forget(self, *kept: str) -> None:
        """Remove what was fitted."""
        for name in [name for name in vars(self) if name.endswith("_") and name not in kept]:
            delattr(self, name)

    def _keep(self, moments: Moments, found: Optimum | None):
        self.moments_, self.n_samples_ = moments, moments.count
        if found is None:
            return self
        self.optimum_, self.vae_ = found, found.vae
        self.components_, self.mean_ = found.vae.decoder.T, moments.mean
        self.noise_variance_, self.n_components_ = found.noise_variance, found.vae.latent_dim
        self.explained_variance_ = np.zeros(self.n_components_)  # of more latents than variables
        self.explained_variance_[: len(found.eigenvalues)] = found.eigenvalues
        total = moments.variances.sum()
        self.explained_variance_ratio_ = self.explained_variance_ / (total if total > 0 else np.nan)
        self.singular_values_ = np.sqrt(moments.count * self.explained_variance_)
        return self

    @property
    def _n_features_out(self) -> int:
        return self.n_components_

    def transform(self, X):
        """The posterior means of observations, (N, K)."""
        vae, X = self._vae(), self._checked(X)
        if issparse(X):  # not filled
            return np.asarray(X @ vae.encoder.T - vae.encoder @ vae.mean)
        return vae.encode(X)

    def inverse_transform(self, X):
        """The reconstructions of codes X, (N, K), dense or sparse: (N, D)."""
        vae = self._vae()
        _refuse_hidden(X)
        names, columns = self.get_feature_names_out().tolist(), list(getattr(X, "columns", []))
        if columns != names and sorted(map(str, columns)) == sorted(names):
            raise ValueError(f"X must have its columns in the order of the latents, got {columns}; pass X[{names}]")
        X = check_array(X, dtype=np.float64, accept_sparse="csr", input_name="X", estimator=self)
        if X.shape[1] != vae.latent_dim:
            raise ValueError(
                f"X must have {vae.latent_dim} columns, one for each latent, got {X.shape[1]}; pass codes, as "
                "transform gives them"
            )
        _refuse_large(X)
        return np.asarray(X @ vae.decoder.T) + vae.mean

    def score_samples(self, X):
        """log N(x; mean, W W^T + s2 I) of each observation, (N,)."""
        vae, X = self._vae(), self._checked(X)
        if not issparse(X):
            return vae.log_likelihood(X)
        X, step = X.tocsr(), max(1, FILLED_NUMBERS // X.shape[1])
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
        vae = self._vae()
        each = 8 * 3 * (vae.data_dim + vae.latent_dim)
        n_samples = validation.count("n_samples", n_samples, minimum=1, bytes_each=each)
        return vae.sample(n_samples, int(check_random_state(random_state).randint(2**31 - 1)))[1]

    def _vae(self):
        if hasattr(self, "moments_") and not hasattr(self, "vae_"):
            if self.n_samples_ < 2:
                raise NotFittedError("a model needs two observations or more, got one; pass more to partial_fit")
            raise NotFittedError(f"{NO_OPTIMUM} yet; pass more to partial_fit, or, before a new fit, {REMEDY}")
        check_is_fitted(self)
        return self.vae_

    def _checked(self, X, *, reset=False, **options):
        """Observations as scikit-learn reads them."""
        _refuse_hidden(X)
        X = validate_data(self, X, **READ, reset=reset, **options)
        _refuse_large(X)
        return X

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "vae_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _refuse_hidden(X) -> None:
    """Refuse what scikit-learn makes numbers of without a word: masked entries, and dates."""
    rows = X if isinstance(X, list | tuple) else [X]
    for row in rows:
        if np.ma.is_masked(row):
            validation.real_array("X", row)  # says how many are masked
    if rows is X:
        kinds = [np.asarray(row).dtype for row in rows]
    else:
        kinds = X.dtypes if hasattr(X, "columns") else [getattr(X, "dtype", None)]
    if any(getattr(kind, "kind", None) in ("m", "M") for kind in kinds):
        raise ValueError("X must be numeric, it has dates or times; pass numbers, such as the days since the first")


def _refuse_large(X) -> None:
    numbers = X.data if issparse(X) else X
    if numbers.dtype == float:  # float32 ends at 3e38
        validation.within_decades("X", numbers, validation.AMPLITUDE_DECADES, tiny=True)
