"""Text in columns: how wide it is, where a line may end, and what no line begins or ends with."""

import pytest

from bpderive.render.columns import columns, filled, padded

WIDTHS = [("", 0), ("abc", 3), ("中文", 4), ("a中b", 4), ("（x）", 5), ("e\u0302", 1), ("w¹", 2)]


@pytest.mark.parametrize(("text", "wide"), WIDTHS)
def test_a_chinese_character_takes_two_columns(text, wide):
    assert columns(text) == wide
    assert columns(padded(text, 9)) == 9


MIXED = "梯度會消失或爆炸（gradient exploding），權重「越大」越明顯；見 relu（ReLU）。"
LINES = [
    ("甲乙丙丁", 4, ["甲乙", "丙丁"]),
    ("甲乙，丙", 4, ["甲", "乙，", "丙"]),
    ("甲乙，丙", 6, ["甲乙，", "丙"]),
    ("甲乙（丙丁）", 6, ["甲乙", "（丙", "丁）"]),
    ("爆炸（gradient exploding）", 13, ["爆炸", "（gradient", "exploding）"]),
    ("爆炸（gradient exploding）", 16, ["爆炸（gradient", "exploding）"]),
    ("用「relu」", 6, ["用", "「relu」"]),
    ("甲「『乙』」", 8, ["甲", "「『乙』」"]),
    ("一 two 三", 5, ["一", "two", "三"]),
    ("one two", 3, ["one", "two"]),
]


@pytest.mark.parametrize(("text", "width", "lines"), LINES)
def test_lines_break_where_they_may(text, width, lines):
    assert filled(text, width).split("\n") == lines


@pytest.mark.parametrize("width", range(1, 60))
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(width):
    lines = filled(MIXED, width, "- ", "  ").split("\n")
    assert "".join(line[2:] for line in lines).replace(" ", "") == MIXED.replace(" ", "")
    assert all(line[:2] == ("- " if at == 0 else "  ") for at, line in enumerate(lines))
    assert not any(line[2:3] in "，。；）」" for line in lines)
    assert not any(line[-1] in "（「" for line in lines)
    longest = columns("exploding），")
    assert max(map(columns, lines)) <= max(width, 2 + longest)
