"""The checks that `numerics.verify` runs: one function per result, one or a few modules per subpackage of `theory`.

A check takes a `Budget` and yields rows, each a comparison of one closed form with training, search or sampling. To add
a result, add its function to a module of its subpackage and its name to the `CHECKS` at the end of that module.
Checks call the theory through its packages (`inference.optimal_beta`), so that tests can put a wrong formula in its
place and see the check fail. Every check draws from its own fixed seed: its rows do not depend on which others run.
"""
