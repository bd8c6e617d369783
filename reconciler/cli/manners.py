"""What all commands have in common for those who read their help: whole sentences, and the exit statuses."""

import os

import click

_ANY = "Exit status: 0 done; 1 something failed; 2 bad usage or configuration."
_EXITS = {
    "run": "Exit status: 0 stopped by a signal; 1 something failed; 2 bad usage or configuration.",
    "once": (
        "Exit status: 0 done; 1 something failed, and stays queued; 2 bad usage or configuration, a refused key "
        "included; 3 with --dry-run --exit-code if the plan is not empty."
    ),
    "status": (
        "Exit status: 0 shown; 1 the database cannot be read; 2 bad usage or configuration; 3 with --exit-code if "
        "something is dead, late, paused or in trouble."
    ),
    "explain": "Exit status: 0 answered; 1 the id is known nowhere; 2 bad usage or configuration.",
    "link": "Exit status: 0 done, or queued; 1 the daemon refuses it; 2 bad usage or configuration.",
    "unlink": "Exit status: 0 done, or queued; 1 the daemon refuses it; 2 bad usage or configuration.",
    "doctor": "Exit status: 0 nothing is bad; 1 something is; 2 bad usage, or the configuration cannot be read.",
    "probe": (
        "Exit status: 0 everything is as assumed; 1 something differs, is not settled or could not be removed; "
        "2 bad usage or configuration, a refused key included."
    ),
    "config": "Exit status: 0 it can be used; 2 bad usage, or something is wrong with it.",
    "current": (
        "Exit status: 0 shown; 1 the database cannot be read, or with --check its schema is behind; 2 bad usage "
        "or configuration."
    ),
    "demo": "Exit status: 0 nothing was lost and nothing was done twice; 1 otherwise.",
}
"""The exit statuses of the commands that have more to say than the others."""


class Group(click.Group):
    """Commands that state their exit statuses, and a list of them in whole sentences."""

    group_class = type

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, which gets its exit statuses as the end of its help."""
        cmd.epilog = cmd.epilog or _EXITS.get(name or cmd.name or "", _ANY)
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands. Click's own ends a sentence where the line does."""
        rows = [(name, _sentence(self.commands[name])) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def colour() -> bool | None:
    """False where colours are not wanted (NO_COLOR) or not known (TERM=dumb), else None: on terminals alone."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def _sentence(command: click.Command) -> str:
    return command.get_short_help_str(limit=10_000)
