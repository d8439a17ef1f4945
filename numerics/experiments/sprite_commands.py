"""The command `sprites` of `python -m numerics`: principal axes of sprite images, and the score of the linear VAE."""

from __future__ import annotations

import argparse

import numpy as np

from theory import validation
from theory.interface.options import add_csv_option, add_latent_dim_option, csv_path
from theory.interface.progress import progress_bar
from theory.interface.report import Report, aligned_table, csv_file
from theory.interface.run import add_command
from theory.interface.weight_options import add_noise_option, add_weight_options, noise_of, weight_of

__all__ = ["add_commands"]

NOTE = """\
Places across and down enter the images alike, so the two largest eigenvalues nearly tie, and the draw of the images
decides whether the two leading axes carry x and y separately or mixed. That sets the level of the score: it follows
|x - y|, the difference of the shares of x and y in the first axis. Draw by draw, at the first beta:"""


def add_commands(commands) -> None:
    """Register `sprites` with what `Parser.add_subparsers` returned."""
    command = add_command(
        commands,
        "sprites",
        _sprites,
        "Spectrum of sprite images, the factor that each leading axis carries, the score of the optimal linear VAE.",
        "  python -m numerics sprites\n"
        "  python -m numerics sprites --size 32 --count 4000 --latent-dim 8 --betas 0.5:8:6 --seeds 10\n"
        "  python -m numerics sprites --dsprites dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
    )
    command.add_argument("--dsprites", metavar="FILE.npz", help="the published file; by default sprites are drawn here")
    command.add_argument("--count", type=int, default=2000, metavar="N", help="how many images (default 2000)")
    command.add_argument("--size", type=int, default=24, help="pixels on a side of those drawn here (default 24)")
    add_latent_dim_option(command, "number of latents (default 6)", default=6)
    add_weight_options(command, "--betas", "a list 0.5,1,2 or a range low:high:count (default 1:100:7)")
    add_noise_option(command)
    command.add_argument("--seeds", type=int, default=5, metavar="N", help="how many draws of the images (default 5)")
    command.add_argument("--seed", type=int, default=0, help="of all draws (default 0)")
    add_csv_option(command)


def _sprites(arguments: argparse.Namespace) -> Report:

    from numerics.data.sprites import FACTORS, load_dsprites, sample_sprites
    from numerics.experiments.sprite_axes import axis_content, score_curve

    file, noise = csv_path(arguments), noise_of(arguments)
    latent_dim = validation.count("--latent-dim", arguments.latent_dim, minimum=1)
    draws = validation.count("--seeds", arguments.seeds, minimum=1, maximum=10_000)
    root = np.random.SeedSequence(validation.seed("--seed", arguments.seed))
    contents, curves = [], []
    for stream in progress_bar(root.spawn(draws), desc="sprites", unit="draw"):
        rng = np.random.default_rng(stream)
        if arguments.dsprites is not None:
            images = load_dsprites(arguments.dsprites, count=arguments.count, rng=rng)
        else:
            images = sample_sprites(arguments.count, rng, size=arguments.size)
        weight = weight_of(arguments, "--betas", "1:100:7", (images.pixels.shape[1], latent_dim), noise)
        contents.append(axis_content(images, latent_dim))
        curves.append(score_curve(images, latent_dim, weight.betas, noise_variance=noise, rng=rng))
    first = contents[0]
    axes = {
        "axis": np.arange(1, latent_dim + 1),
        "carries": first.leading_factors,
        "eigenvalue": first.eigenvalues[:latent_dim],
        **dict(zip(FACTORS, first.shares.T, strict=True)),
    }
    scores = weight.columns | _over_draws(curves)
    across, down = (np.array([c.shares[0, FACTORS.index(name)] for c in contents]) for name in ("x", "y"))
    each = {
        "draw": np.arange(1, draws + 1),
        "first_eigenvalue_over_second": [c.eigenvalues[0] / c.eigenvalues[1] for c in contents],
        "x_y_apart": np.abs(across - down),
        "gap_of_means": [curve["gap_of_means"][0] for curve in curves],
    }
    text = (
        f"share of each axis that a factor explains, first draw\n{aligned_table(_rounded(axes))}\n\n"
        f"score against beta: mean and range of {draws} draws\n{aligned_table(_rounded(scores))}\n\n"
        f"{NOTE}\n{aligned_table(_rounded(each))}{weight.note}"
    )
    return Report({"axes": axes, "scores": scores, "draws": each}, text, files=csv_file(file, scores))


def _over_draws(curves: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The columns of several score curves: means over curves, and for the scores also the smallest and the largest."""
    columns = {"beta": curves[0]["beta"]}
    for name in ("active_count", "noise_variance"):
        columns[name] = np.mean([curve[name] for curve in curves], axis=0)
    for name in ("gap_of_means", "gap_of_samples"):
        values = np.array([curve[name] for curve in curves])
        columns |= {name: values.mean(axis=0), f"{name}_least": values.min(axis=0), f"{name}_most": values.max(axis=0)}
    return columns


def _rounded(columns: dict) -> dict:
    """The same with three decimals; the draws differ in the second."""
    whole = {name: np.asarray(values).dtype.kind != "f" for name, values in columns.items()}
    return {name: values if whole[name] else np.round(values, 3) for name, values in columns.items()}
