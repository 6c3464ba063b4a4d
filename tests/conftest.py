"""What holds for all tests: their process has garbage collector settings of its own, which htag leaves alone."""

import gc

gc.set_threshold(1000, 10, 10)
