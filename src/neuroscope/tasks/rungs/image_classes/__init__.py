"""The rungs of the ladder on pictures."""

from neuroscope.base.catalogue import Catalogue

RUNGS = Catalogue(__name__, "rung")
