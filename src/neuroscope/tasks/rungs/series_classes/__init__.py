"""The rungs of the ladder on classes of sequences."""

from neuroscope.base.catalogue import Catalogue

RUNGS = Catalogue(__name__, "rung")
