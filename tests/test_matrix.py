"""Index expressions as matrices, against the same expressions element by element."""

import random
from itertools import product

import pytest
import sympy
from networks import close

from bpderive.errors import UnsupportedError
from bpderive.forms.matrix import matrix_of
from bpderive.functions import select, sigmoid, xlogy
from bpderive.index import Equation, size_symbol, sum_over
from bpderive.verify.arithmetic import MP
from bpderive.verify.evaluate import Numbers

SHAPES = {"n": 2, "m": 3, "p": 4}
n, m, p = (size_symbol(size) for size in SHAPES)
i, j, k, l = (sympy.Symbol(letter, integer=True) for letter in "ijkl")
A, B, D, u, v = map(sympy.IndexedBase, "ABDuv")  # n×p, p×m, n×m, n, m


@pytest.mark.parametrize(
    ("rhs", "free"),
    [
        (u[i] * v[j], (i, j)),
        (u[i] * v[j], (j, i)),
        (sum_over(A[i, k] * B[k, j], k, p), (i, j)),
        (sum_over(A[i, k] * B[k, j], k, p) * v[j] + u[i], (i, j)),
        (sum_over(A[i, k] * sum_over(D[i, j] * B[k, j], j, m), i, n), (k,)),
        (u[l] * sum_over(u[i] * v[j], i, n), (l, j)),
        (u[i] + v[j] * sum_over(sum_over(A[l, k] * u[l], k, p), l, n), (i, j)),
        (v[j] * sum_over(u[i] ** 2, i, n) + 2, (j,)),
        (sum_over(sigmoid(u[i] + v[j]), j, m) - 1, (i,)),
        (select(u[i] - v[j], u[i], 3), (i, j)),
        (select(u[i], sigmoid(u[i]), u[i] ** 2) * v[j], (i, j)),
        (xlogy(v[j] ** 2, u[i] ** 2), (i, j)),
    ],
    ids=str,
)
def test_matrix_of_an_index_expression(rhs, free):
    numbers = random.Random(5)
    ranges = {"A": (2, 4), "B": (4, 3), "D": (2, 3), "u": (2, 1), "v": (3, 1)}
    matrices = {
        name: [[MP.mpf(numbers.randint(-50, 50)) / 17 for _ in range(columns)] for _ in range(rows)]
        for name, (rows, columns) in ranges.items()
    }
    tensors = {
        name: {
            (r, c) if name in "ABD" else (r,): value
            for r, row in enumerate(matrix, 1)
            for c, value in enumerate(row, 1)
        }
        for name, matrix in matrices.items()
    }
    sizes = tuple({i: n, l: n, j: m, k: p}[index] for index in free)
    equation = Equation(sympy.Indexed("T", *free), rhs, sizes)
    found = Numbers({}, SHAPES, matrices)(matrix_of(equation))
    values = Numbers(tensors, SHAPES)
    rows, columns = (*(SHAPES[str(size)] for size in sizes), 1)[:2]
    assert (len(found), len(found[0])) == (rows, columns)
    for r, c in product(range(rows), range(columns)):
        at = dict(zip(free, (r + 1, c + 1), strict=False))
        assert close(found[r][c], values(rhs, at))


@pytest.mark.parametrize(
    "rhs",
    [
        sum_over(sympy.Indexed("C", i, j, k) * v[k], k, m),
        u[i] * sum_over(sum_over(A[l, k] * B[k, j], k, p), l, n) ** 2,
    ],
    ids=str,
)
def test_an_array_of_three_indices_has_no_matrix(rhs):
    with pytest.raises(UnsupportedError):
        matrix_of(Equation(sympy.Indexed("T", i, j), rhs, (n, m)))
