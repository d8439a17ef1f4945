"""The commands `granularity` and `vertex`."""

from __future__ import annotations

import json

import pytest

from numerics.__main__ import main


def test_command_granularity(capsys):
    assert main(["granularity", "--blocks", "1,2", "--data-dim", "4", "--betas", "1,4", "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert runs["size"] == [1, 1, 2, 2, 3, 3] and set(runs["stopped"]) == {"gradient"}
    assert runs["loss"][4] == pytest.approx(runs["loss"][5], abs=1e-10)
    assert {"error_blocks_of_1", "error_blocks_of_2"} <= set(runs)
    assert main(["granularity", "--blocks", "1,x"]) == 2
    assert "--blocks must be whole numbers separated by commas" in capsys.readouterr().err


def test_command_vertex(capsys):
    options = ["--correlations", "0.8", "--noise-variances", "0.1", "--loadings", "random", "--draws", "3"]
    assert main(["vertex", *options]) == 0
    out = capsys.readouterr().out
    assert "blocks_help" in out and len(out.splitlines()) == 4
    assert "1.00 [0.29, 1.00]" in out  # 3 of 3: low end .025^(1/3)
    assert main(["vertex", *options, "--json"]) == 0
    (cell,) = json.loads(capsys.readouterr().out)["cells"]
    assert cell["blocks_help_interval"] == pytest.approx([0.025 ** (1 / 3), 1])
