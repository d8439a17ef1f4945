"""Experiments of several runs that a figure, a check or a command shows."""
