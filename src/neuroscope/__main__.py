"""`python -m neuroscope` is the command `neuroscope`."""

import sys

from neuroscope.cli._main import main

sys.exit(main())
