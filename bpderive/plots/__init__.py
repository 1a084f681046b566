"""Pictures by matplotlib (extra `plot`): the same bytes for the same data.

In: what `flow` and `sweep` found. Out: the bytes of an SVG, PDF or PNG. Must not know: the command
line.
"""
