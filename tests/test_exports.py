"""Names that a package ever exported stay importable from it; and what the facades load, and when."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import warnings

import pytest

from theory.interface.old_names import OLD_NAMES

# What each package exported before its modules moved into rooms. A name may be added to this list, none taken away.
EXPORTS = {
    "theory": """
        ElboTerms GenerativeModel InferenceError LinearVAE Moments OptimalBeta Optimum RateDistortion elbo_terms
        inference_error inference_error_curve optimal_beta optimal_encoder optimum optimum_curve rate_distortion
    """,
    "theory.inference": """
        InferenceError OptimalBeta family_gap forward_kl_slope inference_error inference_error_curve mismatched_beta
        optimal_beta optimal_encoder random_mixing_errors random_mixing_loading random_mixing_optimal_beta
        small_coherence_beta squared_error_level_bracket two_factor_loading two_factor_optimal_beta
        two_factor_polynomial
    """,
    "theory.learning": """
        CapacityPenalty LearnedNoise Optimum OptimumCurve RateDistortion capacity_penalty critical_betas
        learned_noise_variance optimum optimum_curve profile_loss rate_distortion vae_rate_distortion
        water_level_for_distortion water_level_for_rate
    """,
    "theory.axes": """
        Activity AnnealedTerms ChanceLevel ClusterPrior GaussianPrior Manipulation OrthogonalityDistance PolarizedKL
        Prior PriorOptimum RegularisedEncoder RegularisedTerms RescaledTerms Separation SpikeSlabPrior StudentPrior
        TemporalModel aggregate_divergence annealed_terms collapse_probability distance_to_orthogonality
        factor_rotation_energy gaussian_log_normaliser kernel_mean latent_activity manipulation_to nearest_gaussian
        orthogonality_chance_level plane_rotation polarized_kl polarized_relative_error prior_optimum
        prior_rotation_energy regularised_encoder regularised_terms rescale rescaled_terms rotate rotation_curvature
        rotation_energy separate separate_series smallest_manipulation student_log_normaliser two_factor_largest_angle
        two_factor_manipulation two_mode_rotation_energy
    """,
    "theory.axes.priors": """
        ClusterPrior GaussianPrior Prior SpikeSlabPrior StudentPrior checked_factors checked_prior
        expectation_and_slopes
    """,
    "theory.groups": """
        FactorEstimate Granularity GroupedOptimum GroupedTerms LearnedDecoderValue MinibatchBounds MinibatchParts
        TotalCorrelationPath Weights block_rotation choose_groups correlated_prior_shift equal_groups estimate_factors
        free_planes granularity_errors granularity_slope grouped_gradient grouped_loss grouped_optimum grouped_terms
        independent_groups learned_decoder_value minibatch_bias minibatch_bounds minibatch_offset minibatch_scale
        rotation_stiffness total_correlation_path
    """,
    "theory.metrics": """
        DCI GaussianCode Scores dci hoyer_chance_level hoyer_sparsity mean_correlation mutual_information_gap
        mutual_information_matrix sap scores total_correlation
    """,
    "numerics": """
        Certificate Estimate GranularityRun PriorRun Sweep TrainingRun VertexCell active_count block_truth certify
        digits granularity_map load load_dsprites sample_elbo_terms sample_errors sample_sprites sweep train
        train_autoencoder train_minibatch train_with_prior verify vertex_map
    """,
}
FACADES = [
    "theory",
    *(f"theory.{room}" for room in ("inference", "learning", "axes", "priors", "groups", "scores")),
    "numerics",
    "figures",
]
HEAVY = ["numba", "sympy", "matplotlib", "sklearn", "scipy", "pandas"]


@pytest.mark.parametrize("package", EXPORTS)
def test_what_was_exported_stays_importable(package):
    module = importlib.import_module(package)
    for name in EXPORTS[package].split():
        if name in OLD_NAMES.get(package, {}):
            with pytest.warns(DeprecationWarning, match=rf"{package}\.{name} is now theory\."):
                assert callable(getattr(module, name))
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                assert getattr(module, name) is not None
            assert name in module.__all__


def test_modules_are_attributes_of_their_package_and_old_packages_give_their_names_to_a_star():
    code = (
        "import numerics, theory\n"
        "theory.gaussian.kl_divergence, theory.inference.family_gap, theory.groups.Weights, theory.axes.priors\n"
        "theory.axes.rotation.rotate, numerics.training\n"
        "assert {'gaussian', 'priors', 'optimum'} <= set(dir(theory)) and 'facade' not in dir(theory)\n"
        "import warnings; warnings.simplefilter('ignore')\n"
        "from theory.metrics import *\n"
        "from theory.axes.priors import *\n"
        "print(dci, StudentPrior)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_old_name_is_one_that_was_exported():
    exported = {(package, name) for package, names in EXPORTS.items() for name in names.split()}
    assert {(package, name) for package, names in OLD_NAMES.items() for name in names} <= exported


def test_nothing_inside_uses_an_old_name():
    """But for the modules that need an extra."""
    code = (
        "import warnings, pkgutil, importlib; warnings.simplefilter('error', DeprecationWarning)\n"
        "BOKEH = 'explorer.drawing', 'explorer.page', 'explorer.server'\n"
        "for top in ('theory', 'numerics', 'figures'):\n"
        "    for module in pkgutil.walk_packages(importlib.import_module(top).__path__, top + '.'):\n"
        "        if not module.name.endswith(('_peer', *BOKEH)): importlib.import_module(module.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("package", FACADES)
def test_no_module_shares_its_name_with_what_its_package_exports(package):
    """Importing it would put the module in the place of the function."""
    facade = importlib.import_module(package)
    modules = {module.name for module in pkgutil.iter_modules(facade.__path__)}
    assert not modules & set(facade.__all__)
    assert set(facade.__all__) <= set(dir(facade))
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = facade.nonsense


@pytest.mark.parametrize("package", ["theory", "numerics", "figures"])
def test_help_loads_nothing_heavy(package):
    code = (
        f"import sys, runpy; sys.argv = ['{package}', '--help']\n"
        f"try:\n    runpy.run_module('{package}', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "usage: " in done.stdout
    loaded = set(done.stderr.split())
    assert [module for module in HEAVY if module in loaded] == []
