r"""Mathematics as MathML (Core), read from the LaTeX that `latex_math` prints.

In: LaTeX of our own printers, which is a small language: each construct has a row in a table here,
and what has none raises. Out: MathML elements. One printer so serves both formats, and what is
printed once, with its line breaks, is the same in both. Must not know: SymPy, what anything means.

Spaces are those of TeX: operators have theirs from MathML's own dictionary, which agrees with it.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from html import escape
from typing import NamedTuple

from bpderive.errors import DerivationError
from bpderive.render import mathml_tables as signs
from bpderive.render.latex_math import OPERATORS

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\d+(?:\.\d+)?|.", re.DOTALL)


class _Node(NamedTuple):
    """One element: its kind is what TeX would call its class."""

    text: str
    kind: str = "ordinary"


@lru_cache(4096)
def mathml(latex: str) -> str:
    """The elements of a formula, without `<math>` around them.

    Raises:
        DerivationError: at a command that has no row here.
    """
    return _Reader(latex).row()


class _Reader:
    """Reads tokens from the first to the last."""

    def __init__(self, latex: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(latex)
        self.at = 0
        self.depth = 0

    @property
    def space_around(self) -> str:
        """Operators in scripts have no space of their own."""
        return signs.NO_SPACE if self.depth else ""

    # --- Rows ---

    def row(self, *ends: str) -> str:
        """Everything up to a closing token."""
        return "".join(node.text for node in self.nodes(*ends))

    def nodes(self, *ends: str) -> list[_Node]:
        """The elements up to a closing token, which is passed over."""
        nodes: list[_Node] = []
        apart = False
        while self.at < len(self.tokens) and self.peek() not in ends:
            if self.peek() in (" ", "\n"):
                self.at, apart = self.at + 1, True
                continue
            node = self.scripted(nodes[-1].kind if nodes else "open")
            if nodes and _parted(nodes[-1], node, apart):
                nodes.append(_Node(_space(signs.SPACES[r"\,"]), "space"))
            nodes.append(node)
            apart = False
        self.at += 1
        return nodes

    def peek(self) -> str:
        return self.tokens[self.at]

    def next(self) -> str:
        """The next token; the space after a command only ends its name."""
        token = self.tokens[self.at]
        self.at += 1
        if token[0] == "\\" and token[1].isalpha() and self.tokens[self.at : self.at + 1] == [" "]:
            self.at += 1
        return token

    def argument(self) -> str:
        """A group in braces, or a single item, as one element."""
        if self.peek() != "{":
            return self.item("open").text
        self.at += 1
        nodes = self.nodes("}")
        inside = "".join(node.text for node in nodes)
        return inside if len(nodes) == 1 else f"<mrow>{inside}</mrow>"

    def name(self) -> str:
        """A group in braces as plain text; it has no braces of its own."""
        end = self.tokens.index("}", self.at)
        text = "".join(self.tokens[self.at + 1 : end])
        self.at = end + 1
        return text

    # --- Items ---

    def scripted(self, before: str) -> _Node:
        """An item with what is raised and lowered; `before` is the kind of what it follows."""
        node = self.item(before)
        if node.kind == "fence" and self.at < len(self.tokens) and self.tokens[self.at] == "'":
            self.at += 1
            node = node._replace(text=f"<msup>{node.text}{signs.TALL_PRIME}</msup>")
        scripts: dict[str, str] = {}
        while self.at < len(self.tokens) and self.tokens[self.at] in ("^", "_"):
            sign = self.next()
            self.depth += 1
            scripts[sign] = self.argument()
            self.depth -= 1
        if not scripts:
            return node
        tag = signs.SCRIPTS[node.kind == "sum"]["".join(sorted(scripts, reverse=True))]
        parts = "".join(scripts[sign] for sign in "_^" if sign in scripts)
        return _Node(f"<{tag}>{node.text}{parts}</{tag}>", node.kind)

    def item(self, before: str) -> _Node:
        token = self.next()
        method = _METHODS.get(token)
        if method is not None:
            return method(self, token, before)
        if token == "{":
            return _Node(f"<mrow>{self.row('}')}</mrow>")
        if _is_number(token):
            return _Node(f"<mn>{token}</mn>")
        if len(token) == 1 and token.isalpha() and token.isascii():
            return _Node(f"<mi>{token}</mi>")
        raise DerivationError(f"no MathML for {token!r}")

    def character(self, token: str, _before: str) -> _Node:
        """A letter by its command; Greek capitals and ∂ stand upright."""
        found = signs.CHARACTERS[token]
        upright = found.isupper() or found in "∂∞"
        return _Node(f"<mi{signs.UPRIGHT if upright else ''}>{found}</mi>")

    def binary(self, token: str, before: str) -> _Node:
        """An operator between two operands, or a sign before one."""
        follows = self.at < len(self.tokens) and self.tokens[self.at] == " "
        first = before in ("open", "operator", "punctuation", "sum")
        if token in "+-" and first and not follows:
            return _Node(f'<mo form="prefix"{signs.NO_SPACE}>{signs.BINARY[token]}</mo>', "open")
        return self.operator(signs.BINARY[token])

    def operator(self, character: str) -> _Node:
        return _Node(f'<mo form="infix"{self.space_around}>{character}</mo>', "operator")

    def relation(self, token: str, _before: str) -> _Node:
        return self.operator(signs.RELATIONS[token])

    def opened(self, token: str, _before: str) -> _Node:
        return _Node(f'<mo form="prefix" stretchy="false">{signs.OPEN[token]}</mo>', "open")

    def closed(self, token: str, _before: str) -> _Node:
        return _Node(f'<mo form="postfix" stretchy="false">{signs.CLOSE[token]}</mo>', "close")

    def space(self, token: str, _before: str) -> _Node:
        return _Node(_space(signs.SPACES[token]), "space")

    def accent(self, token: str, _before: str) -> _Node:
        over = f'<mo stretchy="false">{signs.ACCENTS[token]}</mo>'
        return _Node(f'<mover accent="true">{self.argument()}{over}</mover>')

    def face(self, token: str, _before: str) -> _Node:
        """Upright, sans serif or bold letters; capitals are upright, a number stays one."""
        text = self.name()
        text = signs.CHARACTERS.get(text, text)
        token = r"\mathbf" if token == r"\boldsymbol" and text.isupper() else token
        tag = "mn" if _is_number(text) else "mi"
        return _Node(f"<{tag}{signs.FACES[token]}>{escape(text)}</{tag}>")

    def function(self, token: str, _before: str) -> _Node:
        return _Node(f"<mi{signs.UPRIGHT}>{token[1:]}</mi>", "function")

    def fraction(self, token: str, _before: str) -> _Node:
        small = ' displaystyle="false"' if token == r"\tfrac" else ""
        return _Node(f"<mfrac{small}>{self.argument()}{self.argument()}</mfrac>", "fraction")

    def root(self, _token: str, _before: str) -> _Node:
        return _Node(f"<msqrt>{self.argument()}</msqrt>")

    def sum(self, _token: str, before: str) -> _Node:
        near = ' lspace="0"' if before in ("open", "operator") else ""
        return _Node(f"<mo{near}>∑</mo>", "sum")

    def prime(self, _token: str, _before: str) -> _Node:
        """A prime as high as letters are."""
        return _Node(signs.PRIME)

    def slash(self, token: str, _before: str) -> _Node:
        """A quotient in one line, with no space around its sign."""
        return _Node(f'<mo form="infix"{signs.NO_SPACE}>{token}</mo>')

    def dots(self, _token: str, _before: str) -> _Node:
        return _Node("<mi>…</mi>")

    def comma(self, token: str, _before: str) -> _Node:
        return _Node(f"<mo{self.space_around}>{token}</mo>", "punctuation")

    def words(self, _token: str, _before: str) -> _Node:
        """Text, whose spaces at the ends count."""
        text = self.name()
        inner = text.strip(" ")
        left = "\u00a0" * (len(text) - len(text.lstrip(" ")))
        right = "\u00a0" * (len(text) - len(text.rstrip(" "))) if inner else ""
        return _Node(f"<mtext>{left}{inner}{right}</mtext>", "text")

    def fence(self, _token: str, _before: str) -> _Node:
        """Brackets that grow with what they hold."""
        left = {**signs.OPEN, **signs.CLOSE}[self.next()]
        depth, self.depth = self.depth, 0
        inside = self.row(r"\right")
        self.depth = depth
        right = {**signs.OPEN, **signs.CLOSE}[self.next()]
        edges = (
            f'<mo form="{form}">{c}</mo>' for form, c in (("prefix", left), ("postfix", right))
        )
        return _Node(f"<mrow>{inside.join(edges)}</mrow>", "fence")

    def environment(self, _token: str, _before: str) -> _Node:
        """Rows of cells, with the brackets that belong to them."""
        name = self.name()
        if name not in signs.ENVIRONMENTS:
            raise DerivationError(f"no MathML for the environment {name!r}")
        left, right = signs.ENVIRONMENTS[name]
        cells, rows = list[str](), list[str]()
        while True:
            cell = self.row("&", r"\\", r"\end")
            cells.append(f"<mtd>{cell}</mtd>")
            end = self.tokens[self.at - 1]
            if end != "&":
                rows.append(f"<mtr>{''.join(cells)}</mtr>")
                cells = []
            if end == r"\end":
                break
        self.name()
        table = f'<mtable class="bp-{name}">{"".join(rows)}</mtable>'
        first = f'<mo form="prefix">{left}</mo>' if left else ""
        last = f'<mo form="postfix">{right}</mo>' if right else ""
        return _Node(f"<mrow>{first}{table}{last}</mrow>", "fence")

    def colour(self, _token: str, _before: str) -> _Node:
        """A quantity in the colour of its role."""
        role = self.name()
        return _Node(f'<mrow class="{escape(role)}">{self.argument()}</mrow>')


def _is_number(text: str) -> bool:
    """A number, or what stands for one."""
    return text[0].isdigit() or ord(text[0]) >= signs.BLANK


def _parted(left: _Node, right: _Node, apart: bool) -> bool:
    """Whether a thin space belongs between two elements that have none of their own."""
    if left.kind == "function":
        return right.kind not in ("open", "fence", "space", "operator", "close")
    return apart and left.kind in signs.APART and right.kind in signs.APART - {"close"}


def _space(width: str) -> str:
    return f'<mspace width="{width}"></mspace>'


_ROWS: tuple[tuple[Iterable[str], Callable[[_Reader, str, str], _Node]], ...] = (
    (signs.CHARACTERS, _Reader.character),
    (signs.BINARY, _Reader.binary),
    (signs.RELATIONS, _Reader.relation),
    (signs.OPEN, _Reader.opened),
    (signs.CLOSE, _Reader.closed),
    (signs.SPACES, _Reader.space),
    (signs.ACCENTS, _Reader.accent),
    (signs.FACES, _Reader.face),
    ((rf"\{name}" for name in (*OPERATORS, "arg")), _Reader.function),
    ((r"\frac", r"\tfrac"), _Reader.fraction),
    ((r"\sqrt",), _Reader.root),
    ((r"\sum",), _Reader.sum),
    (("'", r"\prime"), _Reader.prime),
    (("/",), _Reader.slash),
    ((r"\ldots",), _Reader.dots),
    ((",", ";"), _Reader.comma),
    ((r"\text",), _Reader.words),
    ((r"\left",), _Reader.fence),
    ((r"\begin",), _Reader.environment),
    ((r"\textcolor",), _Reader.colour),
)
_METHODS = {token: method for tokens, method in _ROWS for token in tokens}
