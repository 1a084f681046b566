"""The largest size of a slope that is a polynomial in one function whose range is known.

In: a `Piece`. Out: a `Part` with its exact maximum, or that it is unbounded; or None. `σ(1 - σ)` is
a quadratic polynomial in σ, which lies between 0 and 1: completing the square gives its maximum.
Must not know: numeric bounds, networks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sympy
from sympy import Dummy, Expr, Integer, Pow, Symbol, exp, log, oo, preorder_traversal

from bpderive.functions import cosh, number, sigmoid, sinh, softplus, tanh
from bpderive.slopes.model import Part
from bpderive.slopes.pieces import Piece

T = Dummy("t", real=True)
SIZE = 60
"""Longer slopes are left to the search."""

WAVES = (sympy.sin, sympy.cos)
LIMITS: Mapping[type[Expr], tuple[Expr, Expr]] = {
    exp: (Integer(0), oo),
    sigmoid: (Integer(0), Integer(1)),
    tanh: (Integer(-1), Integer(1)),
    sympy.erf: (Integer(-1), Integer(1)),
    softplus: (Integer(0), oo),
    sinh: (-oo, oo),
    Pow: (Integer(0), oo),
}
"""Increasing functions, and what they come near to at either end."""

INVERSES: Mapping[type[Expr], Callable[[Expr], Expr]] = {
    exp: log,
    sigmoid: lambda t: log(t / (1 - t)),
    tanh: lambda t: log((1 + t) / (1 - t)) / 2,
}


@dataclass(frozen=True)
class Place:
    """A value that the function takes, or comes near to, and where."""

    value: Expr
    at: Expr | None


def exact(piece: Piece, x: Symbol) -> Part | None:
    """The maximum of the size of a piece, where an exact argument finds it."""
    if x not in piece.expr.free_symbols:
        return Part(piece, abs(piece.expr), None, True, "constant")
    if piece.expr.count_ops() > SIZE:
        return None
    if _outgrows(piece, x):
        return Part(piece, None, None, False, "unbounded")
    found = (_by(atom, piece, x) for atom in _atoms(piece.expr, x))
    return next((part for part in found if part is not None), None)


def _by(atom: Expr, piece: Piece, x: Symbol) -> Part | None:
    """The maximum of the piece as a polynomial in one function."""
    poly = _polynomial(piece.expr, atom, x)
    if poly is None:
        return None
    if _divides(atom) and (signs := _signs(atom, piece, x)) != {1}:
        if signs is None:
            return None
        if 0 in signs or signs == {1, -1}:
            pole = atom.exp.is_Integer or 1 in signs
            return Part(piece, None, None, False, "unbounded", (atom,)) if pole else None
        if not atom.exp.is_Integer:
            return None
    places = _places(atom, piece, x)
    return _largest(piece, atom, poly, places, x) if places else None


def _signs(atom: Expr, piece: Piece, x: Symbol) -> set[int] | None:
    """The signs of what the atom divides by, over the closed piece: `{1}` where it has no pole."""
    base = atom.base
    line, bowl = _linear(base, x), _quadratic(base, x)
    if line is None and bowl is None:
        return None
    inside = [Integer(0)] if bowl is not None and _inside(Integer(0), piece) else []
    return {_sign(base, end, x) for end in (piece.lo, *inside, piece.hi)}


def _sign(base: Expr, at: Expr, x: Symbol) -> int:
    """The sign of `αx + β` or of `αx² + β` at a number, or far out."""
    if at in (oo, -oo):
        line, bowl = _linear(base, x), _quadratic(base, x)
        lead = line[0] * (1 if at == oo else -1) if line else bowl[0] if bowl else Integer(0)
    else:
        lead = base.xreplace({x: at})
    value = number(lead)
    return int(bool(value > 0)) - int(bool(value < 0))


def _atoms(expr: Expr, x: Symbol) -> list[Expr]:
    """What the slope may be a polynomial in: outer functions before inner ones."""
    found = dict.fromkeys(
        Pow(node.base, -1) if isinstance(node, Pow) and node.exp.is_Integer else node
        for node in preorder_traversal(expr)
        if x in node.free_symbols
        and (_increases(node, x) or _divides(node) or isinstance(node, (cosh, *WAVES)))
    )
    return [*found, x]


def _increases(node: Expr, x: Symbol) -> bool:
    """Whether it is an increasing function of its argument; of powers, `c^u` with c > 1."""
    if isinstance(node, Pow):
        return x not in node.base.free_symbols and bool(number(node.base) > 1)
    return node.func in LIMITS


def _argument(atom: Expr, x: Symbol) -> Expr:
    if isinstance(atom, Pow):
        return atom.base if x in atom.base.free_symbols else atom.exp
    return atom.args[0]


def _outgrows(piece: Piece, x: Symbol) -> bool:
    """Whether it is `P(z) e^{αz} + Q(z)`, on a piece in which the power grows without end."""
    for atom in piece.expr.atoms(exp, Pow):
        line = _linear(_argument(atom, x), x) if _increases(atom, x) else None
        if line is not None and (piece.hi if number(line[0]) > 0 else piece.lo) in (oo, -oo):
            replaced = piece.expr.xreplace({atom: T})
            if replaced.is_polynomial(x, T) and _size(replaced) <= 6 and replaced.has(T):
                return bool(sympy.Poly(replaced, T).degree() > 0)
    return False


def _divides(node: Expr) -> bool:
    return bool(isinstance(node, Pow) and node.exp.is_Rational and node.exp.is_negative)


def _polynomial(expr: Expr, atom: Expr, x: Symbol) -> sympy.Poly | None:
    """The expression as a polynomial in the atom: of degree 2 at most, or a single power."""
    if isinstance(atom, Pow) and atom.exp == -1:
        replaced = expr.replace(
            lambda node: isinstance(node, Pow) and node.base == atom.base and _divides(node),
            lambda node: Pow(T, -node.exp),
        )
    else:
        replaced = expr.xreplace({atom: T})
    if x in replaced.free_symbols or not replaced.is_polynomial(T) or _size(replaced) > 6:
        return None
    poly = sympy.Poly(replaced, T)
    return poly if poly.degree() <= 2 or len(poly.terms()) == 1 else None


def _size(expr: Expr) -> int:
    """A bound of the degree."""
    powers = [int(node.exp) for node in expr.atoms(Pow) if node.exp.is_Integer]
    return sum(map(abs, powers)) + (0 if powers else 1)


def _linear(u: Expr, x: Symbol) -> tuple[Expr, Expr] | None:
    """`(α, β)` of `αx + β`."""
    slope = u.coeff(x, 1)
    rest = u - slope * x
    alone = not {x} & (slope.free_symbols | rest.free_symbols)
    return (slope, rest) if slope != 0 and alone else None


def _quadratic(u: Expr, x: Symbol) -> tuple[Expr, Expr] | None:
    """`(α, β)` of `αx² + β`."""
    line = u.xreplace({x**2: T})
    return None if x in line.free_symbols else _linear(line, T)


def _places(atom: Expr, piece: Piece, x: Symbol) -> list[Place] | None:
    """The ends of the atom's range over the piece, and where it has them."""
    if isinstance(atom, WAVES):
        return _wave(atom, piece, x)
    turning = _turning(atom, x)
    if turning is None:
        return None
    inside = [turning] if _inside(turning, piece) else []
    limits = [_at(atom, end, x) for end in (piece.lo, *inside, piece.hi)]
    if None in limits:
        return None
    return [Place(v, end) for v, end in zip(limits, (piece.lo, *inside, piece.hi), strict=True)]


def _inside(at: Expr, piece: Piece) -> bool:
    if at in (oo, -oo):
        return False
    return bool(
        (piece.lo == -oo or number(at - piece.lo) > 0)
        and (piece.hi == oo or number(piece.hi - at) > 0)
    )


def _turning(atom: Expr, x: Symbol) -> Expr | None:
    """Where the atom turns (0 for an even one, infinity for a monotone one); None: not known."""
    if atom == x:
        return oo
    inner = _argument(atom, x)
    monotone = _increases(atom, x) or _divides(atom)
    if isinstance(atom, cosh):
        line = _linear(inner, x)
        return None if line is None else -line[1] / line[0]
    if monotone and _linear(inner, x) is not None:
        return oo
    return Integer(0) if monotone and _quadratic(inner, x) is not None else None


def _at(atom: Expr, end: Expr, x: Symbol) -> Expr | None:
    """The atom's value, or its limit; None where it has a pole."""
    if end not in (oo, -oo):
        value = atom.xreplace({x: end})
        return None if value.has(sympy.zoo, sympy.nan, oo) else value
    if atom == x:
        return end
    if _divides(atom):
        return Integer(0)
    if isinstance(atom, cosh):
        return oo
    inner = _argument(atom, x)
    line, bowl = _linear(inner, x), _quadratic(inner, x)
    slope = line[0] * (1 if end == oo else -1) if line else bowl[0] if bowl else Integer(0)
    low, high = LIMITS[atom.func]
    return high if number(slope) > 0 else low


def _wave(atom: Expr, piece: Piece, x: Symbol) -> list[Place] | None:
    line = _linear(atom.args[0], x)
    if line is None or (piece.lo, piece.hi) != (-oo, oo):
        return None
    top = sympy.pi / 2 if isinstance(atom, sympy.sin) else Integer(0)
    return [
        Place(value, (angle - line[1]) / line[0])
        for value, angle in ((Integer(1), top), (Integer(-1), top + sympy.pi))
    ]


def _largest(
    piece: Piece, atom: Expr, poly: sympy.Poly, places: list[Place], x: Symbol
) -> Part | None:
    """The largest |p(t)| over the range of t; None where it is taken nobody knows where."""
    low, high = (pick(places, key=lambda p: _order(p.value)) for pick in (min, max))
    if any(p.value in (oo, -oo) for p in (low, high)):
        return Part(piece, None, None, False, "unbounded", (atom,))
    found = [Place(poly.eval(p.value), p.at) for p in (low, high)]
    square = None
    if poly.degree() == 2:
        two, one, zero = poly.all_coeffs()
        vertex = -one / (2 * two)
        if number(vertex - low.value) > 0 and number(high.value - vertex) > 0:
            top = zero - one**2 / (4 * two)
            found.append(Place(top, _where(atom, vertex, piece, x)))
            square = top + two * (atom - vertex) ** 2
    best = max(found, key=lambda p: abs(number(p.value)))
    if best.at is None:
        return None
    attained = best.at not in (oo, -oo)
    if square is not None and best is found[-1]:
        return Part(piece, abs(best.value), best.at, attained, "square", (atom, square))
    shown = (atom, low.value, high.value)
    return Part(piece, abs(best.value), best.at, attained, "range", shown)


def _order(value: Expr) -> Expr:
    return value if value in (oo, -oo) else number(value)


def _where(atom: Expr, value: Expr, piece: Piece, x: Symbol) -> Expr | None:
    """The z of the piece at which the atom has a value; None where that is not written down."""
    if atom == x:
        return value
    if _divides(atom):
        return _rooted(atom.base, value ** (1 / atom.exp), piece, x)
    if not _increases(atom, x) or atom.func not in INVERSES:
        return None
    line = _linear(atom.args[0], x)
    inverse = INVERSES[atom.func]
    return (inverse(value) - line[1]) / line[0] if line else None


def _rooted(base: Expr, value: Expr, piece: Piece, x: Symbol) -> Expr | None:
    """The z of the piece at which `αx + β` or `αx² + β` has a value."""
    line, bowl = _linear(base, x), _quadratic(base, x)
    if line is not None:
        return (value - line[1]) / line[0]
    assert bowl is not None  # noqa: S101
    root = sympy.sqrt((value - bowl[1]) / bowl[0])
    return next((at for at in (root, -root) if _inside(at, piece)), None)
