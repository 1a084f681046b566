"""Gradients measured: networks drawn at random, run through the generated code.

In: a `Derivation` or a grid of networks. Out: `Measurement`s, a file of results. Must not know: the
command line, how anything is printed.
"""
