"""Axes, observations and data sets for the tests of the figures."""

from __future__ import annotations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from figures.kit import real_data
from theory import Moments


def axes_of(module):
    figure = Figure(figsize=module.LAYOUT["size"])
    FigureCanvasAgg(figure)
    return figure.subplots(*module.LAYOUT["shape"])


def tied_data(*scales):
    """Observations whose covariance is diagonal but for rounding, with the squares of these as its eigenvalues."""
    draws = np.random.default_rng(1).standard_normal((60, len(scales)))
    columns = np.linalg.qr(np.column_stack([np.ones(60), draws]))[0][:, 1:]
    return columns * np.sqrt(60) * scales


def observations(eigenvalues):
    size = len(eigenvalues)
    return real_data.Observations("x", np.zeros((2, size)), Moments(0, np.zeros(1), np.eye(1)), np.array(eigenvalues))
