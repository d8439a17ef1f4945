"""The compiled kernels of training: products, the objective, descent, and descent on minibatches.

**What depends on a kernel**, and must be considered when one changes:

compiled code   is kept between processes under a digest of the sources of this folder (`cache`, `digest`); numba itself
                renews a function when its own file changes, not when the file of a function that it calls does
resume files    carry the same digest: runs of other kernels are not continued (`numerics.sweeps.run_file`)
workers         import the kernels anew, from that cache (`numerics.sweeps.workers`); all must have the same sources
callers         `numerics.training.problem` (the objective and its gradient), `training.train`, `training.minibatch`,
                `training.alternation` and `elimination` (the verdict), `sweeps.pending` (the arrays that `descend_all`
                fills), `numerics.bench.ours`
plain Python    every kernel also runs as its `.py_func`, which the tests compare with numpy

Arguments that belong together are a named tuple: `objective.Objective`, `objective.Point`, `descent.Limits`.
"""
