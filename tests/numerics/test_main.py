"""What all commands share: bad usage, help, numbers of any size, and the program itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from numerics.__main__ import main
from tests.numerics.command_line import run
from theory import validation
from theory.__main__ import main as theory_main

COUNTS = ["1" + "0" * zeros for zeros in (12, 20, 30)] + ["2147483648", "9223372036854775808"]


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (f"{command} --eigenvalues 3,2,1 {options} {option} {value}".split(), named)
        for value in COUNTS
        for command, options, option, named in [
            ("sweep", "--betas 1", "--latent-dim", "latent_dim"),
            ("sweep", "--betas 1 --latent-dim 1", "--seeds", "seeds"),
            ("sweep", "--betas 1 --latent-dim 1", "--processes", "processes"),
            ("train", "", "--latent-dim", "latent_dim"),
            ("train", "--latent-dim 1", "--max-steps", "max_steps"),
        ]
    ],
)
def test_counts_beyond_reason_are_one_line_before_any_work(capsys, monkeypatch, argv, named):
    monkeypatch.setattr(validation, "_memory", lambda: 2**33)
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert re.match(rf"python -m numerics: error: (--)?{named} ", err) and err.count("\n") == 1


@pytest.mark.parametrize("size", ["1e308", "1e-320"])
@pytest.mark.parametrize(
    "options",
    [
        "train --latent-dim 1 --eigenvalues {},1",
        "train --latent-dim 1 --eigenvalues 4,2 --beta {}",
        "train --latent-dim 1 --eigenvalues 4,2 --noise-variance {}",
        "sweep --latent-dim 1 --betas 1 --eigenvalues {},{}",
        "sweep --latent-dim 1 --betas {} --eigenvalues 4,2",
        "sweep --latent-dim 1 --betas 1 --eigenvalues 4,2 --noise-variance {}",
        "sweep --latent-dim 1 --betas 1 --eigenvalues 4,2 --method adam --max-steps 9 --learning-rate {}",
    ],
)
def test_at_the_ends_of_the_floats_there_is_a_result_or_one_line(capsys, options, size):
    code, out, err = run(capsys, *options.format(size, size).split())
    if code == 2:
        assert out == "" and err.startswith("python -m numerics: error: ") and err.count("\n") == 1
    else:
        assert err == "" and ("overflowed" in out if code else "nan" not in out)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["verify", "--only", "nothing"], "--only must name checks or results"),
        (["verify", "--only", "two_factors,"], "--only must name checks or results"),
        (["train"], "--latent-dim"),
        (["train", "--latent-dim", "-1"], "latent_dim must be >= 0"),
        (["train", "--latent-dim", "2", "--beta", "0"], "beta must be > 0"),
        (["train", "--latent-dim", "2", "--data", "nowhere.csv"], "no such file"),
        (["train", "--latent-dim", "2", "--noise-variance", "some"], "--noise-variance must be a number or learned"),
        (["train", "--latent-dim", "2", "--posterior", "0"], "misses latents [1]"),
        (["train", "--latent-dim", "2", "--seed", "-1"], "--seed must be >= 0"),
        (["train", "--latent-dim", "2", "--save", "vae.csv"], "use vae.npz"),
        (["train", "--latent-dim", "2", "--eigenvalues", "1,-1"], "no negative eigenvalue"),
        (["train", "--latent-dim", "2", "--data", "digits", "--eigenvalues", "2,1"], "not allowed with"),
        (["sweep", "--latent-dim", "2"], "--betas"),
        (["sweep", "--latent-dim", "2", "--betas", "0,1"], "--betas must be > 0"),
        (["sweep", "--latent-dim", "2", "--betas", "1", "--seeds", "0"], "--seeds must be >= 1, got 0"),
        (["sweep", "--latent-dim", "2", "--betas", "1", "--out", "runs.npz"], "use runs.csv"),
        (["sweep", "--latent-dim", "2", "--betas", "1", "--resume", "runs.csv"], "use runs.jsonl"),
        (["sweep", "--latent-dim", "2", "--betas", "1", "--processes", "0"], "--processes must be >= 1, got 0"),
        (["dance"], "invalid choice"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(capsys, argv, message):
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith("python -m numerics: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", [[], ["verify"], ["train"], ["sweep"]])
def test_help(capsys, command):
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert not command or "examples:\n  python -m numerics" in out


def test_the_door_opens_from_outside():
    command = [sys.executable, "-m", "numerics", "verify", "--quick", "--only", "two_factors"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.endswith("comparisons agree\n")
    assert all(line.startswith("verify: ") for line in done.stderr.splitlines())  # progress, on a slow machine


@pytest.mark.parametrize("command", [theory_main, main])
def test_eigenvalues_are_taken_as_they_are_written(capsys, command):
    """1e-8 beside 1e8 is no rounding: the noise that two latents leave is 1e-8, and was 0, with a loss of -inf."""
    name = "train" if command is main else "optimum"
    assert command([name, "--eigenvalues", "1e8,1,1e-8", "--latent-dim", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    found = found["closed_form"] if command is main else found
    assert found["noise_variance"] == pytest.approx(1e-8, rel=1e-12)
    assert found["loss"] == pytest.approx(1.5 * (1 + np.log(2 * np.pi)), abs=1e-9)  # the product of the three is 1
