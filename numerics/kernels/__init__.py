"""The compiled kernels of training: products, the objective, descent, and descent on minibatches.

They are called from Python only: no kernel is exported by a C interface (`cfunc`, an extension module), so nothing
outside this project depends on how arguments are laid out in memory. The best encoder of a decoder and the best
decoder of an encoder, which some methods alternate between, are no kernels: `numerics.training.halves`.

**What depends on a kernel**, and must be considered when one changes.

compiled code   is kept between processes under a digest of the sources of this folder (`cache`, `digest`); numba itself
                looks only at the file of a function, not at the files of those that it calls. Kernels import nothing
                else of this project, so that the digest covers all that they call
plain Python    every kernel also runs as its `.py_func`, which the tests compare with numpy. What only kernels call
                is `inner` to them, and plain Python to everybody else

**Who imports kernels**, and what of them.

`numerics.training.problem`       the objective, its value and gradient, its `Objective`, `ROUNDING`
`numerics.training.train`         `Limits`
`numerics.training.outcome`       `Limits`, `Objective`, `Outcome`: the interface of every method
`numerics.training.descent`       `descend`, `gradient_descent`, `Limits`, `Objective`, the codes of methods
`numerics.training.halves`        `Objective`, `noise_floor`
`numerics.training.alternation`   `verdict`, `noise_end`, the codes of ends, `Limits`, `Objective`, `rounding_at`
`numerics.training.elimination`   the same as alternation, but `rounding_error`
`numerics.training.minibatch`     `sampled_adam`, `separated`, `joined`, `noise_floor`, the codes of ends
`numerics.training.end_of_run`    the codes of ends, `rounding_error`
`numerics.sweeps.sweep`           `Limits`
`numerics.sweeps.batches`         `descend_all`, `Limits`, the digest, which goes to the workers with every batch
`numerics.sweeps.workers`         `descend`, `Limits`, `Objective`, `Outcomes`, the digest: a worker imports the kernels
                                  anew, from the cache, and refuses a batch of another digest
`numerics.sweeps.pending`         `Outcomes`, the arrays that `descend_all` fills, and `NOT_RUN`
`numerics.sweeps.credible`        `rounding_error`
`numerics.sweeps.run_file`        the digest: a file of runs by other kernels is not continued
`numerics.sweeps.compiled_once`   whether any kernel is compiled already
`numerics.bench.ours`             `descend`, `sampled_adam`, `separated`, `joined`, `views`

and tests outside the kernels' own, some of which call kernels or build their arguments:
`tests.numerics.training.test_train`, `tests.numerics.training.test_alternation`,
`tests.numerics.training.test_elimination`, `tests.numerics.training.test_end_of_run`,
`tests.numerics.training.test_methods`, `tests.numerics.sweeps.test_sweep`, `tests.numerics.sweeps.test_run_file`,
`tests.numerics.sweeps.test_workers`, `tests.numerics.sweeps.test_pending`, `tests.numerics.diagnosis.test_certificate`.

Arguments and results that belong together are a named tuple: `objective.Objective`, `objective.Point`,
`descent.Limits`, `descent.Outcome`, `descent.Outcomes`, `descent.AdamState`.
"""
