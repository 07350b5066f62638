"""`python -m castalia`."""

from castalia.cli.main import run

run()
