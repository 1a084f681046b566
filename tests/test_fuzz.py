"""No input gives a traceback, takes over 2 s or 500 MB, or is executed: made-up and classical ones.

Each case runs in a guarded process (`fuzz_target`), one after another; a case that it does not
survive is shown, made small by hypothesis, with the place where it was. Time is the process's own
(CPU), so that a busy machine fails nothing.
"""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpderive.catalog import CATALOG
from bpderive.formula import FUNCTIONS
from bpderive.grammar.layers import SPOKEN as LAYER_NAMES
from bpderive.spec import OPTIONS

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")

TARGET = Path(__file__).with_name("fuzz_target.py")


class Guarded:
    """A process that answers cases; a new one when a case has killed it."""

    def __init__(self, folder):
        self.folder, self.process, self.log = folder, None, folder / "stderr.txt"

    def start(self):
        with self.log.open("w") as log:
            return subprocess.Popen(
                [sys.executable, TARGET],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                text=True,
            )

    def __call__(self, target, words):
        self.process = self.process or self.start()
        self.process.stdin.write(json.dumps({"target": target, "words": words}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if line:
            answer = json.loads(line)
            return answer["outcome"], answer["told"]
        code = self.end()
        return "fault", f"killed by signal {-code}\n{self.log.read_text()[-3000:]}"

    def end(self):
        process, self.process = self.process, None
        process.stdin.close()
        process.stdout.close()
        return process.wait()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    process = Guarded(tmp_path_factory.mktemp("fuzz"))
    yield process
    if process.process is not None:
        process.end()


@pytest.fixture
def survives(guarded):
    """The case must be done or refused."""

    def check(target, words):
        outcome, told = guarded(target, words)
        assert outcome in ("done", "refused"), f"{target} {words!r:.2000}: {told}"

    return check


# --- The guards themselves ---

FAULTS = [
    ("exec", "trapped"),
    ("system", "os.system"),
    ("write", "open"),
    ("import", "import this"),
    ("raise", "ZeroDivisionError"),
    ("memory", "MemoryError"),
    ("time", "signal 24"),
]


@pytest.mark.parametrize(("words", "told"), FAULTS)
def test_the_guards_guard(guarded, words, told):
    outcome, shown = guarded("trap", words)
    assert outcome == "fault"
    assert told in shown


# --- Attacks and bombs that are known ---

EXPRESSIONS = [
    "__import__('os').system('touch owned')",
    "z.__class__.__mro__[1].__subclasses__()",
    "(lambda: __import__('os'))()",
    "[c for c in ().__class__.__bases__]",
    "f'{__import__(chr(111))}'",
    "(z := exec)('1')",
    "eval(z)",
    "exec(z)",
    "open(z)",
    "z.real",
    "z[0]",
    "{z}",
    "{z: z}",
    "*z",
    "await z",
    "yield z",
    "z if z else z",
    "b'z'",
    "...",
    "z; z",
    "z\n\nimport os",
    "\f z",
    "z # comment",
    "z \\\n + 1",
    "9**9**9",
    "9**9**9**9*z",
    "(9**32)**32*z",
    "z**z**z",
    "z**9**9",
    "2**(2**(2**(2**z)))",
    "1e999*z",
    "1e-999*z",
    "1e9999999999*z",
    "9" * 400,
    "0x" + "f" * 400,
    "0b1*z",
    "1_0*z",
    "1__0*z",
    "1j*z",
    "nan*z",
    "factorial(z)",
    "gamma(z)",
    "z!",
    "z\0",
    "\ud800",
    "z\u202e1+",
    "\u2066z\u2069",
    "ｚ",
    "z²",
    "z\u00a0+1",
    "\ufeffz",
    "(" * 250 + "z" + ")" * 250,
    "-" * 499 + "z",
    "+" * 499 + "z",
    "~" * 499 + "z",
    "not " * 120 + "z",
    "z" + "+z" * 249,
    "z" + "**z" * 150,
    "z" + "/z" * 240,
    "relu(" * 59 + "z" + ")" * 59,
    "max(z," * 59 + "z" + ")" * 59,
    "abs(log(" * 29 + "z" + "))" * 29,
    "sign(z*" * 59 + "z" + ")" * 59,
    "where(" * 40 + "z" + ">1,z,2)" * 40,
    "sum(" * 59 + "z" + ")" * 59,
    "xlogy(z," * 50 + "z" + ")" * 50,
    "sinh((" * 20 + "z" + ")**0.7)" * 20,
    "tanh(sqrt(" * 20 + "z" + "))" * 20,
    "sqrt(sigmoid(" * 20 + "z" + "))" * 20,
    "tanh(((z+1)**0.7+(z+2)**0.7+(z+3)**0.7)**31)",
    "*".join(f"tanh({i}*z)" for i in range(1, 45)),
    "*".join(f"(z+{i})" for i in range(1, 60)),
    "sqrt(" + "+".join(f"sqrt({i})" for i in range(2, 50)) + ")*z",
    "z/(sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6)))",
    "sin(1e40)**32*z + cos(exp(exp(5)))",
    "((1+1e-39)**32)**32*z",
    "z**(1/99)+z**(1/98)+z**(1/97)+z**(1/96)+z**(1/95)+z**(1/94)",
]


@pytest.mark.parametrize("text", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_attacks_through_a_formula(survives, text):
    survives("activation", text)
    survives("loss", text.replace("z", "a") + "+y")
    survives("toml", f"layers = [2, 3, 1]\nactivation = {json.dumps(text)}")
    if "\0" not in text and len(text) < 300:
        survives("command", ["--layers", "2,2,1", "--activation", text, "--out", "-"])


HUGE = 480_000
DOCUMENTS = {
    "items": "layers = [" + "2," * (HUGE // 2) + "]",
    "wrong items": "layers = [" + "0," * 99_999 + "]",
    "lines": "layers = [\n" + "2,0,\n" * 40_000 + "]\nbias = 3",
    "names": "layers = [" + ",".join(f"{{width=2,activation='a{i}'}}" for i in range(13_000)) + "]",
    "formulas": "layers = ["
    + ",".join(f"{{width=2,activation='z*{i}'}}" for i in range(13_000))
    + "]",
    "tables": "[[layers]]\nwidth = 0\n" * 20_000,
    "keys": "\n".join(f"k{i} = 1" for i in range(40_000)),
    "dotted": "a." * (HUGE // 2) + "a = 1",
    "dotted with spaces": "a . " * (HUGE // 4) + "a = 1",
    "quoted": '"\\"".' * (HUGE // 5) + "a = 1",
    "header": "[" + "a." * (HUGE // 2) + "a]",
    "arrays": "a = " + "[" * HUGE,
    "inline tables": "a = " + "{a=" * (HUGE // 3),
    "a string": f"loss = '{'x' * HUGE}'",
    "escapes": 'loss = "' + "\\u0001" * (HUGE // 6) + '"',
    "quotes": "layers = ['''\n" + '"' + '\\"' * (HUGE // 2) + "\n''', 0]",
    "open quotes": "layers = [\n" + '"\\' * (HUGE // 2),
    "digits": "layers = [" + "1" * HUGE + "]",
    "underscores": "layers = [1" + "_1" * (HUGE // 2) + "]",
    "a float": "layers = [1." + "1" * HUGE + "]",
    "spaces": " " * HUGE + "\nbias = 3\nlayers = [2, 2]",
    "brackets": "[" * 500 + " " * (HUGE - 500) + "\nbias = 3",
    "too long": " " * 600_000,
    "names of keys": "\n".join(f'"\\u202e{i}" = 1' for i in range(20_000)),
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_bombs_of_toml(survives, document):
    survives("toml_bytes", document)


LAYERS = {
    "names": "2" + "".join(f",2:a{i}" for i in range(15_000)),
    "the same name": "2" + ",2:sigmod" * 13_000,
    "repetition": "2" + ",2*100000" * 12_000,
    "colons": ":" * 130_000,
    "stars": "*" * 130_000,
    "digits": "2" * 130_000,
    "commas": "," * 130_000,
    "symbols": "2" + ",n1" * 40_000,
}


@pytest.mark.parametrize("text", LAYERS.values(), ids=LAYERS)
def test_bombs_of_layers(survives, text):
    survives("layers", text)


# --- What hypothesis makes up ---

WIDTHS = st.one_of(
    st.integers(-2, 12).map(str),
    st.sampled_from(["n", "n0", "N", "w1", "1e3", "10**9", "９", "4.5", "", " ", "0", str(10**40)]),
)
NAMES = st.sampled_from([row.name for row in CATALOG.activations])
STRANGE = st.text(alphabet="2,:*n relu\t\0\ud800\u202e[]{}\"'=#.-+()\n", max_size=20)
LOSSES = [row.name for row in CATALOG.losses]


@st.composite
def items(draw):
    item = draw(WIDTHS)
    if draw(st.booleans()):
        item += ":" + draw(st.one_of(NAMES, STRANGE))
    if draw(st.booleans()):
        item += "*" + draw(WIDTHS)
    return item


PIECES = st.sampled_from(
    [*"0123456789nx,:*-.()[]=\n", *LAYER_NAMES, "seq(5)x3", "1x8x8,", "relu", "tie=", ".eq"]
)
LAYER_TEXTS = st.one_of(
    st.lists(PIECES, max_size=25).map("".join),
    st.lists(items(), max_size=6).map(",".join),
    st.lists(st.one_of(items(), STRANGE), max_size=4).map(",".join),
    st.text(max_size=30),
)

NUMBERS = ["0", "1", "2", "0.5", "0.7", "1/3", "-1", "31", "1e30", "1e-30", "pi", "e", "9" * 17]


def formulas(*names):
    """Formulas, most of them right in form and many of them without a sense."""
    one = [name for name, (arity, _) in FUNCTIONS.items() if arity == 1]
    two = [name for name, (arity, _) in FUNCTIONS.items() if arity == 2]
    operators = st.sampled_from(["+", "-", "*", "*", "/", "**"])
    comparisons = st.sampled_from(["<", "<=", ">", ">="])

    def grow(inner):
        return st.one_of(
            st.builds("({})**({})".format, inner, st.sampled_from([*names, *NUMBERS])),
            st.builds("({}){}({})".format, inner, operators, inner),
            st.builds("{}({})".format, st.sampled_from(one), inner),
            st.builds("{}({},{})".format, st.sampled_from(two), inner, inner),
            st.builds("where({}{}{},{},{})".format, inner, comparisons, inner, inner, inner),
        )

    leaf = st.sampled_from([*names, *names, *names, *NUMBERS])
    return st.recursive(leaf, grow, max_leaves=12)


TOKENS = st.lists(
    st.sampled_from([*"zay0123456789.eE_+-*/()<>=, \n", "**", "exp", "log(", "where(", "sum("]),
    max_size=40,
).map("".join)
ACTIVATIONS = st.one_of(formulas("z"), TOKENS, st.text(max_size=30))
LOSS_TEXTS = st.one_of(formulas("a", "y"), TOKENS, st.text(max_size=30))

VALUES = st.recursive(
    st.one_of(
        st.integers(-3, 10**20).map(str),
        st.sampled_from(["true", "false", "nan", "inf", "1e400", "1979-05-27", "07:32:00", "0xff"]),
        st.one_of(NAMES, STRANGE, LAYER_TEXTS, formulas("z")).map(
            lambda text: json.dumps(text.encode("ascii", "replace").decode())
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda values: f"[{', '.join(values)}]"),
        st.builds("{{width = {}, activation = {}, repeat = {}}}".format, inner, inner, inner),
        st.builds("{{{} = {}}}".format, st.sampled_from(["width", "a.b", "width.x"]), inner),
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["layers", "layers", *OPTIONS, "activaton", '"\\u202e"', "a.b", "layers.x", '""']
)
TOML = st.lists(
    st.one_of(
        st.builds("{} = {}".format, KEYS, VALUES),
        st.sampled_from(["[layers]", "[[layers]]", "width = 2", "[a.b]", "# x", "]", '"""', "'''"]),
    ),
    max_size=6,
).map("\n".join)


@st.composite
def mutated(draw):
    """A document with some of its bytes exchanged, as text in Latin-1."""
    data = bytearray(draw(TOML).encode("utf-8", "replace"))
    for at, byte in draw(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=5)):
        data[at % (len(data) + 1) : at % (len(data) + 1) + 1] = bytes([byte])
    return data.decode("latin-1")


REFERENCES = st.one_of(
    st.builds(
        "{}{}[{}]".format,
        st.sampled_from(["w", "b", "z", "a", "delta", "x", "y", "L", "p", "g", "W"]),
        st.sampled_from(["", "0", "1", "2", "3", "999999999", "1" * 30, "-1", "١"]),
        st.sampled_from(
            ["", "1", "1,2", "2,1", "0,1", "9,9", "1,", "1,1,1", "9" * 30, "i,j", "[1]"]
        ),
    ),
    st.text(alphabet="wbzax123[],: δ\0\ud800", max_size=20),
)

# No folder outside of the one that the process stands in is named, and argv holds no null bytes.
PLAIN = st.text(alphabet="z2,:*n relu\t\ud800\u202e[]{}\"'=#+()\n", max_size=12)
FLAGS = (
    "layers spec activation output-activation loss reduction format flavor weight out bias no-bias "
    "rows columns fragment all-weights force quiet help version"
)
COMMANDS = "explain list completion activations losses formats bash zsh -h -- -"
WORDS = st.one_of(
    st.sampled_from([*(f"--{flag}" for flag in FLAGS.split()), *COMMANDS.split()]),
    st.sampled_from(["2,2,1", "2,3:relu,2", "n0,n1", "2,4*3,1", "sigmoid", "relu", "mean", "sum"]),
    st.sampled_from(["latex", "markdown,text", "numpy", "github", "w1[1,1]", "z*tanh(z)", "-1"]),
    st.sampled_from(LOSSES),
    PLAIN,
)
ARGUMENTS = st.one_of(
    st.lists(WORDS, max_size=6),
    st.builds(lambda words: ["--layers", "2,3,2", *words], st.lists(WORDS, max_size=5)),
    st.builds(
        lambda flag, text: ["--layers", "2,2,1", flag, text],
        st.sampled_from(["--activation", "--output-activation", "--loss", "--weight", "--format"]),
        st.one_of(formulas("z").filter(lambda text: "\0" not in text), PLAIN),
    ),
)

FUZZED = [
    ("layers", LAYER_TEXTS, 400),
    ("toml", TOML, 400),
    ("toml_bytes", mutated(), 400),
    ("formula", st.one_of(formulas("z"), TOKENS), 400),
    ("activation", ACTIVATIONS, 120),
    ("loss", LOSS_TEXTS, 120),
    ("reference", REFERENCES, 200),
    ("command", ARGUMENTS, 60),
]
CHECKS = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize(
    ("target", "strategy", "examples"),
    [row for name, strategy, n in FUZZED for row in ((name, strategy, n),)]
    + [
        pytest.param(name, strategy, 20 * n, marks=pytest.mark.long, id=f"{name}-long")
        for name, strategy, n in FUZZED
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_but_an_answer_or_a_refusal(survives, target, strategy, examples):
    @settings(max_examples=examples, suppress_health_check=CHECKS)
    @given(strategy)
    def check(words):
        survives(target, words)

    check()


@pytest.mark.long
@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="atheris is not installed")
def test_guided_by_coverage(tmp_path):
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for number, text in enumerate([*EXPRESSIONS, "2,4:relu*3,1", "layers = [2, 1]\nbias = true"]):
        for parser in range(3):
            data = bytes([parser]) + text.encode("utf-8", "surrogatepass")
            (seeds / f"{number}-{parser}").write_bytes(data)
    limits = ["-runs=50000", "-max_total_time=60", "-timeout=10", "-rss_limit_mb=1500"]
    done = subprocess.run(
        [sys.executable, TARGET, "--atheris", seeds, "-seed=1", "-max_len=600", *limits],
        capture_output=True,
        text=True,
        errors="replace",
        cwd=tmp_path,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
