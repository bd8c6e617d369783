"""A database of another product than ALERT_SOURCE names: refused, and neither it nor a vendor is touched."""

import json
from collections.abc import Collection

from reconciler.store.database import open_database
from tests.support.harness import World

JSM = {
    "ALERT_SOURCE": "jsm",
    "JSM_SITE_URL": "http://127.0.0.1:9",
    "JSM_API_URL": "http://127.0.0.1:9",
    "JSM_EMAIL": "bot@example.com",
    "JSM_API_TOKEN": "0123456789",
}
COMMANDS = (("run",), ("once",), ("once", "--dry-run"))


def _assert_refused(world: World, owner: str, commands: Collection[tuple[str, ...]], **environ: str) -> None:
    """Each command ends at once, with one line, and has asked nobody."""
    rows, files, seq = world.ask("SELECT * FROM leader"), world.files(), world.seq()
    for command in commands:
        done = world.run(*command, **environ)
        (line,) = (done.stdout + done.stderr).splitlines()
        assert (done.returncode, f"this database mirrors {owner}'s alerts" in line) == (2, True), line
        assert "ALERT_SOURCE: " in line
        assert "run `reconciler migrate --to " in line
    assert world.calls(seq) == []
    assert (world.files(), world.ask("SELECT * FROM leader")) == (files, rows)


def test_a_database_is_used_with_the_product_that_it_first_started_with(both: World) -> None:
    both.raise_alert()
    both.once()
    assert both.ask("SELECT name FROM cursors WHERE name = 'source'") == []
    _assert_refused(both, "Opsgenie", COMMANDS, **JSM)
    found = json.loads(both.run("config", "--json", **JSM).stdout)
    assert "mirrors Opsgenie's alerts" in found["problems"][0]
    database = open_database(both.environment["DATABASE_URL"])
    with database.writing() as unit:
        unit.cursors.save(source="jsm")
    database.close()
    _assert_refused(both, "JSM", COMMANDS[:1])
