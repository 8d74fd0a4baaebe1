"""Logic gates from neurons of 1943: weights and thresholds set by hand, nothing learned.

Run it: python examples/logic_gates.py
"""

from __future__ import annotations

from neuroscope.neuron.units import McCullochPittsNeuron, gate

PAIRS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def main() -> None:
    """Print the truth tables of the gates and of two neurons that are no gate."""
    gates = ("AND", "OR", "NOR", "AND NOT")
    print("a b   " + "  ".join(gates))
    for pair in PAIRS:
        answers = (f"{gate(name).fire(pair):^{len(name)}}" for name in gates)
        print(f"{pair[0]} {pair[1]}   " + "  ".join(answers))
    print("\nNOT 0 =", gate("NOT").fire([0]), "  NOT 1 =", gate("NOT").fire([1]))

    majority = McCullochPittsNeuron(threshold=2, excitatory=(0, 1, 2))
    print("\nmajority of 1, 0, 1:", majority.fire([1, 0, 1]))
    guarded = McCullochPittsNeuron(threshold=2, excitatory=(0, 1, 2), inhibitory=(3,))
    print("the same with one inhibitory input on, which vetoes:", guarded.fire([1, 0, 1, 1]))


if __name__ == "__main__":
    main()
