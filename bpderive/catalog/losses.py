"""The losses, one row each: the formula of one output, what a label is, what it cannot take.

To add one, add a row: the tests loop over the rows. Slopes at kinks are PyTorch's.
"""

from bpderive.catalog.model import Kink, Loss

LOSSES = (
    Loss("half_squared_error", "1/2*(a - y)**2"),
    Loss("squared_error", "(a - y)**2"),
    Loss("mse", "(a - y)**2", "mean"),
    Loss("mae", "abs(a - y)", "mean", kinks=(Kink("y", "0"),)),
    Loss("huber", "where(abs(a - y) < 1, 1/2*(a - y)**2, abs(a - y) - 1/2)"),
    Loss(
        "binary_cross_entropy",
        "-xlogy(y, a) - xlogy(1 - y, 1 - a)",
        label="binary",
        domain="unit",
        refuses=(
            (
                "softmax",
                "its outputs are one distribution, not a probability each; "
                "use the output activation sigmoid, or the loss cross_entropy",
            ),
        ),
    ),
    Loss(
        "binary_cross_entropy_with_logits",
        "softplus(a) - y*a",
        label="binary",
        refuses=(
            (
                "sigmoid",
                "it applies the sigmoid itself; "
                "use the output activation linear, or the loss binary_cross_entropy",
            ),
            (
                "softmax",
                "it applies a sigmoid itself; "
                "use the output activation linear, or the loss cross_entropy",
            ),
        ),
    ),
    Loss("cross_entropy", "-xlogy(y, a)", label="distribution", domain="unit"),
    Loss(
        "softmax_cross_entropy",
        "-y*log(p)",
        stage="softmax",
        label="distribution",
        refuses=tuple(
            (
                name,
                "it applies softmax itself; "
                "use the output activation linear, or the loss cross_entropy",
            )
            for name in ("softmax", "sigmoid")
        ),
    ),
    Loss(
        "hinge",
        "where(1 - y*a > 0, 1 - y*a, 0)",
        label="sign",
        refuses=tuple(
            (
                name,
                "its labels are -1 and 1, so it needs scores of both signs; "
                "use the output activation linear or tanh",
            )
            for name in ("softmax", "sigmoid")
        ),
        kinks=(Kink("1/y", "0"),),
    ),
    Loss("poisson", "a - xlogy(y, a)", label="count", domain="positive"),
    Loss(
        "kl_divergence",
        "xlogy(y, y) - xlogy(y, a)",
        label="distribution",
        domain="unit",
    ),
)
