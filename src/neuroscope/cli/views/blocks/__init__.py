"""What `look` tells beside the audit: one file a block of its answer, by the block's name."""

from neuroscope.base.catalogue import Catalogue

catalogue = Catalogue(__name__, "block")
