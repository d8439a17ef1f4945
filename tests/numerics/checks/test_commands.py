"""The command `verify`."""

from __future__ import annotations

import json

import pytest

from tests.numerics.command_line import run, run_json
from theory import inference


def test_verify_prints_a_verdict_for_every_comparison(capsys):
    code, out, _ = run(capsys, "verify", "--quick", "--only", "two_factors", "--only", "slope_at_one")
    assert code == 0
    lines = out.splitlines()
    columns = "result quantity closed_form trained monte_carlo standard_error deviation tolerance resolution verdict"
    assert lines[0].split() == columns.split()
    assert lines[-1] == "5 of 5 comparisons agree"
    assert all(line.endswith("ok") for line in lines[1:6])


def test_only_takes_commas_and_repetition(capsys):
    found = run_json(capsys, "verify", "--quick", "--only", "two_factors, slope_at_one", "--only", "two_factors")
    assert list(dict.fromkeys(row["result"] for row in found["rows"])) == ["two_factors", "slope_at_one"]
    assert len(found["rows"]) == 5


def test_verify_fails_with_exit_code_1(capsys, monkeypatch):
    right = inference.two_factor_optimal_beta
    monkeypatch.setattr("theory.inference.two_factor_optimal_beta", lambda a, r: right(a, r) + 1e-3)
    code, out, _ = run(capsys, "verify", "--quick", "--only", "two_factors", "--only", "slope_at_one")
    assert code == 1
    assert "FAIL" in out
    assert out.splitlines()[-1] == "2 of 5 comparisons agree; these results do not: two_factors"
    code, out, _ = run(capsys, "verify", "--quick", "--only", "two_factors", "--json")
    assert code == 1
    assert json.loads(out)["passed"] is False


def test_verify_json(capsys):
    found = run_json(capsys, "verify", "--quick", "--only", "slope_at_one")
    assert found["passed"] is True
    (row,) = found["rows"]
    assert (row["result"], row["passed"], row["monte_carlo"]) == ("slope_at_one", True, None)
    assert row["closed_form"] == pytest.approx(row["trained"], abs=1e-5)
