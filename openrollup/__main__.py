"""`python -m openrollup`."""

from openrollup.cli import main

main()
