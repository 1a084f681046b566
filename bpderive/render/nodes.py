"""Nodes of index expressions, one function each: symbols, powers, sums, derivatives.

In: a node, the letters in scope, a `Printer`. Out: a piece. Must not know: any format.
"""

from typing import TYPE_CHECKING

from sympy import Function, Integer, KroneckerDelta, Pow, S, Sum, Symbol

from bpderive.equations import SAMPLES
from bpderive.errors import DerivationError
from bpderive.forms.arrays import Leaf
from bpderive.index import Partial, parse_label
from bpderive.notation import DERIVED
from bpderive.render.array_printer import ArrayPrinter
from bpderive.render.letters import Scope, bound_letter
from bpderive.render.pieces import ATOM, HADAMARD, POWER, PRODUCT, SUM, Piece, Place
from bpderive.render.roles import DERIVATIVE, SUMMED
from bpderive.slopes.nodes import at_most, norm, primed

if TYPE_CHECKING:
    from bpderive.render.printer import Printer


def symbol(printer: "Printer", found: Symbol, scope: Scope) -> Piece:
    """A scalar by its reference text, an index, a size, or a letter that stands alone."""
    name = str(found.name)
    if name[-1] == "]":
        label, _, rest = name.partition("[")
        return printer.element(label, tuple(rest[:-1].split(",")))
    letter = scope.get(found)
    if letter is not None:
        return Piece(printer.counter(letter), key=letter)
    if name[0] == "{":
        return Piece(printer.layer_number(parse_label(f"n{name}")[1]))
    if name in printer.notation.letters and _is_quantity(found):
        return printer.element(name, ())
    if found.is_integer:
        return _size(printer, name, own=True)
    return Piece(printer.letter(name), key=name) if len(name) == 1 else _scalar(printer, name)


def _is_quantity(found: Symbol) -> bool:
    """Whether a bare letter is one of the notation's; g and h are of the chain rule."""
    return found == SAMPLES or not (found.is_integer or found.name in DERIVED)


def _scalar(printer: "Printer", name: str) -> Piece:
    """A number of a module, or the size of a layer that says no more of itself: `n0`."""
    base = name.rstrip("}").rstrip("+-0123456789l{")
    if base == "n" and base != name and not printer.notation.general:
        return _size(printer, name, own=False)
    return printer.element(name, ())


def _size(printer: "Printer", name: str, *, own: bool) -> Piece:
    """`n{l}` and `n0`: the size of a layer; `n0`, `h12`: a user's own, called so; `T`, `T{l}`."""
    if len(name) == 1:
        return Piece(printer.size(name), key=name)
    notation = printer.notation
    if name[-1] == "}" or (name[0] == "n" and name[1:].isdigit() and not own):
        base, layer = parse_label(name)
        letter = notation.letters["n"] if base == "n" else printer.size(base)
        return Piece(printer.sized(letter, notation.counted(layer)), key=name)
    base = name.rstrip("0123456789")
    if base == name or not base.replace("_", "").isalpha():
        raise DerivationError(f"no printed form for the symbol {name!r}")
    number = int(name[len(base) :])
    layer = notation.counted(number) if notation.general else number
    return Piece(printer.sized(printer.size(base), layer), key=name)


def raised(printer: "Printer", expr: Pow, scope: Scope) -> Piece:
    """A power, a root, or a quotient."""
    base, exponent = expr.args
    if exponent.is_Rational and exponent.is_negative:
        return printer.multiplied(expr, scope)
    inner = printer.whole(base, scope)
    place = inner.place._replace(plain=False)
    if exponent == S.Half:
        inside = inner._replace(text=printer.signed([inner]))
        return Piece(printer.root(inside), POWER, place, inner.key, tall=inner.tall)
    above = printer.signed([printer.whole(exponent, scope)])
    text = printer.function_power(inner, above) if isinstance(base, Function) else None
    if text is None:
        plain = inner.level == ATOM and not inner.negative
        text = printer.power(inner.text if plain else printer.enclosed(inner).text, above)
    return Piece(text, POWER, place, f"{inner.key}^{above}", tall=inner.tall)


def summed(printer: "Printer", expr: Sum, scope: Scope) -> Piece:
    """A sum over one index or several; over a single value it is the body."""
    body, *limits = expr.args
    signs = []
    for index, _, size in reversed(limits):
        single = size is S.One and not body.has(KroneckerDelta, Partial)
        if single and printer.notation.general:
            body = body.xreplace({index: Integer(1)})
            continue
        letter = scope.get(index) or bound_letter(index, body, scope, printer.notation, size)
        scope = {**scope, index: "1" if single else letter}
        sizes = "" if single else printer.index(size, scope)
        signs += [] if single else [printer.sum_sign(printer.counter(letter), sizes)]
    if not signs:
        return printer.piece(body, scope)
    content, inner = printer.factored(body, scope)
    if abs(content) is not S.One:
        inner = printer.joined([printer.rational(abs(content), scope), inner])
    shown = inner.text if inner.level >= HADAMARD else printer.bracketed(inner)
    place = inner.place._replace(plain=False)
    return inner._replace(
        text=" ".join([*signs, shown]),
        level=PRODUCT,
        place=Place(SUMMED) if printer.notation.general else place,
        negative=inner.negative != bool(content.is_negative),
        tall=True,
        open=True,
        kind="sum",
    )


def derivative(printer: "Printer", expr: Partial, scope: Scope) -> Piece:
    """`∂L/∂z`, not worked out yet."""
    of, by = (printer.piece(arg, scope) for arg in expr.args)
    top, bottom = (Piece(f"{printer.partial}{p.text}", POWER) for p in (of, by))
    at = DERIVATIVE if printer.notation.general else of.place.at
    place = Place(at, down=True)
    return printer.fraction(top, bottom)._replace(place=place, key=of.key + by.key)


def dashed(printer: "Printer", expr: primed, scope: Scope) -> Piece:
    """`(u)'`: a derivative that is not worked out yet."""
    inside = printer.whole(expr.args[0], scope)
    if not isinstance(expr.args[0], Symbol):
        inside = printer.enclosed(inside)
    return inside._replace(text=inside.text + printer.prime, level=ATOM, kind="")


def bounded(printer: "Printer", expr: at_most, scope: Scope) -> Piece:
    """`left ≤ right`."""
    left, right = (printer.signed(printer.parts(arg, scope)) for arg in expr.args)
    return Piece(f"{left} {printer.relations['<=']} {right}", SUM, key=left)


def normed(printer: "Printer", expr: norm, _scope: Scope) -> Piece:
    """`‖W‖`."""
    axes = tuple(Symbol(f"_{axis}") for axis in range(expr.axes))
    inside = ArrayPrinter(printer, {}).leaf(Leaf(axes, expr.label))
    text = printer.bars(inside, double=True)
    return Piece(text, ATOM, inside.place, inside.key, tall=inside.tall)
