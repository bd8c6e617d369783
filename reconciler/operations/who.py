"""The operator of a command, as the journal names them."""

import getpass
import os
import socket


def operator() -> str:
    """The user and host of this process; a user without a name by its number, as in many containers."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
