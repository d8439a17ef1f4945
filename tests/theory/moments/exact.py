"""The moments of data in rational arithmetic: what every way of computing them is compared with."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def exact_moments(data) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Mean and covariance in rational arithmetic, without any rounding."""
    columns = [[Fraction(float(value)) for value in column] for column in np.asarray(data).T]
    means = [sum(column) / len(column) for column in columns]
    centred = [[value - mean for value in column] for column, mean in zip(columns, means, strict=True)]
    products = [[sum(a * b for a, b in zip(x, y, strict=True)) / len(x) for x in centred] for y in centred]
    return means, products


def relative_errors(data, covariance) -> float:
    """The largest error of a covariance in units of the standard deviations; a constant column must be exactly zero."""
    _, exact = exact_moments(data)
    scales = [float(row[i]) ** 0.5 for i, row in enumerate(exact)]
    largest = 0.0
    for i, j in np.ndindex(covariance.shape):
        error = abs(float(Fraction(float(covariance[i, j])) - exact[i][j]))
        if scales[i] * scales[j] == 0:
            assert error == 0
        else:
            largest = max(largest, error / (scales[i] * scales[j]))
    return largest
