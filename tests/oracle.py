"""An independent network: plain loops over scalars, from the texts of the catalogue's rows.

It shares no code with the engine, nor with the reader of formulas: a text is read by the small
interpreter below, in mpmath's numbers or in SymPy's scalars. Quantities are a dict by reference
text: `{"w1[1,2]": …}`. Derivatives are central differences at 80 digits.
"""

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import sympy

from bpderive.catalog import CATALOG, Activation, Loss

MP = mpmath.MPContext()  # a context of our own: mpmath's default one is left as it is
MP.dps = 80
STEP = MP.mpf(10) ** -28  # the error of a central difference is about its square
CLOSE = MP.mpf(10) ** -30


@dataclass(frozen=True)
class Domain:
    """The numbers that a formula is worked out in."""

    number: Callable[[str], Any]
    functions: Any
    where: Callable[..., Any]


def _piecewise(test, p, q):
    return sympy.Piecewise((p, test), (q, True))


NUMBERS = Domain(MP.mpf, MP, lambda test, p, q: p if test else q)
SCALARS = Domain(sympy.Rational, sympy, _piecewise)

OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
}
FUNCTIONS = {
    "abs": lambda _, u: abs(u),
    "sigmoid": lambda d, u: 1 / (1 + d.functions.exp(-u)),
    "softplus": lambda d, u: d.functions.log(1 + d.functions.exp(u)),
    "relu": lambda d, u: d.where(u > 0, u, 0 * u),
    "max": lambda d, u, v: d.where(u > v, u, v),
    "min": lambda d, u, v: d.where(u < v, u, v),
    "xlogy": lambda d, x, y: 0 * x if x == 0 else x * d.functions.log(y),
    "where": lambda d, test, p, q: d.where(test, p, q),
}


@cache
def formula(text: str, domain: Domain = NUMBERS) -> Callable[..., Any]:
    """A function of the values of one element, and of all of its layer's z."""
    return _read(ast.parse(text, mode="eval").body, text, domain)


def _read(node, text, domain):
    match node:
        case ast.Constant():
            value = domain.number(ast.get_source_segment(text, node))
            return lambda values, layer: value
        case ast.Name(id="pi" | "e" as name):
            value = getattr(
                domain.functions, {"e": "E"}.get(name, name) if domain is SCALARS else name
            )
            return lambda values, layer: +value
        case ast.Name(id=name):
            return lambda values, layer: values[name]
        case ast.UnaryOp(op=op, operand=operand):
            return _call(OPERATORS[type(op)], [operand], text, domain)
        case ast.BinOp(left=left, op=op, right=right):
            return _call(OPERATORS[type(op)], [left, right], text, domain)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _call(OPERATORS[type(op)], [left, right], text, domain)
        case ast.Call(func=ast.Name(id="sum"), args=[arg]):
            inner = _read(arg, text, domain)
            return lambda values, layer: sum(inner({"z": z}, layer) for z in layer)
        case ast.Call(func=ast.Name(id=name), args=args) if name in FUNCTIONS:
            return _call(lambda *v: FUNCTIONS[name](domain, *v), args, text, domain)
        case ast.Call(func=ast.Name(id=name), args=args):
            return _call(getattr(domain.functions, name), args, text, domain)
    raise AssertionError(f"the oracle does not know {ast.dump(node)}")


def _call(function, args, text, domain):
    parts = [_read(arg, text, domain) for arg in args]
    return lambda values, layer: function(*(part(values, layer) for part in parts))


@dataclass(frozen=True)
class Oracle:
    """A dense network of equal activations."""

    widths: tuple[int, ...]
    hidden: Activation
    output: Activation
    loss: Loss
    bias: bool = False

    @property
    def depth(self) -> int:
        return len(self.widths) - 1

    def parameters(self) -> list[str]:
        names = []
        for layer in range(1, self.depth + 1):
            rows, columns = self.widths[layer], self.widths[layer - 1]
            names += [f"w{layer}[{i},{j}]" for i in _to(rows) for j in _to(columns)]
            names += [f"b{layer}[{i}]" for i in _to(rows)] if self.bias else []
        return names

    def inner(self) -> list[str]:
        """The quantities between the parameters and the loss."""
        layers = _to(self.depth)
        names = [f"{t}{l}[{i}]" for t in "za" for l in layers for i in _to(self.widths[l])]
        return names + [f"p[{i}]" for i in _to(self.widths[-1]) if self.loss.stage]

    def given(self) -> list[str]:
        x = [f"x[{i}]" for i in _to(self.widths[0])]
        return [*x, *(f"y[{i}]" for i in _to(self.widths[-1]))]

    def forward(self, point, nudged=None, by=0, domain=NUMBERS):
        """Every quantity, the loss as `L`; one of them may be nudged as it is worked out."""
        point = dict(point)

        def put(name, value):
            point[name] = value + by if name == nudged else value

        if nudged in point:
            point[nudged] = point[nudged] + by
        for l in _to(self.depth):
            self._layer(l, point, put, domain)
        put("L", self._loss(point, put, domain))
        return point

    def _layer(self, l, point, put, domain):
        below = "x" if l == 1 else f"a{l - 1}"
        for i in _to(self.widths[l]):
            terms = [
                point[f"w{l}[{i},{j}]"] * point[f"{below}[{j}]"] for j in _to(self.widths[l - 1])
            ]
            put(f"z{l}[{i}]", sum(terms) + (point[f"b{l}[{i}]"] if self.bias else 0))
        row = self.output if l == self.depth else self.hidden
        self._apply(row, f"z{l}", f"a{l}", self.widths[l], point, put, domain)

    def _apply(self, row, source, target, width, point, put, domain):
        function = formula(row.formula, domain)
        layer = [point[f"{source}[{i}]"] for i in _to(width)]
        for i in _to(width):
            put(f"{target}[{i}]", function({"z": layer[i - 1]}, layer))

    def _loss(self, point, put, domain):
        value, width = f"a{self.depth}", self.widths[-1]
        if self.loss.stage:
            row = CATALOG.activation(self.loss.stage)
            self._apply(row, value, "p", width, point, put, domain)
            value = "p"
        function, letter = formula(self.loss.formula, domain), value[0]
        terms = [
            function({letter: point[f"{value}[{i}]"], "y": point[f"y[{i}]"]}, ())
            for i in _to(width)
        ]
        return sum(terms) / width if self.loss.combine == "mean" else sum(terms)

    def derivative(self, point, name):
        """`∂L/∂name`, in numbers."""
        up, down = (self.forward(point, name, sign * STEP)["L"] for sign in (1, -1))
        return (up - down) / (2 * STEP)

    def flat_loss(self):
        """The loss as one SymPy expression in x, y and the parameters, and those by name."""
        names = [*self.given(), *self.parameters()]
        symbols = {name: sympy.Symbol(name, real=True) for name in names}
        return self.forward(symbols, domain=SCALARS)["L"], symbols


def _to(number: int) -> range:
    return range(1, number + 1)


# --- Points at which everything is compared ---


def _number(random):
    return MP.mpf(random.randint(-200, 200)) / 137


def _distribution(random, n):
    parts = [MP.mpf(random.randint(1, 9)) for _ in range(n)]
    return [part / sum(parts) for part in parts]


LABELS = {
    "real": lambda random, n: [_number(random) for _ in range(n)],
    "binary": lambda random, n: [abs(_number(random)) / 3 for _ in range(n)],
    "sign": lambda random, n: [MP.mpf(random.choice((-1, 1))) for _ in range(n)],
    "count": lambda random, n: [MP.mpf(random.randint(0, 4)) for _ in range(n)],
    "distribution": _distribution,
}
DOMAINS = {"real": lambda a: True, "unit": lambda a: 0 < a < 1, "positive": lambda a: a > 0}


def points(oracle: Oracle, random, samples: int) -> list[dict[str, Any]]:
    """Some samples with the same parameters, whose outputs the loss can take."""
    for _ in range(20_000):
        shared = {name: _number(random) for name in oracle.parameters()}
        found = [oracle.forward(shared | _sample(oracle, random)) for _ in range(samples)]
        if all(_suits(oracle, sample) for sample in found):
            return found
    raise AssertionError(f"no point suits {oracle}")


def _suits(oracle, sample):
    last = f"a{oracle.depth}"
    outputs = [(sample[f"{last}[{i}]"], sample[f"y[{i}]"]) for i in _to(oracle.widths[-1])]
    return all(takes(oracle.loss, a, y) for a, y in outputs)


def takes(loss, a, y):
    """Whether a loss can take an output, which is of moderate size, and has a slope there."""
    kinks = [formula(kink.at) for kink in loss.kinks]
    inside = DOMAINS[loss.domain](a) and abs(a) < 8
    return inside and all(at({"y": y}, ()) != a for at in kinks)


def _sample(oracle, random):
    y = LABELS[oracle.loss.label](random, oracle.widths[-1])
    x = [_number(random) for _ in range(oracle.widths[0])]
    return dict(zip(oracle.given(), x + y, strict=True))
