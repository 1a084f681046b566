"""The closed forms of textbooks come out of the rules: compared with what the textbooks print.

The expected sides are written here by hand, from the sources named in each test, in the language
of files of equations.
"""

import re

import pytest
from sympy import Indexed, Integer, Sum, Symbol, expand

from bpderive.backprop.kinds import Kind
from bpderive.backprop.sweep import sweep
from bpderive.catalog import CATALOG
from bpderive.forms.unrolled import unrolled
from bpderive.index import Equation, label_of
from bpderive.locate import templates
from bpderive.modules.reader import read


def swept(name, activation="tanh"):
    text = (templates() / "layers" / f"{name}.eq").read_text("utf-8")
    module = read(text, f"{name}.eq", activation=CATALOG.activation(activation))
    return sweep(Kind(module, (), "S"))


ROWS = (
    # batch normalisation: Ioffe and Szegedy (2015), section 3, with the statistics put in
    (
        "batchnorm0d",
        "x",
        "nc",
        "gamma[c]/sigma[c]*(dd_a[n,c] - sum(m, dd_a[m,c])/N"
        " - xhat[n,c]*sum(m, dd_a[m,c]*xhat[m,c])/N)",
        {"dd_a": "nc", "xhat": "nc", "gamma": "c", "sigma": "c"},
        "index m: N",
    ),
    # layer normalisation: Ba, Kiros and Hinton (2016), supplementary material
    (
        "layernorm",
        "x",
        "nc",
        "1/sigma[n]*(dd_a[n,c]*gamma[c] - sum(d, dd_a[n,d]*gamma[d])/C"
        " - xhat[n,c]*sum(d, dd_a[n,d]*gamma[d]*xhat[n,d])/C)",
        {"dd_a": "nc", "xhat": "nc", "gamma": "c", "sigma": "n"},
        "index d: C",
    ),
    # root mean square normalisation: Zhang and Sennrich (2019), eq. 8
    (
        "rmsnorm",
        "x",
        "nc",
        "1/rho[n]*(dd_a[n,c]*gamma[c] - xhat[n,c]*sum(d, dd_a[n,d]*gamma[d]*xhat[n,d])/C)",
        {"dd_a": "nc", "xhat": "nc", "gamma": "c", "rho": "n"},
        "index d: C",
    ),
    # attention: Dao et al., FlashAttention (2022), appendix B.2
    (
        "attention",
        "u",
        "nts",
        "p[n,t,s]*(dd_p[n,t,s] - sum(r, dd_p[n,t,r]*p[n,t,r]))",
        {"dd_p": "nts", "p": "nts"},
        "index r, s: T",
    ),
    (
        "attention",
        "v",
        "ntd",
        "sum(s, p[n,s,t]*dd_o[n,s,d])",
        {"dd_o": "ntd", "p": "nts"},
        "index s: T",
    ),
    (
        "attention",
        "q",
        "ntd",
        "sum(s, dd_u[n,t,s]*k[n,s,d])/sqrt(D)",
        {"dd_u": "nts", "k": "ntd"},
        "index s: T",
    ),
    (
        "attention",
        "k",
        "ntd",
        "sum(s, dd_u[n,s,t]*q[n,s,d])/sqrt(D)",
        {"dd_u": "nts", "q": "ntd"},
        "index s: T",
    ),
    (
        "attention",
        "p",
        "nts",
        "sum(d, dd_o[n,t,d]*v[n,s,d])",
        {"dd_o": "ntd", "v": "ntd"},
        "index s: T",
    ),
    # transposed convolution: Dumoulin and Visin, A guide to convolution arithmetic (2016), 4
    (
        "conv1d",
        "x",
        "nct",
        "sum(o, k, dd[n,o,(t+P-1-D*(k-1))//S+1]*w[o,c,k])",
        {"dd": "noi", "w": "ock"},
        "size S, P, D",
    ),
    # long short-term memory: Hochreiter and Schmidhuber (1997), in the form of Graves (2013)
    (
        "lstm",
        "c",
        "nth",
        "dd_a[n,t,h]*o[n,t,h]*(1 - r[n,t,h]**2) + dd_c[n,t+1,h]*f[n,t+1,h]",
        {"dd_a": "nth", "o": "nth", "r": "nth", "dd_c": "nth", "f": "nth"},
        "",
    ),
    (
        "lstm",
        "z_f",
        "nth",
        "dd_c[n,t,h]*c[n,t-1,h]*f[n,t,h]*(1 - f[n,t,h])",
        {"dd_c": "nth", "c": "nth", "f": "nth"},
        "",
    ),
    (
        "lstm",
        "z_g",
        "nth",
        "dd_c[n,t,h]*i[n,t,h]*(1 - g[n,t,h]**2)",
        {"dd_c": "nth", "i": "nth", "g": "nth"},
        "",
    ),
    (
        "lstm",
        "U_f",
        "hk",
        "sum(n, t, dd_z_f[n,t,h]*a[n,t-1,k])",
        {"dd_z_f": "nth", "a": "ntk"},
        "index k: H",
    ),
    # back-propagation through time: Werbos (1990)
    (
        "rnn",
        "z",
        "nti",
        "(direct_a[n,t,i] + sum(k, dd[n,t+1,k]*u[k,i]))*(1 - a[n,t,i]**2)",
        {"direct_a": "nti", "dd": "nti", "u": "ik", "a": "nti"},
        "index k: I",
    ),
)


@pytest.mark.parametrize(("layer", "tensor", "letters", "rhs", "tensors", "more"), ROWS)
def test_the_textbook_s_form_comes_out(layer, tensor, letters, rhs, tensors, more):
    found = swept(layer)[tensor].result
    data = ", ".join(f"{name}[{','.join(axes)}]" for name, axes in tensors.items())
    indices = ",".join(letters)
    text = f"{more}\ndata {data}, one[n,y]\nknown[{indices}] = {rhs}\n"
    total = f"sum({indices}, known[{indices}])" if "n" not in letters else f"known[{indices}]"
    free = "n,y" if "n" not in letters else f"{indices},y"
    text += f"output result[{free}] = one[n,y]*{total}\n"
    known = next(e for e in read(text, "textbook").equations if e.label == "known{l}")
    at = tuple(range(2, 2 + len(letters)))  # an inner element, different indices
    shapes = shapes_of(found.rhs, known.rhs)
    ours, theirs = (unrolled(sized(e), at, shapes) for e in (found, known))
    renamed = {
        s: Symbol(s.name.replace("delta", "dd").replace("{l}", "")) for s in ours.free_symbols
    }
    assert expand(ours.xreplace(renamed) - theirs.xreplace(bare(theirs))) == 0, found.rhs
    assert len(theirs.free_symbols) > 2


SIZES = {"N": 3, "C": 4, "T": 7, "D": 2, "I": 4, "H": 4, "K": 2, "O": 2, "S": 2, "P": 1, "J": 5}


def shapes_of(*expressions):
    """Every tensor longer than its indices go here: the forms must agree inside."""
    tensors = (t for expr in expressions for t in expr.atoms(Indexed))
    return {label_of(t): (9,) * len(t.indices) for t in tensors}


def sized(equation):
    """The equation with numbers for its sizes."""
    table = {s: Integer(SIZES[s.name]) for s in equation.rhs.free_symbols if s.name in SIZES}
    return Equation(equation.lhs, written_sizes(equation.rhs, table), equation.sizes)


def written_sizes(expr, table):
    if isinstance(expr, Sum):
        limits = [(k, low, high.xreplace(table)) for k, low, high in expr.limits]
        return Sum(written_sizes(expr.function, table), *limits)
    if not expr.args:
        return table.get(expr, expr)
    return expr.func(*[written_sizes(arg, table) for arg in expr.args])


def bare(expr):
    return {s: Symbol(s.name.replace("{l}", "")) for s in expr.free_symbols}


@pytest.mark.parametrize("layer", ["batchnorm0d", "batchnorm1d", "batchnorm2d", "layernorm"])
def test_the_mean_s_term_vanishes_by_a_rule_with_a_reason(layer):
    rules = [step.rule for step in swept(layer)["mu"].steps]
    assert "centred" in rules


def test_nothing_is_written_out_for_a_layer():
    """No rule, and nothing of the engine, knows the name of a layer."""
    from pathlib import Path

    import bpderive

    package = Path(bpderive.__file__).parent
    words = re.compile(r"softmax|attention|lstm|batch.?norm|layer.?norm|pool", re.IGNORECASE)
    for folder in ("rules", "backprop"):
        for path in sorted((package / folder).glob("*.py")):
            code = re.sub(r'""".*?"""|#.*', "", path.read_text("utf-8"), flags=re.DOTALL)
            assert not words.search(code), path.name
