"""Languages: complete, chosen by the locale, set right, and added by one TOML file."""

import ast
import re
import tomllib
import unicodedata
from pathlib import Path

import pytest
from test_documents import NETWORKS, formulas_of, katex, needs_katex

import bpderive
from bpderive import document
from bpderive.catalog import CATALOG
from bpderive.document.blocks import Document, Listed, Paragraph, Section, Words
from bpderive.errors import SpecError
from bpderive.forms import FORMS
from bpderive.render import FORMATS, render
from bpderive.render.markdown import FLAVORS
from bpderive.rules import RULES
from bpderive.verify.mistakes import MISTAKES
from bpderive.wording import default_language, languages, load
from bpderive.wording.reading import read

LOCALES = Path(__file__).parent.parent / "templates" / "locale"
ENGLISH = load("en").sentences
HAN = r"[\u3400-\u9fff]"
OTHERS = [name for name in languages() if name != "en"]
CHINESE = [name for name in languages() if load(name).setting.cjk]


@pytest.mark.parametrize("name", languages())
def test_a_language_has_the_sentences_and_slots_of_english(name):
    read(str(LOCALES / f"{name}.toml"), ENGLISH)


@pytest.mark.parametrize("name", OTHERS)
def test_the_order_is_that_of_english(name):
    """So that two files can be read side by side."""
    keys = [key for key in load(name).sentences if not key.startswith("names.")]
    assert keys == [key for key in ENGLISH if key in load(name)]


@pytest.mark.parametrize("name", languages())
def test_names_are_those_of_the_catalogue(name):
    known = {row.name for row in (*CATALOG.activations, *CATALOG.losses)} | FORMS.keys()
    named = {key.removeprefix("names.") for key in load(name).sentences if key[:6] == "names."}
    assert named - known == set()


def test_a_name_is_told_in_the_language_and_else_as_it_is():
    assert load("en").called("half_squared_error") == "half squared error"
    assert load("zh-TW").called("half_squared_error") == "半平方誤差"
    assert load("zh-TW").called("leaky_relu") == "leaky relu"


def test_a_language_of_ones_own_may_name_the_catalogue(tmp_path):
    path, text = tmp_path / "own.toml", (LOCALES / "en.toml").read_text("utf-8")
    path.write_text(f'{text}\n[names]\nmse = "the {{mean}} & more"\n', "utf-8")
    own = load(str(path))
    assert own.called("mse") == "the {mean} & more"
    made = bpderive.derive(bpderive.network("2,1", loss="mse"))
    text = bpderive.notes(made, sections=("operations",), language=str(path)).render("latex")
    assert r"the \{mean\} \& more" in text
    path.write_text(f"{path.read_text('utf-8')}mae = 3\n", "utf-8")
    with pytest.raises(SpecError, match='names, mae: "3" is not a text'):
        load(str(path))


@pytest.mark.parametrize("name", languages())
def test_every_rule_section_and_mistake_has_words(name):
    wanted = {f"rule.{rule.id}" for rule in RULES}
    wanted |= {f"section.{section}" for section in document.SECTIONS}
    wanted |= {f"mistake.{row.id}" for row in MISTAKES}
    assert sorted(key for key in wanted if key not in load(name)) == []


@pytest.mark.parametrize("name", languages())
def test_mathematics_stands_in_slots(name):
    """Signs in the words would not pass through pdflatex when Pandoc sets the Markdown."""
    for key, sentence in load(name).sentences.items():
        assert not set("−×ℓδσΣ∂≤≥") & set(sentence), key


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_has_its_own_punctuation(name):
    """No half-width comma or bracket beside a Chinese character, and no space beside a full one."""
    for key, sentence in load(name).sentences.items():
        assert not re.search(rf"{HAN}\s*[,;:?!()]|[,;:?!()]\s*{HAN}", sentence), key
        assert not re.search(r"\s[，。；：、（）「」？]|[，。；：、（）「」？]\s", sentence), key


@pytest.mark.parametrize("name", CHINESE)
def test_chinese_stands_a_space_apart_from_latin_letters_and_numbers(name):
    for key, sentence in load(name).sentences.items():
        assert not re.search(rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%]{HAN}", sentence), key


# --- No sentence too many ---

SOURCES = sorted((LOCALES.parent.parent / "bpderive").rglob("*.py"))
TEMPLATES = "".join(p.read_text("utf-8") for p in (LOCALES.parent / "document").rglob("*.j2"))


@pytest.fixture(scope="module")
def mentioned():
    """All texts in the sources, and their patterns of texts: `rule.(.*)` for `f"rule.{name}"`."""
    nodes = [node for path in SOURCES for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    texts |= set(re.findall('"([a-z_]+)"', TEMPLATES))
    joined = [node.values for node in nodes if isinstance(node, ast.JoinedStr)]
    patterns = {"".join(map(piece, values)) for values in joined}
    return texts, {p for p in patterns if re.match(r"[a-z_]+\\\..*\(", p)}


def piece(value):
    return re.escape(str(value.value)) if isinstance(value, ast.Constant) else "(.*)"


def known(word, texts):
    """Whether the word is a text of the sources, or made of some: `neuron_first`."""
    if texts & {word, f"{word}_", f"_{word}"}:
        return True
    cuts = [k for k, character in enumerate(word) if character == "_"]
    return any(known(word[:k], texts) and known(word[k + 1 :], texts) for k in cuts)


def is_letter(word):
    return any(unicodedata.name(c).lower().endswith(f"letter {word}") for c in GREEK)


GREEK = [chr(code) for code in range(0x3B1, 0x3CA)]


def is_used(key, mentioned):
    texts, patterns = mentioned
    if key in texts or f'"{key}"' in TEMPLATES:
        return True
    if key.startswith("letter."):
        return is_letter(key.removeprefix("letter.")) or key == "letter.l"
    found = (re.fullmatch(pattern, key) for pattern in patterns)
    whole = key.partition(".")[2]
    return any(match is not None for match in found) and known(whole, texts)


def test_no_sentence_is_unused(mentioned):
    assert [key for key in ENGLISH if not is_used(key, mentioned)] == []


@pytest.mark.parametrize("key", ["rule.nonsense", "nonsense.rule", "title.nonsense", "letter.not"])
def test_an_unused_sentence_would_be_found(mentioned, key):
    assert not is_used(key, mentioned)


# --- Which language ---


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "POSIX"}, "en"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_TW"}, "zh-TW"),
        ({"LANG": "zh_TW.UTF-8"}, "zh-TW"),
        ({"LANG": "zh_TW.Big5"}, "zh-TW"),
        ({"LANG": "zh_HK.UTF-8"}, "zh-TW"),
        ({"LANG": "zh_MO.UTF-8"}, "zh-TW"),
        ({"LANG": "zh_Hant_TW.UTF-8"}, "zh-TW"),
        ({"LANG": "zh-Hant-TW"}, "zh-TW"),
        ({"LANG": "zh_TW.UTF-8@radical"}, "zh-TW"),
        # Simplified characters are another script, which bpderive does not write (yet).
        ({"LANG": "zh_CN.UTF-8"}, "en"),
        ({"LANG": "zh_SG.UTF-8"}, "en"),
        ({"LANG": "zh"}, "en"),
        # LC_ALL goes before LC_MESSAGES, and that before LANG; an empty one counts for nothing.
        ({"LC_ALL": "zh_TW.UTF-8", "LANG": "en_US.UTF-8"}, "zh-TW"),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_TW.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_TW.UTF-8"}, "zh-TW"),
        ({"LC_MESSAGES": "zh_TW.UTF-8", "LANG": "en_US.UTF-8"}, "zh-TW"),
        ({"LC_ALL": "C", "LC_MESSAGES": "zh_TW.UTF-8", "LANG": "zh_TW.UTF-8"}, "en"),
        # LANGUAGE is a list, for the words alone; the first of it that there is counts.
        ({"LANGUAGE": "zh_TW:en", "LANG": "en_US.UTF-8"}, "zh-TW"),
        ({"LANGUAGE": "de:zh_TW:en", "LANG": "de_DE.UTF-8"}, "zh-TW"),
        ({"LANGUAGE": "en", "LANG": "zh_TW.UTF-8"}, "en"),
        ({"LANGUAGE": "zh_TW", "LANG": "C"}, "en"),
        ({"LANGUAGE": "zh_TW"}, "zh-TW"),
        ({"LANG": "../../etc"}, "en"),
    ],
)
def test_the_locale_chooses_the_language(environ, language):
    assert default_language(environ) == language


def test_an_unknown_language_is_told():
    with pytest.raises(SpecError, match=r'"zh-tw" \(did you mean "zh-TW"\?\).*en, zh-TW'):
        load("zh-tw")


# --- A third language is one file ---


def copy_of(name, folder, *changes):
    """One of our languages as a user's own file, with some changes."""
    text = (LOCALES / f"{name}.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "mine.toml"
    path.write_text(text, "utf-8")
    return str(path)


GERMAN = (
    ('name = "English"', 'name = "Deutsch"'),
    ('tag = "en"', 'tag = "de"'),
    ('lang = "en"', 'lang = "de"'),
    ('babel = "english"', 'babel = "ngerman"'),
    ('locales = ["en"]', 'locales = ["de"]'),
    ('separator = ", "', 'separator = "; "'),
    ('forward = "Forward pass"', 'forward = "Vorwärts & zurück"'),
    ('stop = "."', 'stop = "!"'),
)


@pytest.fixture(scope="module")
def derivation():
    return bpderive.derive(bpderive.network("2,2,2,1"))


@pytest.mark.parametrize("format_", ["latex", "markdown", "text", "slides"])
def test_a_third_language_needs_one_file(derivation, tmp_path, format_):
    built = document.build(derivation)
    mine = copy_of("en", tmp_path, *GERMAN)
    text = render(built, format_, language=mine)
    assert r"Vorwärts \& zurück" in text or "Vorwärts & zurück" in text
    assert "Forward pass" not in text
    assert "; " in text
    plain = render(built, format_).replace("Forward pass", "")
    assert len(text.splitlines()) == pytest.approx(len(plain.splitlines()), abs=12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('forward = "Forward pass"\n', ""), "section, forward: the sentence is missing"),
        (('[layers]\nrange = "{layer}', '[layers]\nrange = "{lauer}'), r"\{first\} \{last\} \{lay"),
        (('range = "{layer}', 'range = "{layer'), "layers, range: the slots of"),
        (('range = "{layer}', 'range = "{layer.__class__}'), "layers, range: the slots of"),
        (('range = "{layer}', 'range = "{layer!r}'), "layers, range: the slots of"),
        (('range = "{layer}', 'range = "{}'), "layers, range: the slots of"),
        (('line = "{text}"', 'line = 3\ntext = "x"'), 'title, line: "3" is not a text'),
        (('line = "{text}"', 'line = "{text}"\nwrong = "x"'), "title, wrong: English has no such"),
        (("cjk = false", 'cjk = "no"'), "language, cjk: .* neither true nor false"),
        (("cjk = false", ""), "language, cjk: the key is missing"),
        (('tag = "en"', 'tag = "e}n"'), "language, tag"),
        (("serif = []", r'serif = ["x}\\input{y"]'), "language, serif"),
        (('babel = "english"', 'babel = "a,b"'), "language, babel"),
        (('quotes = ["“", "”"]', 'quotes = ["“"]'), "language, quotes"),
        (('name = "English"', 'name = "English"\ncolour = "red"'), 'unknown key "colour"'),
        (("[title]", "[title"), "not TOML"),
        (("[title]", 'lonely = "x"\n[title]'), 'unknown key "lonely"'),
    ],
)
def test_what_is_wrong_with_a_language_is_told(tmp_path, change, message):
    with pytest.raises(SpecError, match=message) as caught:
        load(copy_of("en", tmp_path, change))
    assert "mine.toml" in str(caught.value)


def test_the_line_of_a_mistake_is_told(tmp_path):
    mine = copy_of("en", tmp_path, ('forward = "Forward pass"', 'forward = "{x}"'))
    text = Path(mine).read_text("utf-8")
    line = next(n for n, row in enumerate(text.split("\n"), 1) if row == 'forward = "{x}"')
    with pytest.raises(SpecError, match=f"mine.toml, line {line}, section, forward"):
        load(mine)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x = 1\n" * 200_000, "too long"),
        (b"a.b.c.d.e.f.g = 1", "nested too deeply"),
        (b"x = 1", "a sentence stands outside a table"),
    ],
)
def test_a_file_that_is_no_language_is_told(tmp_path, data, message):
    path = tmp_path / "mine.toml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(SpecError, match=message):
        load(str(path))


# --- Chinese in the formats ---


def test_a_list_has_the_separator_of_its_language(derivation):
    (section,) = (s for s in document.build(derivation).sections if s.id == "weight")
    listed = [item for block in section.blocks for item in getattr(block, "items", ())]
    assert any(isinstance(slot, Listed) for item in listed for slot in item.slots.values())
    assert "w³₁₁、w³₁₂" in render(
        Document(Words("title.self_test"), (section,)), "text", language="zh-TW"
    )


def mathematics(text):
    """The formulas of Chinese Markdown without their words."""
    return [re.sub(r"\\text\{[^{}]*\}", "", formula) for formula, _ in formulas_of(text, "pandoc")]


@pytest.mark.parametrize("network", ["article", "softmax", "symbols", "mixing", "kinks", "deep"])
def test_chinese_stands_in_formulas_as_text_alone(network):
    layers, options = NETWORKS[network]
    derived = bpderive.derive(bpderive.network(layers, **options))
    text = render(document.build(derived), "markdown", language="zh-TW", flavor="pandoc")
    formulas = mathematics(text)
    assert len(formulas) > 30
    assert [f for f in formulas if re.search(rf"{HAN}|[，。、：；「」（）]", f)] == []


@needs_katex
@pytest.mark.parametrize("flavor", FLAVORS)
def test_katex_takes_chinese_in_strict_mode(derivation, flavor):
    text = render(document.build(derivation), "markdown", language="zh-TW", flavor=flavor)
    formulas = formulas_of(text, flavor if flavor in ("github", "pandoc", "myst") else "pandoc")
    assert len(formulas) > 30
    done = katex(formulas)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", languages())
def test_every_format_can_be_written_in_every_language(name):
    built = Document(
        Words("title.self_test"),
        (Section("forward", (Paragraph(Words("forward.scalar")),)),),
    )
    said = load(name).sentences["forward.scalar"].rstrip(":：")
    for row in FORMATS.values():
        if row.finish is None and row.name not in ("html", "notebook"):
            assert said in render(built, row.name, language=name), row.name


def test_the_files_are_toml_with_the_same_tables():
    files = [tomllib.loads((LOCALES / f"{n}.toml").read_text("utf-8")) for n in languages()]
    tables = [[name for name in file if name != "names"] for file in files]
    assert all(table == tables[0] for table in tables)
