"""What the command lines share: readers of data, output files, options, reports, and how a command runs."""
