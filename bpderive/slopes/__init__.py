"""The slope of one function: derived in recorded steps, and how steep it is at most, proved.

In: a row of the catalogue, or an expression in one variable. Out: `Step`s (`steps`), a
`MaximalSlope` (`extrema`). Must not know: networks, letters, words.
"""
