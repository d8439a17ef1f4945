"""The plumbing of the command lines: readers of data, files, options, reports, and how a command runs."""
