"""The words for why a run stopped: each is its text, in files too, and has a sentence."""

from __future__ import annotations

import json
import pickle
import re

import numpy as np
import pytest

from numerics import train_with_prior
from numerics.training.stop import FINISHED, Stop
from theory.priors import GaussianPrior


@pytest.mark.parametrize("stop", Stop)
def test_a_stop_is_its_word_and_has_a_sentence(stop):
    assert repr(stop) == repr(stop.value)
    assert stop == str(stop) == stop.value and json.loads(json.dumps(stop)) == stop.value
    assert stop.sentence[0].isupper() and stop.sentence.endswith(".")
    # Many functions return it, and no option but seeds, latents, noise and beta is one of all of them.
    assert not re.search(r"\w=|max_steps|learning_rate", stop.sentence)
    assert "accelerated_em" not in stop.sentence or "numerics.train" in stop.sentence
    assert pickle.loads(pickle.dumps(stop)) is stop is Stop(stop.value)


def test_two_words_mean_that_there_are_no_numbers():
    assert set(Stop) - FINISHED == {"overflowed", "not run"}


@pytest.mark.parametrize("max_steps", [1, 2000])
def test_training_with_a_prior_gives_the_same_type(max_steps):
    prior = GaussianPrior(np.eye(2))
    run = train_with_prior(
        GaussianPrior([[1.0, 0.5], [0.5, 2.0]]),
        [[1.0, 0.2], [0.0, 1.0]],
        0.1,
        prior,
        beta=1.0,
        noise_variance=0.1,
        max_steps=max_steps,
    )
    assert run.stopped is (Stop.MAX_STEPS if max_steps == 1 else Stop.GRADIENT)
