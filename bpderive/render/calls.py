"""Functions as they are written: `σ(z)`, `log a`, `e^{−z}`, `|a − y|`, cases.

In: a function of SymPy, of `functions`, or a named activation; or its name and printed arguments.
Out: a piece. A function that stands in no table raises. Must not know: which format prints.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sympy import Expr, Rational
from sympy.core.function import AppliedUndef

from bpderive.errors import DerivationError
from bpderive.functions import select
from bpderive.render.choice import View, chosen
from bpderive.render.letters import Scope
from bpderive.render.pieces import ATOM, POWER, PRODUCT, SUM, Piece, Place, by_role, merged
from bpderive.render.roles import SLOPE
from bpderive.render.syntax import Syntax

if TYPE_CHECKING:
    from bpderive.render.printer import Printer

PLAIN = frozenset(("sigmoid", "softplus", "tanh", "sinh", "cosh", "sin", "cos", "erf", "sign"))
"""Functions of one argument that are written as their name and brackets."""


def called(printer: "Printer", expr: Expr, scope: Scope) -> Piece:
    """A function of an index expression."""
    if isinstance(expr, select):
        return _selected(printer, expr, scope)
    name = str(expr.func.__name__)
    known = name in PLAIN or name in SPECIAL or isinstance(expr, AppliedUndef)
    if not known:
        raise DerivationError(f"no printed form for the function {name} in {expr}")
    return applied(printer, name, [printer.whole(arg, scope) for arg in expr.args])


def applied(syntax: "Printer", name: str, args: Sequence[Piece]) -> Piece:
    """A function by its name, its arguments printed already."""
    special = SPECIAL.get(name)
    return special(syntax, *args) if special else named(syntax, name, args)


def named(syntax: Syntax, name: str, args: Sequence[Piece]) -> Piece:
    """A function by its symbol and brackets: `σ(z)`; a slope keeps its prime: `σ′(z)`."""
    base = name.rstrip("'")
    symbol = syntax.function(syntax.notation.functions.get(base, base))
    symbol += syntax.prime * (len(name) - len(base))
    text = ", ".join([syntax.signed([arg]) for arg in args])
    tall = any(arg.tall for arg in args)
    place, key = merged(args), "".join([arg.key for arg in args])
    if base != name and syntax.notation.general:
        place = Place(SLOPE)
    level = args[0].level if len(args) == 1 and not args[0].negative else SUM
    whole = syntax.application(symbol, Piece(text, level, tall=tall))
    if syntax.colours and base != name:
        whole = syntax.coloured(whole, "slope")
    return Piece(whole, ATOM, place, key, tall=tall)


def _log(syntax: Syntax, arg: Piece) -> Piece:
    bare = arg.level >= POWER and not arg.negative and arg.kind != "number"
    inside = arg._replace(text=syntax.signed([arg]))
    text = syntax.logarithm(inside, bare=bare)
    return Piece(text, PRODUCT, merged([arg]), arg.key, tall=arg.tall, open=bare)


def _xlogy(syntax: "Printer", x: Piece, y: Piece) -> Piece:
    """`x log y`, which is 0 where x is."""
    factors = [p._replace(negative=False) for p in by_role([x, _log(syntax, y)])]
    return syntax.joined(factors)._replace(negative=x.negative)


def _absolute(syntax: Syntax, arg: Piece) -> Piece:
    text = syntax.bars(arg._replace(text=syntax.signed([arg])))
    return Piece(text, ATOM, merged([arg]), arg.key, tall=arg.tall)


def _total(syntax: Syntax, arg: Piece) -> Piece:
    """The sum over the layer, in a formula that has no indices yet."""
    inside = arg._replace(text=syntax.signed([arg]))
    shown = inside.text if inside.level >= PRODUCT else syntax.bracketed(inside)
    text = f"{syntax.sum_sign('', '')} {shown}"
    return Piece(text, PRODUCT, merged([arg]), arg.key, tall=True, open=True, kind="sum")


SPECIAL: Mapping[str, Callable[..., Piece]] = {
    "exp": lambda syntax, arg: syntax.exponential(arg),
    "log": _log,
    "xlogy": _xlogy,
    "Abs": _absolute,
    "total": _total,
}


# --- select ---


def _selected(printer: "Printer", expr: Expr, scope: Scope) -> Piece:
    """`max(0, z)`, `sign(z)`, or what `choice` makes of it."""
    u, p, q = expr.args
    for name, args in (("max", (p, q)), ("min", (q, p))):
        if args[0] - args[1] == u:
            return extreme(printer, name, [printer.whole(arg, scope) for arg in args])
    if p == 1 and q == select(-u, Rational(-1), Rational(0)):
        return named(printer, "sign", [printer.whole(u, scope)])

    def args_of(node: Any) -> Any:
        return node.args if isinstance(node, select) else None

    view = View(
        args_of, lambda node: printer.parts(node, scope), lambda node: printer.whole(node, scope)
    )
    return chosen(expr, view, printer)


def extreme(syntax: Syntax, name: str, args: Sequence[Piece]) -> Piece:
    """`max(0, z)`: a number first."""
    return named(syntax, name, sorted(args, key=lambda arg: arg.kind != "number"))
