"""The ladder of translation."""

from neuroscope.base.catalogue import Catalogue

RUNGS = Catalogue(__name__, "rung")
