"""The command line of the closed forms: `python -m theory COMMAND`, with `--help` and `--json` on every command.

report            one page on a data set and a VAE of K latents
optimum           what a beta-VAE learns from data, a covariance or eigenvalues
rate-distortion   Shannon's curve, where the optimal VAE lies, and the beta that holds a rate
critical-betas    the beta at which each latent collapses
convention        what the weight of the KL in your code is here
inference         how well the best encoder of a fixed decoder infers the factors, against beta
optimal-beta      the beta at which each inference error is least
granularity       which factors belong in one group, from data and a fixed decoder
results           every theorem: its function, page, check, figure, tests and source
derive, book      the symbolic derivations of all this (`theory.derivations`)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import theory.derivations.commands
import theory.groups.selection.commands
import theory.inference.commands
import theory.interface.results_commands
import theory.learning.commands
import theory.learning.convention_command
import theory.learning.rate_distortion_command
import theory.learning.report_command
from theory.interface.run import Parser, command_line, run_command

ROOMS = (
    theory.learning.report_command,
    theory.learning.commands,
    theory.learning.rate_distortion_command,
    theory.learning.convention_command,
    theory.inference.commands,
    theory.groups.selection.commands,
    theory.interface.results_commands,
    theory.derivations.commands,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 good, 1 a check failed, 2 bad usage, 130 interrupted."""
    return run_command(_parser(), argv)


def _parser() -> Parser:
    return command_line(
        "python -m theory",
        "Closed forms of the linear-Gaussian beta-VAE. Rates are in nats unless --unit says bits.",
        ROOMS,
    )


if __name__ == "__main__":
    sys.exit(main())
