"""A routes file of any number of routes on any number of pairs of keys."""

from pathlib import Path

SECTION = "Routes"
ROUTE = """
[routes.{name}]
query = "tag: {tag}"
service = "{service}"
opsgenie_api_key_file = "opsgenie-{key}"
pagerduty_api_key_file = "pagerduty-{key}"
"""


def name_of(route: int) -> str:
    """The name of a route."""
    return f"r{route:03}"


def tag_of(route: int) -> str:
    """The tag of its alerts."""
    return f"t{route:03}"


def service_of(route: int) -> str:
    """The id of its service in PagerDuty."""
    return f"PSVC{route + 1:03}"


def routes_file(folder: Path, routes: int, keys: tuple[tuple[str, str], ...]) -> Path:
    """Write the file, and one file for each key. `keys` are pairs of Opsgenie's and PagerDuty's, used in turn."""
    folder.mkdir(exist_ok=True)
    for number, (opsgenie, pagerduty) in enumerate(keys):
        for side, key in (("opsgenie", opsgenie), ("pagerduty", pagerduty)):
            secret = folder / f"{side}-{number}"
            secret.touch(mode=0o600)
            secret.write_text(key)
    file = folder / "routes.toml"
    file.write_text(
        "".join(
            ROUTE.format(name=name_of(n), tag=tag_of(n), service=service_of(n), key=n % len(keys))
            for n in range(routes)
        )
    )
    return file
