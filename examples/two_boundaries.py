"""A region between two lines: one boundary a perceptron, and an AND on top.

Rows belong to the band 1 <= x + y <= 3. No straight line cuts it out; two perceptrons learn one
edge each with the perceptron rule, and a McCulloch-Pitts AND joins them.

Run it: python examples/two_boundaries.py
"""

from __future__ import annotations

import numpy as np

from neuroscope.neuron.units import PERCEPTRON, gate, learn_rows, weighted_sums


def fitted(x: np.ndarray, y: np.ndarray, epochs: int = 200) -> np.ndarray:
    """Learn weights and bias with the perceptron rule; y is -1 or 1."""
    theta, met, rng = np.zeros(3), np.empty(len(x)), np.random.default_rng(0)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        learn_rows(PERCEPTRON, theta, x, y, np.ones(len(x)), order, 0.1, 0.0, met)
    return theta


def fires(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Answer 1 on the one side of the boundary and 0 on the other."""
    z = np.empty(len(x))
    weighted_sums(theta, x, z)
    return (z >= 0).astype(int)


def main() -> None:
    """Compare one perceptron with two and an AND on the same rows, and draw the region."""
    x = np.random.default_rng(1).uniform(-1, 4, (600, 2))
    x = x[np.abs(np.abs(x.sum(axis=1) - 2) - 1) > 0.1]  # a small gap at both edges
    total = x.sum(axis=1)
    inside = (total > 1) & (total < 3)

    one = fires(fitted(x, np.where(inside, 1.0, -1.0)), x)
    print(f"one perceptron:            {np.mean(one == inside):.0%} of {len(x)} rows right")
    lower = fitted(x, np.where(total > 1, 1.0, -1.0))
    upper = fitted(x, np.where(total < 3, 1.0, -1.0))

    def band(points: np.ndarray) -> list[int]:
        sides = zip(fires(lower, points), fires(upper, points), strict=True)
        return [gate("AND").fire(pair) for pair in sides]

    print(f"two boundaries and an AND: {np.mean(np.array(band(x)) == inside):.0%} right\n")
    for height in np.linspace(4, -1, 11):
        line = band(np.column_stack([np.linspace(-1, 4, 31), np.full(31, height)]))
        print(" ".join("#" if bit else "." for bit in line))


if __name__ == "__main__":
    main()
