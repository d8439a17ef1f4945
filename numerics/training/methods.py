"""The training methods by name, each a function with the interface of `numerics.training.outcome`.

To add a method: write its function in its own module, and name it here.
"""

from __future__ import annotations

from importlib import import_module

__all__ = ["ALTERNATING", "GRADIENT_METHODS", "METHODS", "method_function"]

GRADIENT_METHODS = {  # all parameters follow the gradient: for every objective, and for sweeps
    "accelerated": "numerics.training.descent.accelerated",
    "gradient": "numerics.training.descent.gradient",
    "adam": "numerics.training.descent.adam",
}
ALTERNATING = {  # each solves for one half of the parameters: for one weight beta and the prior N(0, I)
    "lbfgs": "numerics.training.elimination.eliminate",
    "em": "numerics.training.alternation.em",
    "rotated_em": "numerics.training.alternation.rotated_em",
    "accelerated_em": "numerics.training.alternation.accelerated_em",
}
METHODS = (*GRADIENT_METHODS, *ALTERNATING, "auto")


def method_function(name: str):
    """The `Method` of a name other than "auto"; its module is loaded only here."""
    module, _, function = (GRADIENT_METHODS | ALTERNATING)[name].rpartition(".")
    return getattr(import_module(module), function)
