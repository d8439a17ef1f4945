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
    assert lines[-1] == "8 of 8 comparisons agree"
    assert all(line.endswith("ok") for line in lines[1:7])


def test_only_takes_commas_and_repetition(capsys):
    found = run_json(capsys, "verify", "--quick", "--only", "two_factors, slope_at_one", "--only", "two_factors")
    assert list(dict.fromkeys(row["result"] for row in found["rows"])) == ["two_factors", "slope_at_one"]
    assert len(found["rows"]) == 8


def test_verify_fails_with_exit_code_1(capsys, monkeypatch):
    right = inference.two_factor_optimal_beta
    monkeypatch.setattr("theory.inference.two_factor_optimal_beta", lambda a, r: right(a, r) + 1e-3)
    code, out, _ = run(capsys, "verify", "--quick", "--only", "two_factors", "--only", "slope_at_one")
    assert code == 1
    assert "FAIL" in out
    assert out.splitlines()[-1] == "4 of 8 comparisons agree; these results do not: two_factors"
    code, out, _ = run(capsys, "verify", "--quick", "--only", "two_factors", "--json")
    assert code == 1
    assert json.loads(out)["passed"] is False


def test_verify_json(capsys):
    found = run_json(capsys, "verify", "--quick", "--only", "slope_at_one")
    assert found["passed"] is True
    (row,) = found["rows"]
    assert (row["result"], row["passed"], row["monte_carlo"]) == ("slope_at_one", True, None)
    assert row["closed_form"] == pytest.approx(row["trained"], abs=1e-5)


def test_power_tells_the_smallest_error_that_is_noticed(capsys, tmp_path):
    found = run_json(capsys, "verify", "--power", "--only", "slope_at_one")
    assert found["passed"] is True
    (field,) = found["fields"]
    assert (field["function"], field["field"]) == ("theory.inference.forward_kl_slope", "")
    assert field["smallest"] <= 1e-4
    assert field["row"] == "slope_at_one: d forward KL / d beta"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--markdown", "x.md"], "--markdown writes the table of --power; pass both"),
        (["--power", "--only", "collapse", "--markdown", "x.md"], "--markdown writes the whole table, got --only too"),
    ],
)
def test_markdown_is_of_the_whole_table_of_power(capsys, arguments, message):
    code, _, errors = run(capsys, "verify", *arguments)
    assert code == 2
    assert message in errors
