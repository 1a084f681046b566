"""Code of any network as loops: plain Python, and C.

In: a `Computation`. Out: the texts of files. Must not know: how the equations were derived, what a
layer is.
"""
