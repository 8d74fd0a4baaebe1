"""The rungs of text making."""

from neuroscope.base.catalogue import Catalogue

RUNGS = Catalogue(__name__, "rung")
