"""Linear equations of a symmetric, positive matrix, in plain Python: enough for some sixty unknowns
and nothing that needs a library."""

import math
from collections.abc import Sequence


def solve(matrix: Sequence[Sequence[float]], right: Sequence[float]) -> list[float]:
    """x of `matrix` x = `right`, by Cholesky's factors. Raises ValueError when the matrix is not
    positive definite."""
    lower = factor(matrix)
    size = len(right)
    forward = [0.0] * size
    for i in range(size):
        known = math.fsum(lower[i][j] * forward[j] for j in range(i))
        forward[i] = (right[i] - known) / lower[i][i]
    found = [0.0] * size
    for i in reversed(range(size)):
        known = math.fsum(lower[j][i] * found[j] for j in range(i + 1, size))
        found[i] = (forward[i] - known) / lower[i][i]
    return found


def factor(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """The lower triangle L with L L' = `matrix`."""
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        row = lower[i]
        for j in range(i + 1):
            other = lower[j]
            rest = matrix[i][j] - sum(row[k] * other[k] for k in range(j))
            if i != j:
                row[j] = rest / other[j]
            elif rest <= 0:
                raise ValueError("the matrix is not positive definite")
            else:
                row[i] = math.sqrt(rest)
    return lower
