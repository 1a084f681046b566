"""What a module's tensors and their derivatives are called, at a general place.

In: a tensor's name. Out: a label. Must not know: what a tensor is.
"""


def label(name: str) -> str:
    """The general label of a tensor: `U{l}`, `W2_{l}`."""
    return f"{name}{'_' * name[-1].isdigit()}{{l}}"


def delta(name: str) -> str:
    """The general label of a tensor's derivative: `delta{l}` for z, `delta_a{l}` for any other."""
    return label(derivative(name))


def derivative(name: str) -> str:
    """The name of a tensor's derivative."""
    return "delta" if name == "z" else f"delta_{name}"


def direct(name: str) -> str:
    """The general label of what reaches an output from the layers above alone."""
    return label(f"direct_{name}")


def gradient(name: str) -> str:
    """The general label of a parameter's gradient."""
    return label(f"d{name}")
