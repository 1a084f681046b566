"""The activations, one row each: a formula in `z`, its slope's closed form, conventions at kinks.

To add one, add a row: the tests loop over the rows, and prove each slope from its formula. Slopes
at kinks are PyTorch's.
"""

from bpderive.catalog.model import Activation, Kink

_ALPHA = "1.6732632423543772848170429916717"  # Klambauer et al., Self-Normalizing Neural Networks
_SCALE = "1.0507009873554804934193349852946"

ACTIVATIONS = (
    Activation("linear", "z", "1"),
    Activation("sigmoid", "1/(1 + exp(-z))", "a*(1 - a)", range="unit"),
    Activation("tanh", "tanh(z)", "1 - a**2", range="signed_unit"),
    Activation("relu", "max(z, 0)", "where(z > 0, 1, 0)", (Kink("0", "0"),), "nonnegative"),
    Activation(
        "leaky_relu",
        "where(z > 0, z, 0.01*z)",
        "where(z > 0, 1, 0.01)",
        (Kink("0", "0.01"),),
    ),
    Activation("elu", "where(z > 0, z, exp(z) - 1)", "where(z > 0, 1, a + 1)"),
    Activation(
        "selu",
        f"where(z > 0, {_SCALE}*z, {_SCALE}*{_ALPHA}*(exp(z) - 1))",
        f"where(z > 0, {_SCALE}, a + {_SCALE}*{_ALPHA})",
        (Kink("0", f"{_SCALE}*{_ALPHA}"),),
    ),
    Activation("softplus", "log(1 + exp(z))", "sigmoid(z)", range="positive"),
    Activation("silu", "z*sigmoid(z)", "sigmoid(z) + a*(1 - sigmoid(z))"),
    Activation("gelu", "z*(1 + erf(z/sqrt(2)))/2"),
    Activation("gelu_tanh", "z/2*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z**3)))"),
    Activation("mish", "z*tanh(log(1 + exp(z)))"),
    Activation(
        "hardtanh",
        "where(z < 1, where(z > -1, z, -1), 1)",
        "where(z < 1, where(z > -1, 1, 0), 0)",
        (Kink("-1", "0"), Kink("1", "0")),
        "signed_unit",
    ),
    Activation("softsign", "z/(1 + abs(z))", "1/(1 + abs(z))**2", range="signed_unit"),
    Activation("exp", "exp(z)", "a", range="positive"),
    Activation("softmax", "exp(z)/sum(exp(z))", range="unit"),
)
