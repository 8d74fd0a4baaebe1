"""The rungs of the ladder on classes of texts."""

from neuroscope.base.catalogue import Catalogue

RUNGS = Catalogue(__name__, "rung")
