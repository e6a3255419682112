"""The array types of the reference: every number is float64, every random word is uint64."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Words = NDArray[np.uint64]
