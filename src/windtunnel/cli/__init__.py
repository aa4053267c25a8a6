"""The command line: argument parsing only; one function call per command."""

from __future__ import annotations

import sys

MISTAKE = 2


def main() -> None:
    """The `windtunnel` command. A user's mistake prints its message without a traceback and exits 2."""
    from windtunnel.errors import WindtunnelError

    try:
        from windtunnel.cli.commands import app

        app()
    except WindtunnelError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  # the one place that prints errors
        sys.exit(MISTAKE)
    except BrokenPipeError:
        sys.exit(0)
