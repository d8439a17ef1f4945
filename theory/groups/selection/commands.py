"""The command `granularity` of `python -m theory`: the groups of factors that data show through a fixed decoder."""

from __future__ import annotations

import argparse

from theory.interface.options import add_observations_option, add_reading_options, number_or_keyword
from theory.interface.report import Report, aligned_facts, aligned_table
from theory.interface.run import add_command

__all__ = ["add_commands"]

WORDS = """\
left_out   upper bound, at level --alpha, of the largest correlation between factors of different groups
statistic  growth of the test statistic from the row above, and freedom, how many covariances its split cuts
evidence   z^2 of the covariance that was the last to connect the row above; its p_value is for all covariances together
refused    whether the split contradicts the data"""


def add_commands(commands) -> None:
    """Add `granularity` to `commands`, the result of `Parser.add_subparsers`."""
    command = add_command(
        commands,
        "granularity",
        _granularity,
        "Which factors belong in one group, seen through a fixed decoder, and whether the data can tell. The decoder "
        "and the noise are tested first; a model that is rejected gives exit code 1.",
        "  python -m theory granularity --data observations.csv --decoder W.npy\n"
        '  python -m theory granularity --data observations.csv --decoder "1,0;0,1" --noise-variance 0.1',
    )
    add_observations_option(command, required=True)
    add_reading_options(command)
    command.add_argument(
        "--decoder", required=True, metavar='"1,.9;0,.436"', help="W, as text (rows separated by ;) or in a file"
    )
    command.add_argument(
        "--noise-variance", default="learned", help="of the data: learned (default, needs D > K) or a number"
    )
    command.add_argument(
        "--alpha", type=float, default=0.001, help="level of the tests, of the model and of the groups (default 0.001)"
    )
    command.add_argument(
        "--resolution",
        type=float,
        default=0.2,
        help="smallest correlation between groups that must be excluded for them to count as decided (default 0.2)",
    )


def _granularity(arguments: argparse.Namespace) -> Report:
    from theory.groups.selection.choice import choose_groups
    from theory.interface.observations import observations_of
    from theory.interface.readers import read_matrix

    selection = choose_groups(
        observations_of(arguments).values,
        read_matrix("--decoder", arguments.decoder),
        noise_variance=number_or_keyword("--noise-variance", arguments.noise_variance, "learned"),
        alpha=arguments.alpha,
        resolution=arguments.resolution,
    )
    fit = selection.estimate.fit
    rejected = fit.p_value < arguments.alpha
    facts = {
        "groups": _text(selection.groups),
        "decided": selection.decided,
        "reason": selection.reason,
        "model": fit.untested or f"{'rejected' if rejected else 'not rejected'} (p = {fit.p_value:.3g})",
        "left_out": selection.correlation_bound,
        "noise_variance": selection.estimate.noise_variance,
    }
    columns = {
        "groups": [_text(level.groups) for level in selection.levels],
        **{
            name: [getattr(level, name) for level in selection.levels]
            for name in ("total_correlation", "statistic", "freedom", "evidence", "p_value", "refused")
        },
    }
    values = facts | {
        "groups": selection.groups,
        "levels": columns | {"groups": [level.groups for level in selection.levels]},
        "factor_covariance": selection.estimate.covariance,
        "model_checks": fit.checks,
    }
    return Report(values, f"{aligned_facts(facts)}\n\n{aligned_table(columns)}\n{WORDS}", failed=rejected)


def _text(groups) -> str:
    return ";".join(",".join(map(str, group)) for group in groups)
