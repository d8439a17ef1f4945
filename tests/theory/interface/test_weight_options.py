"""`--kl-weight` with the loss of the user's code, wherever there is a beta: the same numbers as with that beta."""

from __future__ import annotations

import json

import numpy as np
import pytest

import numerics.__main__
import theory.__main__
from theory import convention

EIGENVALUES = ("--eigenvalues", "4,2,.9,.45,.2")
TRUTH = ("--loading", "1,.9,.2;0,.436,1;.3,0,.1", "--noise-variance", "0.05")
NOTE = "a squared error has no noise"


def printed(capsys, main, *arguments: str) -> dict:
    assert main((*arguments, "--json")) == 0
    return json.loads(capsys.readouterr().out)


COMMANDS = {
    "optimum": (theory.__main__.main, ("optimum", *EIGENVALUES, "--latent-dim", "4"), 5, 4),
    "rate-distortion": (theory.__main__.main, ("rate-distortion", *EIGENVALUES, "--latent-dim", "4"), 5, 4),
    "inference": (theory.__main__.main, ("inference", *TRUTH), 3, 3),
    "train": (numerics.__main__.main, ("train", *EIGENVALUES, "--latent-dim", "4"), 5, 4),
    "sprites": (
        numerics.__main__.main,
        ("sprites", "--count", "200", "--size", "8", "--seeds", "1", "--latent-dim", "2"),
        64,
        2,
    ),
    "sweep": (numerics.__main__.main, ("sweep", *EIGENVALUES, "--latent-dim", "4"), 5, 4),
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(("reconstruction", "kl"), [("mean", "sum"), ("half-sum", "mean"), ("nll-mean", "norm")])
def test_a_weight_gives_the_numbers_of_its_beta(capsys, name, reconstruction, kl):
    main, command, data_dim, latent_dim = COMMANDS[name]
    likelihood = reconstruction.startswith("nll")
    found = convention(
        0.2,
        reconstruction=reconstruction,
        data_dim=data_dim,
        kl=kl,
        latent_dim=latent_dim,
        noise_variance="learned" if likelihood else 1.0,
    )
    weight = printed(capsys, main, *command, "--kl-weight", "0.2", "--reconstruction", reconstruction, "--kl", kl)
    noise = "--decoder-noise" if name == "inference" else "--noise-variance"
    beta = "--betas" if name in ("sprites", "sweep") else "--beta"
    fixed = () if likelihood else (noise, "1")
    same = printed(capsys, main, *command, beta, repr(found.beta), *fixed)
    for record in (weight, weight.get("scores", {}), weight.get("runs", {})):
        if "kl_weight" in record:
            assert np.ravel(record.pop("kl_weight")) == 0.2
            break
    else:
        pytest.fail("the weight is not printed")
    for record in (weight, weight.get("closed_form", {}), weight.get("trained", {})):
        if "loss_in_code" in record:  # the two terms as they are written
            part = record if "distortion" in record else weight
            error, divergence = (
                part["distortion"],
                part["rate"] * {"sum": 1, "mean": 1 / latent_dim}.get(kl, data_dim / latent_dim),
            )
            written = {
                "mean": error / data_dim,
                "half-sum": error / 2,
                "nll-mean": error / (2 * part["noise_variance"]) / data_dim
                + np.log(2 * np.pi * part["noise_variance"]) / 2,
            }[reconstruction]
            assert record.pop("loss_in_code") == pytest.approx(written + 0.2 * divergence, rel=1e-12)
    critical = weight.pop("critical_kl_weights", None)
    assert weight == same
    if critical is not None:
        np.testing.assert_allclose(np.array(critical) * found.beta / 0.2, same["critical_betas"], rtol=1e-14)


def test_a_curve_of_weights(capsys):
    main, command, *_ = COMMANDS["optimum"]
    curve = printed(capsys, main, *command, "--kl-weight", "0.1,0.2", "--reconstruction", "sum")
    assert (curve["kl_weights"], curve["betas"]) == ([0.1, 0.2], [0.05, 0.1])
    assert main((*command, "--kl-weight", "0.1,0.2", "--reconstruction", "sum")) == 0
    output = capsys.readouterr().out
    assert output.startswith("kl_weight") and NOTE in output


def test_the_true_noise_of_a_fixed_decoder_serves_a_squared_error(capsys):
    main, command, *_ = COMMANDS["inference"]
    loss = ("--kl-weight", "0.05", "--reconstruction", "half-sum")
    default, true = (printed(capsys, main, *command, *loss, *more) for more in ((), ("--decoder-noise", "true")))
    assert (default.pop("beta"), true.pop("beta")) == ([0.05], [1.0])
    for name in default:
        np.testing.assert_allclose(default[name], true[name], rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--kl-weight", "1"), "--kl-weight needs --reconstruction"),
        (("--reconstruction", "mean"), "--reconstruction is about the loss in your code"),
        (("--beta", "1", "--kl", "mean"), "--kl is about the loss in your code"),
        (("--beta", "1", "--kl-weight", "1"), "not allowed with"),
        (("--kl-weight", "0", "--reconstruction", "mean"), "--kl-weight must be > 0"),
        (("--kl-weight", "1", "--reconstruction", "mean", "--noise-variance", "learned"), "no noise to learn"),
    ],
)
def test_what_does_not_fit_is_refused(capsys, options, words):
    assert theory.__main__.main(("optimum", *EIGENVALUES, "--latent-dim", "2", *options)) == 2
    assert words in capsys.readouterr().err
