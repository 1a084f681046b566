"""Files are written whole or not at all, and what somebody edited is kept."""

import errno
import json
import os
import re
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpderive.errors import OutputError
from bpderive.files import COMMENTS, INSIDE, write, write_all


def names(folder):
    return sorted(path.name for path in Path(folder).rglob("*"))


STAMPS = [
    ("a.tex", r"% bpderive:[0-9a-f]{16}"),
    ("a.md", r"<!-- bpderive:[0-9a-f]{16} -->"),
    ("a.py", r"# bpderive:[0-9a-f]{16}"),
    ("a.txt", r"# bpderive:[0-9a-f]{16}"),
    ("noend", r"# bpderive:[0-9a-f]{16}"),
]


@pytest.mark.parametrize(("name", "stamp"), STAMPS)
def test_a_file_is_its_text_and_a_stamp(tmp_path, name, stamp):
    path = tmp_path / name
    assert write(path, "σ'(z)\nδ")
    text = path.read_bytes().decode()
    assert re.fullmatch(rf"σ'\(z\)\nδ\n{stamp}\n", text)
    assert names(tmp_path) == [name]


@given(st.text(max_size=50), st.integers(0, 50))
def test_chunks_give_the_same_bytes(tmp_path_factory, text, cut):
    folder = tmp_path_factory.mktemp("chunks")
    write(folder / "whole.py", text)
    write(folder / "parts.py", (part for part in (text[:cut], text[cut:])))
    assert (folder / "whole.py").read_bytes() == (folder / "parts.py").read_bytes()
    assert not write(folder / "whole.py", text)  # its own stamp is known again


def test_what_was_not_edited_is_replaced(tmp_path):
    path = tmp_path / "a.tex"
    for text in ("one", "", "two\n", "three\n" * 50_000, "four"):
        assert write(path, text)
        assert path.read_text().startswith(text)


def test_what_says_the_same_is_not_touched(tmp_path):
    path = tmp_path / "a.tex"
    write(path, "same")
    os.utime(path, (1, 1))
    assert write(path, "same") is False
    assert path.stat().st_mtime == 1
    assert names(tmp_path) == ["a.tex"]


EDITS = [
    ("a word", lambda data: data.replace(b"text", b"test")),
    ("a line more", lambda data: data + b"more\n"),
    ("no stamp", lambda data: data.rsplit(b"%")[0]),
    ("other line ends", lambda data: data.replace(b"\n", b"\r\n")),
    ("a byte order mark", lambda data: b"\xef\xbb\xbf" + data),
    ("nothing left", lambda _: b""),
    ("another's file", lambda _: b"mine"),
    ("a long file", lambda _: b"mine\n" * 100_000),
    ("half of the stamp", lambda data: data[:-5]),
]


@pytest.mark.parametrize("edit", [edit for _, edit in EDITS], ids=[name for name, _ in EDITS])
def test_an_edited_file_is_kept_unless_forced(tmp_path, edit):
    path = tmp_path / "a.tex"
    write(path, "a text\nof two lines\n")
    path.write_bytes(edit(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(OutputError, match=r"a\.tex.*kept.*--force"):
        write(path, "another text")
    assert path.read_bytes() == before
    assert write(path, "another text", force=True)
    assert write(path, "and again")


def test_one_kept_file_keeps_all(tmp_path):
    mine = tmp_path / "mine.md"
    mine.write_text("mine")
    files = [(tmp_path / "new" / "a.tex", "a"), (mine, "b"), (tmp_path / "c.py", "c")]
    with pytest.raises(OutputError, match=r"mine\.md"):
        write_all(files)
    assert names(tmp_path) == ["mine.md"]
    assert write_all(files, force=True) == (True, True, True)
    assert write_all(files) == (False, False, False)


def failing(*_):
    yield "begun"
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_all_as_it_was(tmp_path):
    old = tmp_path / "old.tex"
    write(old, "old")
    before = old.read_bytes()
    with pytest.raises(OutputError, match=r"second\.py.*No space left on device"):
        write_all([(old, "new"), (tmp_path / "deep" / "er" / "second.py", failing())])
    assert old.read_bytes() == before
    assert names(tmp_path) == ["old.tex"]


def test_an_interrupt_leaves_all_as_it_was(tmp_path):
    def interrupted():
        yield "begun"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "deep" / "a.tex", interrupted())
    assert names(tmp_path) == []


def test_an_unwritable_disk_is_told(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match=r"a\.tex.*Permission denied"):
        write(tmp_path / "deep" / "a.tex", "text")
    monkeypatch.undo()
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_device_is_refused():
    with pytest.raises(OutputError, match="not a regular file"):
        write("/dev/full", "text", force=True)


def bad_paths(folder):
    (folder / "file").write_text("mine")
    (folder / "loop").symlink_to("loop")
    return [
        (folder, "it is a folder"),
        (folder / "file" / "below.tex", "Not a directory"),
        (folder / ("x" * 300), "File name too long"),
        (folder / ("x" * 300) / "a.tex", "File name too long"),
        (folder / "loop", "Too many levels"),
        (f"{folder}/nul\0.tex", "no file name"),
    ]


def test_bad_paths_are_told(tmp_path):
    for path, told in bad_paths(tmp_path):
        before = names(tmp_path)
        with pytest.raises(OutputError, match=told):
            write(path, "text", force=True)
        assert names(tmp_path) == before


def test_text_that_is_no_unicode_is_told(tmp_path):
    with pytest.raises(OutputError, match="not Unicode"):
        write(tmp_path / "a.tex", "\ud800")
    assert names(tmp_path) == []


def test_one_file_is_not_written_twice(tmp_path):
    with pytest.raises(OutputError, match="two texts for one file"):
        write_all([(tmp_path / "a.tex", "1"), (tmp_path / "." / "a.tex", "2")])
    assert names(tmp_path) == []


def test_new_files_have_the_permissions_of_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write(tmp_path / "a.tex", "text")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.tex").stat().st_mode) == 0o640


def test_a_replaced_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "a.tex"
    write(path, "text")
    path.chmod(0o600)
    write(path, "other")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_written_through(tmp_path, exists):
    target, link = tmp_path / "there" / "a.tex", tmp_path / "b.tex"
    target.parent.mkdir()
    link.symlink_to(target)
    if exists:
        write(target, "old")
    write(link, "new")
    assert link.is_symlink()
    assert target.read_text().startswith("new\n% bpderive:")


def test_large_texts_are_not_held_in_memory(tmp_path):
    import tracemalloc

    tracemalloc.start()
    write(tmp_path / "a.tex", ("line\n" * 1000 for _ in range(2000)))
    write(tmp_path / "a.tex", ("line\n" * 1000 for _ in range(2001)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "a.tex").stat().st_size > 10_000_000
    assert peak < 2_000_000


def test_every_comment_is_one_line():
    assert all("\n" not in opening + closing for opening, closing in COMMENTS.values())


INSIDES = [
    ("a.pdf", b"%PDF-1.7\n\xff\xfe startxref of text\nendobj\nstartxref\n12\n%%EOF\n"),
    ("a.ipynb", b'{"metadata": {"language_info": {"name": "python"}}}\n'),
]


@pytest.mark.parametrize(("name", "data"), INSIDES)
def test_what_no_comment_may_end_is_stamped_before_its_mark(tmp_path, name, data):
    path = tmp_path / name
    assert write(path, data)
    head, _, tail = path.read_bytes().rpartition(INSIDE[path.suffix])
    assert tail == data.rpartition(INSIDE[path.suffix])[2]
    assert re.search(rb"bpderive:[0-9a-f]{16}", head)
    assert not write(path, data)
    assert write(path, data.replace(b"of", b"in").replace(b"python", b"r"))
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(OutputError, match="edited since"):
        write(path, data)


def test_a_stamped_notebook_is_json(tmp_path):
    write(tmp_path / "a.ipynb", INSIDES[1][1])
    assert json.loads((tmp_path / "a.ipynb").read_text())["metadata"]["language_info"]
