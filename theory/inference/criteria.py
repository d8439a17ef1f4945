"""The four errors of inference, by name: an encoder is best at the beta where one is least (the score: largest)."""

from __future__ import annotations

__all__ = ["CRITERIA"]

CRITERIA = (
    "mean_squared_error",  # E |s - E_q s|^2, of the posterior mean
    "forward_kl",  # E KL(p(s|x) || q(s|x))
    "reverse_kl",  # E KL(q(s|x) || p(s|x))
    "log_score",  # E log q(s|x) at the true factors
)
