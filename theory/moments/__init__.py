"""The moments of data, and how they are summed: of arrays, files, chunks, sparse matrices and Dask collections.

`record` holds `Moments`; `reading` goes through data of any form, block by block; `gathered` takes the blocks: `sums`
adds the products of centred observations, `few_rows` keeps observations that are fewer than their variables.
`statistics` joins those of two data sets, and `dask_blocks` those of many blocks on a cluster.
"""

from theory.moments.reading import slices_of, statistics_of_block
from theory.moments.record import Moments, as_moments, set_fields

__all__ = ["Moments", "as_moments", "set_fields", "slices_of", "statistics_of_block"]
