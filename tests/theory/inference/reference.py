"""Inference errors and optimal betas to ninety digits, spelled out with inverses; shares nothing with `theory`."""

from __future__ import annotations

import mpmath as mp

DIGITS = 90


class Reference:
    """The optimal encoder of a decoder at water level t, and its errors, in arbitrary precision."""

    def __init__(self, loading, noise, factors=None, decoder=None, groups=None):
        mp.mp.dps = DIGITS
        self.A = mp.matrix(loading.tolist())
        self.K = self.A.cols
        self.noise = mp.mpf(noise)
        self.Gamma = mp.eye(self.K) if factors is None else mp.matrix(factors.tolist())
        self.W = self.A if decoder is None else mp.matrix(decoder.tolist())
        self.groups = [[i] for i in range(self.K)] if groups is None else groups
        self.precision = self.Gamma**-1 + self.A.T * self.A / self.noise
        self.log_det = -mp.log(mp.det(self.precision))

    def encoder(self, t):
        P = mp.eye(self.K) + self.W.T * self.W / t
        Q = mp.zeros(self.K)
        for group in self.groups:
            block = mp.matrix([[P[i, j] for j in group] for i in group]) ** -1
            for row, i in enumerate(group):
                for column, j in enumerate(group):
                    Q[i, j] = block[row, column]
        return P**-1 * self.W.T / t, Q

    def errors(self, t) -> dict:
        t = mp.mpf(t)
        V, Q = self.encoder(t)
        gap = V * self.A - mp.eye(self.K)
        E = gap * self.Gamma * gap.T + self.noise * V * V.T
        log_det_Q = mp.log(mp.det(Q))
        log_score = -(self.K * mp.log(2 * mp.pi) + log_det_Q + _trace(Q**-1 * E)) / 2
        return {
            "mean_squared_error": _trace(E),
            "forward_kl": -log_score - (self.K * mp.log(2 * mp.pi * mp.e) + self.log_det) / 2,
            "reverse_kl": (_trace(self.precision * (Q + E)) - 2 * self.K + self.log_det - log_det_Q) / 2,
            "log_score": log_score,
        }

    def stationary_near(self, criterion: str, t) -> float:
        """The stationary water level of a criterion next to t, from differences in ninety digits."""
        step = mp.mpf(10) ** -15

        def slope(log_level):
            up, down = (self.errors(mp.exp(log_level + sign * step))[criterion] for sign in (1, -1))
            return (up - down) / (2 * step)

        start = mp.log(mp.mpf(t))
        return float(mp.exp(mp.findroot(slope, (start, start * (1 + mp.mpf(10) ** -6) + mp.mpf(10) ** -6), tol=1e-35)))


def _trace(matrix):
    return mp.fsum(matrix[i, i] for i in range(matrix.rows))
