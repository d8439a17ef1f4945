"""The examples in the docstrings of what the packages export, run and compared with the output that they state."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

ROOMS = ("theory", *(f"theory.{room}" for room in ("inference", "learning", "axes", "priors", "groups", "scores")))
EXPORTED = [
    *((package, name) for package in ROOMS for name in import_module(package).__all__),
    *(("numerics", name) for name in ("train", "sweep", "verify", "audit", "Audit", "Codes")),
    ("figures", "draw"),
    ("numerics.diagnosis.audit", "DecoderOrthogonality"),
    ("numerics.diagnosis.latent_use", "LatentUse"),
    ("numerics.diagnosis.linear_reference", "LinearReference"),
    ("numerics.sampling.rate_parts", "RatePart"),
    ("numerics.training.stop", "Stop"),
]


@pytest.mark.parametrize(("package", "name"), EXPORTED, ids=map(".".join, EXPORTED))
def test_examples(package, name):
    exported = getattr(import_module(package), name)
    # With no names but those that the example imports itself.
    examples = doctest.DocTestFinder().find(exported, name, globs={})
    assert any(example.examples for example in examples), f"the docstring of {package}.{name} needs an example"
    output = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in examples:
        runner.run(example, out=output.append)
    assert runner.failures == 0, "".join(output)
