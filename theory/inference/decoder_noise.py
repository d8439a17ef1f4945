"""Which water level t = beta s2 belongs to a beta, for a fixed decoder with a fixed or learned noise.

**Fixed noise**: t = beta s2.

**Learned noise**: it minimises the objective together with the encoder. At the optimal encoder

    distortion(t) = outside + sum_k s_k t^2/(g_k+t)^2 + sum_i G_ii t/(t+G_ii)
    rate(t)       = 1/2 [ sum_k g_k s_k/(g_k+t)^2 + sum_i (d_i - 1 - log d_i) ],   d_i = t/(t+G_ii)

with g_k the squared singular values of W, s_k the data variance along the k-th left singular vector, `outside` the data
variance outside their span, and G_ii the diagonal of W^T W (in the axes of `theory.inference.factored_decoder`), so
that

    loss(beta, t)    = beta [ distortion/(2 t) + rate ] + (D/2) log(2 pi t/beta)
    d loss / d log t = D/2 (1 - beta/b(t)),   b(t) = D t / distortion(t).

The levels that can belong to a beta are those where b(t) rises through it; the loss decides among several. The best
level never falls as beta rises, but can jump; the levels inside a jump belong to no beta. If nothing is outside, b
starts at D/n, n = #{i: G_ii > 0}: for every smaller beta the noise, and t, run to zero. Exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from theory import validation
from theory.inference.errors_along_beta import ROUNDING
from theory.inference.factored_decoder import FactoredDecoder
from theory.model import GenerativeModel

__all__ = ["FixedNoise", "LearnedWaterLevel", "decoder_noise"]

POINTS_PER_DECADE = 24
LEAST_SHARE = 1e-20  # the smallest level searched if the noise may run to zero, as a share of the smallest scale


@dataclass(frozen=True)
class FixedNoise:
    """A noise that does not depend on beta: t = beta s2."""

    variance: float

    def water_levels(self, betas: np.ndarray) -> np.ndarray:
        return betas * self.variance

    def attained(self, water_levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The beta of each level, and the levels: each belongs to some beta."""
        return water_levels / self.variance, water_levels


@dataclass(frozen=True, eq=False)
class LearnedWaterLevel:
    """The water level of a fixed decoder whose noise is learned: it minimises the objective at each beta.

    Attributes
    ----------
    squares, excess : (r,) arrays
        the g_k > 0, descending, and their s_k - g_k.
    diagonal : (n,) array, the G_ii > 0
    outside : float
        data variance outside the decoder's span.
    data_dim : int, D
    """

    squares: np.ndarray
    excess: np.ndarray
    diagonal: np.ndarray
    outside: float
    data_dim: int

    @property
    def spread(self) -> np.ndarray:
        """The s_k."""
        return self.squares + self.excess

    def beta(self, water_level):
        """b(t) = D t / distortion(t), the only beta that a level can belong to; numbers or arrays."""
        whole, rest = self._distortion_per_level(water_level)
        with np.errstate(divide="ignore"):
            return self.data_dim / (whole + rest)

    def _distortion_per_level(self, water_level) -> tuple[np.ndarray, np.ndarray]:
        """distortion(t)/t = D/b(t) as a whole number plus the rest, numbers or arrays.

        The split keeps all digits if b is nearly the constant D/n: G/(t+G) is 1 - t/(t+G) for each G above t, and with
        the G in the order of the g, for each g above t,

            s t/(g+t)^2 + G/(t+G) = 1 + t (s-g - t)/(g+t)^2 + t (G-g)/((g+t) (G+t)).
        """
        t, g = np.asarray(water_level, dtype=float)[..., np.newaxis], self.squares
        paired, others = self._pairs
        high, above = g > t, others > t
        share = t / (g + t)
        pairs = np.where(
            high,
            share * ((self.excess - t) / (g + t) + (paired - g) / (paired + t)),
            share * self.spread / (g + t) + paired / (paired + t),
        )
        rest = (np.where(above, -t, others) / (t + others)).sum(axis=-1)
        whole = np.count_nonzero(high, axis=-1) + np.count_nonzero(above, axis=-1)
        return whole, self.outside / t[..., 0] + pairs.sum(axis=-1) + rest

    @cached_property
    def _pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """The largest G, descending, one for each g, and all other G. If all pairs agree up to rounding, G = g exactly.

        They agree for a full posterior and for orthogonal columns; then their sums must be equal to the last digit.
        """
        rank = len(self.squares)
        descending = np.pad(np.sort(self.diagonal)[::-1], (0, max(0, rank - len(self.diagonal))))
        paired, others = descending[:rank], descending[rank:]
        rounding = ROUNDING * self.data_dim * np.finfo(float).eps
        equal = not others.size and np.allclose(paired, self.squares, rtol=rounding, atol=0)
        return self.squares if equal else paired, others

    def water_levels(self, betas: np.ndarray) -> np.ndarray:
        """The best level for each beta: of all levels at which b rises through beta, the one of least loss."""
        from scipy.optimize import elementwise

        betas = np.asarray(betas, dtype=float)
        flat = betas.ravel()
        grid = self._grid(flat)

        def missing(beta, level):  # D (beta/b - 1), above zero where b is below beta
            whole, rest = self._distortion_per_level(level)
            return (beta * whole - self.data_dim) + beta * rest

        on_grid = missing(flat[:, np.newaxis], grid)
        run, place = np.nonzero((on_grid[:, :-1] > 0) & (on_grid[:, 1:] <= 0))
        log_grid, wanted = np.log(grid), flat[run]
        result = elementwise.find_root(
            lambda log_level, beta: missing(beta, np.exp(log_level)),
            (log_grid[place], log_grid[place + 1]),
            args=(wanted,),
            tolerances={"xatol": 1e-15, "xrtol": 1e-15, "fatol": 0.0, "frtol": 0.0},
        )
        candidates = np.exp(result.x)
        best_first = np.lexsort((self._loss(wanted, candidates), run))
        runs, first = np.unique(run[best_first], return_index=True)
        levels = np.zeros(len(flat))  # zero where b lies above beta at every level
        levels[runs] = candidates[best_first][first]
        return np.where(self._runs_to_zero(flat), 0.0, levels).reshape(betas.shape)

    def attained(self, water_levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The beta of each level, and the levels; a level inside a jump is replaced by both ends of the jump.

        (If b is nearly constant, its value at the level may round to the beta of another level.)
        """
        pairs = []
        for level in water_levels:
            beta = float(self.beta(level))
            if np.isclose(self._level(beta), level, rtol=1e-9, atol=0):
                pairs.append((beta, level))
            else:
                pairs.extend(self._jump_over(level, beta))
        betas, levels = np.array(pairs).reshape(-1, 2).T
        return betas, levels

    def _runs_to_zero(self, betas: np.ndarray) -> np.ndarray:
        return (self.outside == 0) & (betas * len(self.diagonal) < self.data_dim)

    def _loss(self, beta: np.ndarray, t: np.ndarray) -> np.ndarray:
        """The loss without terms that do not depend on t, with distortion/(2 t) = D/(2 b)."""
        level = t[..., np.newaxis]
        means = (self.squares * self.spread / (self.squares + level) ** 2).sum(axis=-1)
        variances = (np.log1p(self.diagonal / level) - self.diagonal / (level + self.diagonal)).sum(axis=-1)
        fit = self.data_dim / (2 * self.beta(t))
        return beta * (fit + (means + variances) / 2) + self.data_dim / 2 * np.log(t)

    def _grid(self, betas: np.ndarray) -> np.ndarray:
        """Levels between which b(t) passes every beta: b lies between D t/distortion(inf) and D t/outside."""
        everything = self.outside + self.spread.sum() + self.diagonal.sum()
        high = betas.max(initial=1.0) * everything / self.data_dim * (1 + 1e-9)
        low = betas.min(initial=1.0) * self.outside / self.data_dim * (1 - 1e-9)
        scales = np.concatenate([self.squares, self.diagonal, self.excess[self.excess > 0], [high]])
        low = low if low > 0 else LEAST_SHARE * scales.min()
        return np.geomspace(low, high, max(2, int(POINTS_PER_DECADE * (np.log10(high) - np.log10(low)))))

    def _level(self, beta: float) -> float:
        return float(self.water_levels(np.array([beta]))[0])

    def _jump_over(self, level: float, beta: float) -> list[tuple[float, float]]:
        """(beta, level) at both ends of the jump over `level`, by bisection: the best level never falls in beta."""
        low = high = beta
        while self._level(low) > level:
            low /= 2
        while self._level(high) < level:
            high *= 2
        while low < (middle := np.sqrt(low) * np.sqrt(high)) < high:  # until they are neighbours
            low, high = (middle, high) if self._level(middle) < level else (low, middle)
        return [(low, self._level(low)), (high, self._level(high))]


def decoder_noise(
    truth: GenerativeModel, factored: FactoredDecoder, noise_variance: float | str
) -> FixedNoise | LearnedWaterLevel:
    """Read the argument `noise_variance`: a number, "true" (the truth's), or "learned".

    Raises
    ------
    ValueError
        for another keyword, or a number that is not positive.
    """
    noise = validation.positive_or_keyword("noise_variance", noise_variance, "true", "learned")
    if noise == "true":
        return FixedNoise(truth.noise_variance)
    if noise != "learned":
        return FixedNoise(validation.scale("noise_variance", noise))

    present = factored.singular > 0
    left, singular = factored.left[:, present], factored.singular[present]
    signal = truth.loading @ truth.factor_root
    inside = left.T @ signal
    decoded = left.T @ factored.decoder
    directions_outside = truth.data_dim - factored.rank
    # Whether a factor's part beyond the decoder's span is rounding is judged against the same factor's total.
    beyond = np.sum((signal - left @ inside) ** 2, axis=0)
    rounding = (ROUNDING * max(signal.shape) * np.finfo(float).eps) ** 2 * np.sum(signal**2, axis=0)
    outside = beyond[beyond > rounding].sum() + truth.noise_variance * directions_outside if directions_outside else 0.0
    return LearnedWaterLevel(
        squares=singular**2,
        # Sums of squares of the rows of `inside` and of `decoded`, whose difference is zero for the truth's decoder.
        excess=np.sum((inside - decoded) * (inside + decoded), axis=1) + truth.noise_variance,
        diagonal=factored.squared_norms[factored.squared_norms > 0],
        outside=float(outside),
        data_dim=truth.data_dim,
    )
