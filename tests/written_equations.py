"""Equations written by hand as a `Computation`, for tests that need no derivation."""

import ast

import sympy
from sympy import Function, Integer, KroneckerDelta, Rational, Sum, Symbol, oo

from bpderive.catalog import CATALOG
from bpderive.functions import select, xlogy
from bpderive.functions.conditions import bracket, first_largest, fixed, merged
from bpderive.index import Equation, element, size_symbol
from bpderive.schedule.model import Computation, Given, Line, Loop


class _Tensor:
    def __init__(self, label):
        self.label = label

    def __getitem__(self, indices):
        return element(self.label, indices if isinstance(indices, tuple) else (indices,))


class Equations:
    """Reads `z1[n,i] = sum(j, w1[i,j]*x[n,j])`; an index `i` runs to `I`, a number of `sizes`."""

    def __init__(self, **sizes):
        self.sizes = sizes
        self.count = 0

    def size(self, letter):
        name = letter.upper()
        found = self.sizes.get(name, size_symbol(name))
        return Integer(found) if isinstance(found, int) else found

    def read(self, text, number=1):
        left, right = text.split(" = ")
        self.letters = {}
        lhs = Symbol("S") if left == "S" else self.value(left)
        rhs = self.value(right)
        free = [p for i in getattr(lhs, "indices", ()) for p in getattr(i, "parts", (i,))]
        back = {symbol: letter for letter, symbol in self.letters.items()}
        return Line(Equation(lhs, rhs, tuple(self.size(back[i]) for i in free)), number, 1)

    def letter(self, name):
        if name not in self.letters:
            self.count += 1
            self.letters[name] = Symbol(f"_{self.count}{name}", integer=True)
        return self.letters[name]

    def value(self, text):
        tree = ast.parse(text.strip(), mode="eval").body
        return self.node(tree)

    def node(self, node, inside=False):
        if isinstance(node, ast.Constant):
            return sympy.nsimplify(node.value)
        if isinstance(node, ast.Name):
            if inside and len(node.id) == 1 and node.id.islower():
                return self.letter(node.id)
            if len(node.id) == 1 and node.id.isupper():
                return self.size(node.id)
            return Symbol(node.id)
        if isinstance(node, ast.UnaryOp):
            return -self.node(node.operand, inside)
        if isinstance(node, ast.BinOp):
            one, two = self.node(node.left, inside), self.node(node.right, inside)
            table = {"Add": one + two, "Sub": one - two, "Mult": one * two, "Pow": None}
            name = type(node.op).__name__
            if name == "Pow":
                return one**two
            return one / two if name == "Div" else table[name]
        if isinstance(node, ast.Subscript):
            items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return _Tensor(node.value.id)[tuple(self.node(item, True) for item in items)]
        if isinstance(node, ast.Tuple):  # several indices as one
            parts = [item.id for item in node.elts]
            return merged(*(x for p in parts for x in (self.letter(p), self.size(p))))
        return self.call(node, inside)

    def call(self, node, inside):
        name = node.func.id
        if name == "sum":
            *letters, body = node.args
            value = self.node(body)
            for item in reversed(letters):
                value = Sum(value, (self.letter(item.id), 1, self.size(item.id)))
            return value
        if name == "first":
            *letters, body = node.args
            inner = self.node(body)
            fresh = {self.letters[k.id]: self.letter(f"{k.id}'") for k in letters}
            back = {v: k for k, v in fresh.items()}
            limits = [
                (i, 1, self.size(next(n for n, s in self.letters.items() if s == back[i])))
                for i in back
            ]
            return first_largest(*fresh, Sum(inner.xreplace(fresh), *reversed(limits)))
        if name == "at_most":
            return bracket(-oo, *(self.node(a, True) for a in node.args))
        if name == "same":
            return KroneckerDelta(*(self.node(a, True) for a in node.args))
        args = [self.node(a, inside) for a in node.args]
        known = {
            "exp": sympy.exp,
            "log": sympy.log,
            "sqrt": sympy.sqrt,
            "select": select,
            "xlogy": xlogy,
        }
        known |= {"fixed": fixed, "floor": sympy.floor}
        slope = name.removesuffix("_slope")
        return (
            known[name](*args) if name in known else Function(slope + "'" * (slope != name))(*args)
        )


def computation(text, given, sizes, *, mean=False, samples=True, output, numbers=(), name="test"):
    """Lines of text: equations, `loss …`, `gradient …`, `loop t up` … `end`."""
    reader = Equations(**sizes)
    forward, backward, loss, gradients = [], [], None, []
    into, loop = forward, None
    for count, row in enumerate(filter(None, map(str.strip, text.split("\n"))), 1):
        word, _, rest = row.partition(" ")
        if word == "loss":
            loss, into = reader.read(rest, count), backward
        elif word == "loop":
            loop = (*rest.split(), [])
        elif word == "end":
            letter, way, lines = loop
            free = [line.equation.indices for line in lines]
            indices = [next(i for i in each if i.name.endswith(letter)) for each in free]
            into.append(
                Loop(letter, reader.size(letter), way == "up", tuple(lines), tuple(indices))
            )
            loop = None
        elif word == "gradient":
            label, found = rest.split()
            gradients.append((label, found))
        else:
            (loop[2] if loop else into).append(reader.read(row, count))
    tensors = []
    for item in given:
        role, spec = item.split(" ")
        label, letters = spec.rstrip("]").split("[")
        letters = tuple(filter(None, letters.split(",")))
        shape = tuple(sympy.Mul(*(reader.size(c) for c in k)) for k in letters)
        tensors.append(Given(label, letters, shape, role, 1))
    rows = {row.name: row for row in CATALOG.activations}
    return Computation(
        name,
        (name,),
        tuple(tensors),
        tuple(forward),
        loss,
        tuple(backward),
        tuple(gradients),
        output,
        {k: Rational(str(v)) for k, v in numbers},
        rows,
        mean,
        samples,
    )
