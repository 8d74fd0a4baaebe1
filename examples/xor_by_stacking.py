"""XOR: one perceptron cannot, three can (Minsky and Papert 1969).

Two perceptrons learn OR and NAND from the inputs; a third learns AND from their two answers.

Run it: python examples/xor_by_stacking.py
"""

from __future__ import annotations

import numpy as np

from neuroscope.neuron.units import PERCEPTRON, learn_row, weighted_sums

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
XOR = np.array([-1.0, 1.0, 1.0, -1.0])  # a perceptron says -1 and 1, not 0 and 1


def fitted(x: np.ndarray, y: np.ndarray, epochs: int = 25) -> np.ndarray:
    """Learn weights and bias with the perceptron rule, row after row."""
    theta = np.zeros(x.shape[1] + 1)
    for _ in range(epochs):
        for row in range(len(x)):
            learn_row(PERCEPTRON, theta, x, row, y[row], 1.0, 0.0)
    return theta


def answers(theta: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Answer 1 where the weighted sum is 0 or more, else -1."""
    z = np.empty(len(x))
    weighted_sums(theta, x, z)
    return np.where(z >= 0, 1.0, -1.0)


def main() -> None:
    """Show that one perceptron fails and that two layers succeed."""
    alone = answers(fitted(INPUTS, XOR, epochs=1000), INPUTS)
    print(f"one perceptron after 1000 epochs: {int((alone == XOR).sum())} of 4 right")

    either = fitted(INPUTS, np.array([-1.0, 1.0, 1.0, 1.0]))  # OR
    not_both = fitted(INPUTS, np.array([1.0, 1.0, 1.0, -1.0]))  # NAND
    hidden = np.column_stack([answers(either, INPUTS), answers(not_both, INPUTS)])
    stacked = answers(fitted(hidden, XOR), hidden)  # AND of the two, learned as well
    print(f"stacked perceptrons:              {int((stacked == XOR).sum())} of 4 right\n")
    print(" a  b   OR NAND   XOR")
    for x, h, answer in zip(INPUTS, hidden, stacked, strict=True):
        print(f"{x[0]:2.0f} {x[1]:2.0f} {h[0]:4.0f} {h[1]:4.0f} {answer:5.0f}")


if __name__ == "__main__":
    main()
