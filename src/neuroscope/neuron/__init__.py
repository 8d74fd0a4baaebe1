"""The neuron core: single neurons and dense networks, written out in plain loops and compiled.

Read it in the order of a training step: `activations`, `losses`, `forward`, `backprop`, `update`,
`descent`; `units` holds the single neurons of 1943 to 1960; `network` ties a dense net together;
`skipgram` learns word vectors.
"""
