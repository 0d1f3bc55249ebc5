"""``python -m parlour``."""

from parlour.cli.main import run

run()
