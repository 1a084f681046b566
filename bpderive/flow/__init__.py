"""The gradient problem: how large the gradients of a network can be, and are expected to be.

In: a `Derivation` or a `StackDerivation`, how the weights are drawn. Out: bounds, expectations,
dangers, remedies as frozen data. Must not know: letters, words, NumPy.
"""
