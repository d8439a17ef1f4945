"""Experiments of several runs, for figures, checks and commands."""
