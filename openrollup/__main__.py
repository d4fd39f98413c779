"""`python -m openrollup`."""

import sys

from openrollup.cli import main

sys.exit(main())
