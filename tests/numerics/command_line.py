"""Running the commands of `python -m numerics` inside the test process."""

from __future__ import annotations

import json

import numpy as np

from numerics.__main__ import main

SPECTRUM = "4,2.5,1.2,.6,.3"
COVARIANCE = np.diag([4.0, 2.5, 1.2, 0.6, 0.3])


def run(capsys, *argv):
    code = main(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def run_json(capsys, *argv):
    code, out, _ = run(capsys, *argv, "--json")
    assert code == 0
    return json.loads(out)
