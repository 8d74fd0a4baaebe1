"""The rungs of the ladder on forecasts."""

from neuroscope.base.catalogue import Catalogue

RUNGS = Catalogue(__name__, "rung")
