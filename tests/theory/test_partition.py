"""Families of posteriors as partitions of the latents."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.partition import partition, partition_mask


def as_lists(groups):
    return [group.tolist() for group in groups]


def test_named_families():
    assert as_lists(partition("diagonal", 3)) == [[0], [1], [2]]
    assert as_lists(partition("full", 3)) == [[0, 1, 2]]
    assert partition("diagonal", 0) == partition("full", 0) == partition([], 0) == ()


def test_groups_are_sorted_inside():
    assert as_lists(partition([[3, 0], (2, 1)], 4)) == [[0, 3], [1, 2]]
    assert as_lists(partition(np.array([[1, 0], [2, 3]]), 4)) == [[0, 1], [2, 3]]


@settings(deadline=None, max_examples=50, derandomize=True)
@given(labels=st.lists(st.integers(0, 4), max_size=8))
def test_the_mask_says_who_shares_a_group(labels):
    groups = [[latent for latent, label in enumerate(labels) if label == group] for group in set(labels)]
    mask = partition_mask(partition(groups, len(labels)), len(labels))
    np.testing.assert_array_equal(mask, np.equal.outer(labels, labels) if labels else np.zeros((0, 0)))


@pytest.mark.parametrize(
    ("posterior", "message"),
    [
        ("triangular", "posterior must be 'diagonal', 'full' or a list of groups, got 'triangular'"),
        (None, "a list of lists"),
        ({0: [0, 1, 2]}, "a list of lists"),
        ([{0, 1, 2}], "a list of lists"),
        ([[0, 1, 2], []], "posterior must have no empty group, its group 1 is empty; remove it"),
        ([0, 1, 2], "a list of lists"),
        ([["a"]], "a list of lists"),
        ([[0.5], [1], [2]], "a list of lists"),
        ([[0.0], [1], [2]], "a list of lists"),
        (np.array([[0.0, 1.0, 2.0]]), "a list of lists"),
        ([["0"], ["1"], ["2"]], "a list of lists"),
        ([[True], [0], [2]], "a list of lists"),
        ([[np.True_], [0], [2]], "a list of lists"),
        ([[0, 1]], r"misses latents \[2\]"),
        ([[0, 1], [1, 2]], r"repeats latents \[1\]"),
        ([[0, 1], [2, 3]], r"names unknown latents \[3\]"),
        ([[0, 0], [-1]], "a list of lists"),
    ],
)
def test_misuse_is_refused(posterior, message):
    with pytest.raises(ValueError, match=message):
        partition(posterior, 3)


@pytest.mark.parametrize(("group", "fault"), [(range(400_000), "names unknown"), ([0] * 400_000, "repeats")])
def test_long_groups_are_refused_at_once_and_shortly(group, fault):
    with pytest.raises(ValueError, match=fault) as caught:  # comparing each latent with each would take an hour
        partition([group], 3)
    assert len(str(caught.value)) < 200
