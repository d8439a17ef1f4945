"""The command `convention`: the numbers of the function, which latents live, and the weight at which each dies."""

from __future__ import annotations

import json

import pytest

from theory import convention, kl_weight
from theory.__main__ import main

LOSS = ("--reconstruction", "mean")


def printed(capsys, *arguments) -> dict:
    assert main(["convention", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_weight_in_code_is_a_water_level_and_a_beta(capsys):
    found = printed(capsys, "--kl-weight", "0.00025", *LOSS, "--data-dim", "12288")
    assert (found["water_level"], found["beta"]) == (1.536, 1.536)
    assert main(["convention", "--kl-weight", "0.00025", *LOSS, "--data-dim", "12288"]) == 0
    assert "a squared error has no noise" in capsys.readouterr().out


def test_a_beta_needs_this_weight(capsys):
    noise = ("--reconstruction", "nll-mean", "--noise-variance", "learned", "--data-dim", "784")
    found = printed(capsys, "--beta", "1.1", *noise)
    assert found["beta"] == 1.1 and found["water_level"] is None
    assert found["kl_weight"] == kl_weight(1.1, reconstruction="nll-mean", data_dim=784, noise_variance="learned")


@pytest.mark.parametrize("noise", [(), ("--noise-variance", "0.3")])
def test_a_latent_dies_at_the_weight_whose_water_level_is_its_eigenvalue(capsys, noise):
    data = ("--eigenvalues", "4,2,1,.2", "--latent-dim", "6", *noise)
    found = printed(capsys, "--kl-weight", "0.2", *LOSS, *data)
    assert found["eigenvalues"] == [4.0, 2.0, 1.0, 0.2, 0.0, 0.0]
    for weight, eigenvalue in zip(found["critical_kl_weights"][:4], found["eigenvalues"], strict=False):
        level = convention(weight, reconstruction="mean", data_dim=4).water_level
        assert level == pytest.approx(eigenvalue, rel=1e-14)
    assert found["active"] == [True] * 3 + [False] * 3 and found["active_count"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--kl-weight", "1", *LOSS), "--data-dim must be given without data"),
        (
            ("--kl-weight", "1", *LOSS, "--data-dim", "3", "--eigenvalues", "2,1"),
            "--data-dim must be 2, as in the data",
        ),
        (("--kl-weight", "1", *LOSS, "--data-dim", "3", "--noise-variance", "learned"), "no noise to learn"),
        (("--kl-weight", "1", "--beta", "1", *LOSS, "--data-dim", "3"), "not allowed with"),
        ((*LOSS, "--data-dim", "3"), "is required"),
    ],
)
def test_what_does_not_fit_is_refused(capsys, arguments, words):
    assert main(["convention", *arguments]) == 2
    assert words in capsys.readouterr().err
