"""The command line of the experiments: `python -m numerics COMMAND`, with `--help` and `--json` on every command.

verify   every closed form against training from random starts and Monte Carlo; exit code 1 if any disagrees
train    train one VAE, and compare it with the closed form
sweep    train for many betas and seeds
audit    any trained VAE by its codes, beside the exact linear optimum
sprites  what the principal axes of sprite images carry, and how a linear beta-VAE scores for it
granularity  train the grouped objective over group sizes
vertex   where the error is least at the true blocks
bench    training and the closed form timed against other libraries
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numerics.bench.commands
import numerics.checks.commands
import numerics.diagnosis.commands
import numerics.experiments.granularity_commands
import numerics.experiments.sprite_commands
import numerics.sweeps.commands
import numerics.training.commands
from theory.interface.run import Parser, command_line, run_command

ROOMS = (
    numerics.checks.commands,
    numerics.training.commands,
    numerics.sweeps.commands,
    numerics.diagnosis.commands,
    numerics.experiments.sprite_commands,
    numerics.experiments.granularity_commands,
    numerics.bench.commands,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code: 0 good, 1 a check failed, 2 bad usage, 130 interrupted."""
    return run_command(_parser(), argv)


def _parser() -> Parser:
    return command_line(
        "python -m numerics", "Experiments on the linear-Gaussian beta-VAE. All rates are in nats.", ROOMS
    )


if __name__ == "__main__":
    sys.exit(main())
