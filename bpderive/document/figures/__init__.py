"""The figures of a document, as drawings.

In: a `Network`, and what of it shall stand out. Out: a `Drawing`. Must not know: letters, colours,
formats. One layout (`layout`) places the neurons of every figure of a network.
"""
