"""Keeps libraries to one thread on one processor; to be imported before them."""

import os

OPTIONS = {
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def set_up() -> None:
    """Set the options, and keep to one processor those who have none for it."""
    for name, value in OPTIONS.items():
        os.environ.setdefault(name, value)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


set_up()
