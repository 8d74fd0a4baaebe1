"""Array types with named axes, checked at run time by the test session only.

Axes: n rows (examples), d features, k outputs or classes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

Floats = Float[np.ndarray, "..."]
Floats1D = Float[np.ndarray, "n"]
Floats2D = Float[np.ndarray, "n k"]
Integers1D = Int[np.ndarray, "n"]
Booleans1D = Bool[np.ndarray, "n"]
Scalar = Any  # one float32 or float64 number inside compiled code
