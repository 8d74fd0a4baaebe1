"""The one product that costs: out = left @ right, for small and for large layers.

The textbook's three loops are

    for i in rows: for p in inner: for j in columns: out[i, j] += left[i, p] * right[p, j]

`matmul` is just these, four rows and four inner steps at a time: each number of `right` that is
loaded serves four rows, each sum that is stored took four products, and the loop over j runs in
the vector unit. On the machines it was measured on, this is as fast as BLAS on one core, and it
never waits for threads of its own: large nets share their batches over cores instead (`lanes`).
"""

from __future__ import annotations

from neuroscope.base.types import Floats1D, Floats2D
from neuroscope.neuron._compile import compiled, compiled_into_caller


@compiled_into_caller
def matmul_left_turned(
    left: Floats2D,  # (n, d)
    first: int,
    last: int,
    right: Floats2D,  # (n, k)
    scratch: Floats1D,  # at least n (last - first) numbers
    out: Floats2D,  # (last - first, k)  written
) -> None:
    """out = (columns first to last of left).T @ right."""
    matmul(_turned(left, first, last, scratch), right, out)


@compiled_into_caller
def matmul_right_turned(
    left: Floats2D,  # (n, k)
    right: Floats2D,  # (d, k)
    scratch: Floats1D,  # at least d k numbers
    out: Floats2D,  # (n, d)  written
) -> None:
    """out = left @ right.T."""
    matmul(left, _turned(right, 0, right.shape[1], scratch), out)


@compiled
def _turned(matrix: Floats2D, first: int, last: int, scratch: Floats1D) -> Floats2D:
    """Return the transpose of columns first to last, laid out in `scratch`."""
    n, k = matrix.shape[0], last - first
    turned = scratch[: n * k].reshape(k, n)
    whole = n - n % 8  # eight rows at a time, else each number would be written far from the last
    for i in range(0, whole, 8):
        for j in range(k):
            row, at = turned[j], first + j
            row[i], row[i + 1] = matrix[i, at], matrix[i + 1, at]
            row[i + 2], row[i + 3] = matrix[i + 2, at], matrix[i + 3, at]
            row[i + 4], row[i + 5] = matrix[i + 4, at], matrix[i + 5, at]
            row[i + 6], row[i + 7] = matrix[i + 6, at], matrix[i + 7, at]
    for i in range(whole, n):
        for j in range(k):
            turned[j, i] = matrix[i, first + j]
    return turned


@compiled
def matmul(
    left: Floats2D,  # (n, d)
    right: Floats2D,  # (d, k)
    out: Floats2D,  # (n, k)  written
) -> None:
    """out = left @ right."""
    n, d = left.shape
    k = right.shape[1]
    whole_rows, whole_inner = n - n % 4, d - d % 4
    out[:] = 0
    for i in range(0, whole_rows, 4):
        z0, z1, z2, z3 = out[i], out[i + 1], out[i + 2], out[i + 3]
        for p in range(0, whole_inner, 4):
            w0, w1, w2, w3 = right[p], right[p + 1], right[p + 2], right[p + 3]
            a00, a01, a02, a03 = left[i, p], left[i, p + 1], left[i, p + 2], left[i, p + 3]
            a10, a11, a12, a13 = (
                left[i + 1, p], left[i + 1, p + 1], left[i + 1, p + 2], left[i + 1, p + 3],
            )  # fmt: skip
            a20, a21, a22, a23 = (
                left[i + 2, p], left[i + 2, p + 1], left[i + 2, p + 2], left[i + 2, p + 3],
            )  # fmt: skip
            a30, a31, a32, a33 = (
                left[i + 3, p], left[i + 3, p + 1], left[i + 3, p + 2], left[i + 3, p + 3],
            )  # fmt: skip
            for j in range(k):
                v0, v1, v2, v3 = w0[j], w1[j], w2[j], w3[j]
                z0[j] += a00 * v0 + a01 * v1 + a02 * v2 + a03 * v3
                z1[j] += a10 * v0 + a11 * v1 + a12 * v2 + a13 * v3
                z2[j] += a20 * v0 + a21 * v1 + a22 * v2 + a23 * v3
                z3[j] += a30 * v0 + a31 * v1 + a32 * v2 + a33 * v3
        for p in range(whole_inner, d):
            for row in range(i, i + 4):
                _add_multiple(left[row, p], right[p], out[row])
    for row in range(whole_rows, n):
        for p in range(d):
            _add_multiple(left[row, p], right[p], out[row])


@compiled
def _add_multiple(factor, vector, out) -> None:
    for j in range(vector.size):
        out[j] += factor * vector[j]
