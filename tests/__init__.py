"""All tests."""

import os

# Several test processes with as many arithmetic threads as there are cores each stand in each other's way: building the
# demo then takes five times as long. Set here, because it is read when NumPy is first imported.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
