"""`figures.draw`: any figure with parameters of one's own is true, readable, and refused where it would not be."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

import figures
from figures import rotation_energy
from figures.__main__ import main
from figures.by_name import parameters_of
from figures.kit.options import OPTIONS
from figures.kit.panels import letters
from figures.kit.table import csv_text
from figures.registry import FIGURES, every_figure
from tests.figures.caption_faults import faults_of_caption
from tests.figures.picture_faults import faults_of_picture
from tests.test_bad_values import NEVER, REFUSED

CHEAP = "rotation_energy"

# Each parameter of each figure, unlike its default; the numbers of latents and the ranges are of the digits.
OTHER = {
    "inference_error": [{"coherences": (0.05, 0.95), "signal_to_noise": 0.5}, {"signal_to_noise": 50}],
    "optimal_beta": [
        {"signals_to_noise": (20, 0.2), "coherences": (0.9,)},
        {"mismatched_signal_to_noise": 20, "mismatched_coherence": 0.9, "random_signal_to_noise": 20},
    ],
    "learned_inference_error": [{"norms": (2.2, 1.4, 0.8), "noise_variance": 0.5}],
    "collapse": [{"latent_dim": 4, "beta_range": (5, 20)}, {"latent_dim": 1}, {"beta_range": (50, 100)}],
    "rate_distortion": [{"latent_dims": (1, 3, 20), "lowest_level": 0.001}],
    "learned_noise": [{"latent_dims": (1, 3), "beta_range": (2, 4)}],
    "convergence": [{"data_dim": 16, "latent_dim": 4, "ratio": 0.95, "tie": 0.9, "max_steps": 5000}],
    "rotation_energy": [{"eigenvalue_ratios": (1.1, 20), "beta": 20, "noise_variance": 0.02, "starts": 8}],
    "degenerate_spectrum": [{"axis_ratios": (1.2, 2.9), "count": 1000, "starts": 30}],
    "priors_and_axes": [{"beta": 2, "noise_variance": 0.1, "starts": 5}],
    "decomposition": [{"alphas": (0, 1, 5, 20), "betas": (0.5, 1.5), "noise_variance": 0.1}],
    "granularity": [{"beta": 50, "correlation": 0.95, "noise_variance": 0.02, "draws": 1}],
    "granularity_trajectory": [{"correlation": 0.85, "noise_variance": 0.02, "beta": 50, "capacities": (2, 7)}],
    "total_correlation": [{"correlation_within": 0.95, "correlation_between": 0.2, "noise_variance": 0.5}],
    "hiding_factors": [
        {"beta": 10, "noise_variance": 0.1, "autocorrelations": (-0.5, 0.9), "largest_angle": 10, "random_draws": 20}
    ],
}
DATA = {"observations", "name"}  # tests/figures/test_every_figure.py has them


def parameters_and_values():
    return [pytest.param(name, values, id=f"{name}-{'-'.join(values)}") for name in OTHER for values in OTHER[name]]


def test_every_parameter_is_varied():
    varied = {name: {word for values in OTHER[name] for word in values} for name in OTHER}
    assert varied == {name: set(parameters_of(entry)) - DATA for name, entry in FIGURES.items()}
    assert all(varied.values())


@pytest.mark.parametrize(("name", "values"), parameters_and_values())
def test_other_parameters_are_true_and_drawn(name, values, quick_table):
    module = FIGURES[name].module
    figure = figures.draw(name, quick=True, **values)  # a disagreement would be a warning, which is an error here
    assert all(comparison.passed for comparison in figure.table.comparisons)
    assert faults_of_caption(module, figure.table) == [] and faults_of_picture(module, figure.table) == []
    assert len(figure.axes) == len(letters(module))
    assert all(share_within_limits(ax) > 0.3 for ax in figure.axes if not ax.images)
    assert csv_text(figure.table.points) != csv_text(quick_table(name).points)


def test_a_parameter_that_a_figure_does_not_take():
    for name, entry in every_figure().items():
        known = parameters_of(entry)
        with pytest.raises(ValueError, match=r"^latentdim must be a parameter of the figure ") as error:
            figures.draw(name, quick=True, latentdim=4)
        assert str(error.value).endswith(f"{name}; it takes {', '.join(known) or 'none'}")


@pytest.mark.parametrize("name", FIGURES)
def test_bad_values_are_refused_by_name(name):
    bad = NEVER | REFUSED["number"] | {"negative": -3, "twice": [0.5, 0.5], "vector": [-1.0, 2.0, 300.0]}
    for word, default in parameters_of(FIGURES[name]).items():
        if word == "name":
            continue
        for kind, value in bad.items():
            if (value is None and default is None) or (word == "observations" and kind in ("twice", "matrix")):
                continue
            with pytest.raises(ValueError, match=rf"^{word} must"):
                figures.draw(name, quick=True, **{word: value})


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("collapse", {"latent_dim": 60}, "latent_dim must be <= 56, got 60"),
        ("collapse", {"latent_dim": 0}, "latent_dim must be >= 1, got 0"),
        ("collapse", {"beta_range": (2, 1)}, "beta_range must be two numbers, low and high, with high at least 1.5"),
        ("learned_noise", {"latent_dims": range(1, 10)}, "latent_dims must hold at most 8 numbers, it holds 9"),
        ("inference_error", {"coherences": (0.5, 0.5)}, "coherences must differ in their first six digits"),
        ("inference_error", {"coherences": (0.5, 1.0)}, "coherences must be from 0 to 0.95, got 1"),
        ("rotation_energy", {"beta": 10}, "noise_variance must be from 0.01 to 0.18, got 0.4"),
        ("rotation_energy", {"eigenvalue_ratios": (4, 2)}, "eigenvalue_ratios must rise, got 4, 2; sort them"),
        ("learned_inference_error", {"norms": (2, 1.9, 1)}, "norms must be three numbers, each at most 0.75 times"),
        ("degenerate_spectrum", {"axis_ratios": (1, 1.1)}, "axis_ratios must be 1 or at least 1.2, got 1, 1.1"),
        (
            "degenerate_spectrum",
            {"axis_ratios": (1.3, 3)},
            "axis_ratios must hold 1, 1.2, 1.5 or 2, at which distances",
        ),
        ("hiding_factors", {"autocorrelations": (0.5, 0.4)}, "autocorrelations must be two numbers that differ by 0.2"),
        ("hiding_factors", {"autocorrelations": (0.9, 0.5, 0.1)}, "autocorrelations must be two numbers"),
        ("granularity_trajectory", {"capacities": (3, 5)}, "capacities must be 3 apart or further, got 3, 5"),
        ("convergence", {"latent_dim": 6}, "latent_dim must be a multiple of 4, got 6; pass 4"),
        ("portrait", {}, "name must be one of 'inference_error', 'optimal_beta'"),
        (["collapse"], {}, "name must be one of 'inference_error', 'optimal_beta'"),
        (CHEAP, {"panel": "c"}, "panel must be one of 'a', 'b', got 'c'"),
        (CHEAP, {"panel": 1}, "panel must be one of 'a', 'b', got 1"),
        (CHEAP, {"dpi": 49}, "dpi must be >= 50, got 49"),
        (CHEAP, {"dpi": 1201}, "dpi must be <= 1200, got 1201"),
        (CHEAP, {"dpi": 100.0}, "dpi must be a whole number, got 100.0"),
        (CHEAP, {"out": 3}, "out must be a str or a PathLike, got 3"),
        (CHEAP, {"out": ""}, "the name of the output folder is empty"),
        (CHEAP, {"quick": 1}, "quick must be True or False, got 1"),
        (CHEAP, {"seed": -1}, "seed must be >= 0, got -1"),
    ],
)
def test_bad_usage_names_the_argument(name, values, message, monkeypatch):
    monkeypatch.setattr(rotation_energy, "train_each", lambda *_, **__: pytest.fail("trained"))
    with pytest.raises(ValueError) as error:
        figures.draw(name, **values)
    assert str(error.value).startswith(message)


def test_what_comes_back_is_a_figure_of_matplotlib(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = dict(matplotlib.rcParams)
    figure = figures.draw(CHEAP, quick=True, beta=2.0, seed=1, dpi=70)
    assert isinstance(figure, Figure) and figure.table.parameters["beta"] == 2.0
    assert figure.table.parameters["seed"] == 1 and "$\\beta = 2$" in figure.caption
    assert dict(matplotlib.rcParams) == before and list(tmp_path.iterdir()) == []
    picture = figure._repr_png_()
    assert picture[:4] == b"\x89PNG" and size_of(picture) == (490, 203)
    figure.savefig(tmp_path / "mine.svg")


def test_what_is_written(tmp_path):
    figure = figures.draw(CHEAP, panel="b", quick=True, starts=9, out=tmp_path / "new" / "folder", dpi=300)
    files = {file.name: file.read_bytes() for file in (tmp_path / "new" / "folder").iterdir()}
    assert set(files) == {f"{CHEAP}_b.{kind}" for kind in ("pdf", "png", "csv", "json", "md")}
    assert size_of(files[f"{CHEAP}_b.png"]) == tuple(np.floor(figure.get_size_inches() * 300))
    about = json.loads(files[f"{CHEAP}_b.json"])
    assert (about["figure"], about["parameters"]["starts"]) == (f"{CHEAP}_b", 9)
    page = files[f"{CHEAP}_b.md"].decode()
    assert page.startswith(f"# {CHEAP}_b\n\n{figure.caption}\n\n")
    call = page.partition("Drawn by: `")[2].partition("`")[0]
    assert call == "figures.draw('rotation_energy', panel='b', quick=True, starts=9)"
    again = eval(call, {"figures": figures})
    assert csv_text(again.table.points) == csv_text(figure.table.points)


def test_the_files_are_those_of_the_command_line(tmp_path):
    figures.draw("collapse", quick=True, out=tmp_path / "python")
    assert main(["--only", "collapse", "--quick", "--out", str(tmp_path / "command")]) == 0
    for kind in ("pdf", "png", "csv", "json"):
        of_python, of_command = ((tmp_path / by / f"collapse.{kind}").read_bytes() for by in ("python", "command"))
        assert of_python == of_command, kind


def test_data_are_not_written_into_the_call(tmp_path):
    rows = np.random.default_rng(0).standard_normal((50, 4)) * [3, 2, 1, 0.5]
    figure = figures.draw("collapse", observations=rows, name="mine", quick=True, out=tmp_path)
    assert figure.table.parameters["data"] == "mine"
    assert (
        "figures.draw('collapse', quick=True, observations=..., name='mine')" in (tmp_path / "collapse.md").read_text()
    )


def test_a_disagreement_is_a_warning(monkeypatch):
    true = rotation_energy.two_mode_rotation_energy
    monkeypatch.setattr(rotation_energy, "two_mode_rotation_energy", lambda *a, **k: 1.001 * true(*a, **k))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figures.draw(CHEAP, quick=True)
    messages = [str(one.message) for one in caught]
    assert len(messages) == 2 and all(one.filename == __file__ for one in caught)
    assert messages[0].startswith("theory and experiment disagree in 'excess_loss' (trained): the largest deviation is")


def test_import_is_light_and_guards_interrupts_first():
    code = (
        "import sys, figures\n"
        "assert figures.__all__ == ['draw'] and 'collapse' in dir(figures)\n"
        "assert 'theory.interface.interrupts' in sys.modules\n"
        "print([one for one in ('matplotlib', 'numba', 'scipy', 'sklearn', 'figures.by_name') if one in sys.modules])\n"
        "figures.draw\n"
        "print('figures.by_name' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\nTrue\n"


def test_options_are_those_that_every_figure_takes():
    assert not set(OPTIONS) & {word for entry in every_figure().values() for word in parameters_of(entry)}


def share_within_limits(ax) -> float:
    """The share of the points of lines that lie within the limits of a panel."""
    places = np.vstack([line.get_xydata() for line in ax.lines if line.get_transform() == ax.transData])
    low, high = np.sort([ax.get_xlim(), ax.get_ylim()], axis=1).T
    return float(np.mean(np.all((places >= low) & (places <= high), axis=1)))


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of a png, from its header."""
    return int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
