"""The rungs of the ladder on word vectors."""

from neuroscope.base.catalogue import Catalogue

RUNGS = Catalogue(__name__, "rung")
