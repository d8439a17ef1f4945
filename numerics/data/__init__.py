"""Data of the experiments: observations, sprites, correlated factors, points of a rectangle."""

DATA_SETS = ("digits",)  # that `numerics.data.observations.load` knows by name
