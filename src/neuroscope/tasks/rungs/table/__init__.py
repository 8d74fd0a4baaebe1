"""The rungs of the ladder on tables."""

from neuroscope.base.catalogue import Catalogue

RUNGS = Catalogue(__name__, "rung")
