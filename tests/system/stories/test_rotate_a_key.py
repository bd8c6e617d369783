"""A key is rotated while the daemon runs: nothing is restarted, no page is lost, and neither value is shown."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import World
from tests.support.harness.listener import SHARED, pagerduty_body, signature
from tests.support.harness.vendors import never
from tests.support.launcher import Launched, launch

NEW = "the-second-key-8d2f"
SOON = 15.0
"""Seconds within which a page is made once the right key is in its file; other tests run beside this one."""


def as_file(world: World, name: str, value: str) -> Path:
    """Give this variable as a file."""
    file = world.folder / name.lower()
    file.write_text(f"{value}\n")
    world.environment.pop(name, None)
    world.environment[f"{name}_FILE"] = str(file)
    return file


def key_files(world: World) -> dict[str, Path]:
    """Both keys, each in a file."""
    names = ("PAGERDUTY_API_KEY", "OPSGENIE_API_KEY")
    return {name: as_file(world, name, world.environment[name]) for name in names}


def pages(world: World, message: str) -> None:
    """A new alert is paged soon."""
    alert = world.raise_alert(message)
    world.until(lambda: world.is_paged(alert), message, SOON)


def hides(world: World, *values: str) -> None:
    """None of these is anywhere in the log."""
    assert [value for value in values if value in world.log()] == []


@pytest.mark.parametrize("name", ["PAGERDUTY_API_KEY", "OPSGENIE_API_KEY"])
def test_a_page_that_waits_for_the_new_key_goes_out_within_seconds_of_its_file(world: World, name: str) -> None:
    file = key_files(world)[name]
    old = file.read_text().strip()
    world.start(POLL_INTERVAL_SECONDS="10")
    world.until_ready()
    world.settings(**{f"{name.partition('_')[0].lower()}_key": NEW})
    alert = world.raise_alert()
    world.until(lambda: world.told(": 401: ") > 0, "that the key is refused")
    time.sleep(3)  # the circuit breakers have opened for longer by now
    file.write_text(NEW)
    began = time.monotonic()
    world.until(lambda: world.is_paged(alert), "the page")
    assert time.monotonic() - began < SOON
    world.until(lambda: world.told("works again") > 0, "that it is over")
    assert world.told(f"{name}: its file has changed: the new value is used from now on") == 1
    hides(world, old, NEW)
    assert world.stop() == 0


def test_both_keys_are_replaced_while_no_key_is_accepted_and_nothing_is_lost(world: World) -> None:
    files = key_files(world)
    world.begin()
    pages(world, "before")
    world.settings(pagerduty_key="", opsgenie_key="")  # a sandbox accepts one key at a time: here none
    for name, file in files.items():
        file.write_text(NEW)
        world.until(lambda name=name: world.told(f"{name}: its file has changed") == 1, name, SOON)  # type: ignore[misc]
    world.settings(pagerduty_key=NEW, opsgenie_key=NEW)
    pages(world, "after")
    world.until(lambda: world.is_settled() and world.audit() == {}, "all of it, once")


def test_an_exchanged_link_as_kubernetes_makes_it_is_followed(world: World) -> None:
    """A mounted Secret is `..data/KEY`, and `..data` a link to a folder of the present version."""
    for version, key in (("1", world.environment["PAGERDUTY_API_KEY"]), ("2", NEW)):
        folder = world.folder / f"..version-{version}"
        folder.mkdir()
        file = folder / "key"
        file.write_text(key)
        os.utime(file, (0, 0))
    data, link = world.folder / "..data", world.folder / "key"
    data.symlink_to("..version-1")
    link.symlink_to("..data/key")
    world.environment.pop("PAGERDUTY_API_KEY")
    world.begin(PAGERDUTY_API_KEY_FILE=str(link))
    world.settings(pagerduty_key=NEW)
    swapped = world.folder / "..data_tmp"
    swapped.symlink_to("..version-2")
    swapped.rename(data)
    pages(world, "after the exchange")


def test_a_file_that_cannot_be_used_keeps_the_old_key_and_is_told_without_its_content(world: World) -> None:
    file = key_files(world)["PAGERDUTY_API_KEY"]
    old = file.read_text()
    world.begin()
    told = "PAGERDUTY_API_KEY: "
    wrong = (("two words", "contains white space"), ("", "the file is empty"), (None, "No such file"))
    for content, words in wrong:
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
        world.until(lambda words=words: world.told(words) == 1, words, SOON)  # type: ignore[misc]
        pages(world, f"while {words}")
    errors = [line for line in world.events() if line["event"].startswith(told)]
    assert {line["level"] for line in errors} == {"error"}
    assert all("the value it had before is used" in line["event"] for line in errors)
    file.write_text(old)
    world.until(lambda: world.told("works again") == 1, "that it is over", SOON)
    hides(world, "two words", str(file))


def test_sighup_reads_the_level_of_the_log_and_says_what_needs_a_restart(world: World) -> None:
    files = key_files(world)
    dotenv = world.folder / ".env"
    world.environment.pop("LOG_LEVEL", None)
    dotenv.write_text("LOG_LEVEL=INFO\n")
    world.begin()
    daemon = world.daemons[-1]
    daemon.send_signal(signal.SIGHUP)
    world.until(lambda: world.told("a new value is used of: nothing") == 1, "that nothing has changed", SOON)
    dotenv.write_text("LOG_LEVEL=DEBUG\nON_OPSGENIE_CLOSE=resolve\n")
    files["OPSGENIE_API_KEY"].write_text(NEW)
    world.settings(opsgenie_key=NEW)
    daemon.send_signal(signal.SIGHUP)
    world.until(lambda: world.told("takes effect at the next start only: ON_OPSGENIE_CLOSE") == 1, "it", SOON)
    assert world.told("LOG_LEVEL") == 1
    dotenv.write_text("LOG_LEVEL=LOUD\n")
    daemon.send_signal(signal.SIGHUP)
    world.until(lambda: world.told("SIGHUP: fix this first") == 1, "that the file is wrong", SOON)
    assert world.told("SIGHUP: LOG_LEVEL: ") == 1
    pages(world, "after all of that")
    assert world.stop() == 0


def test_neither_a_daemon_that_starts_nor_a_run_of_once_dies_of_sighup(world: World) -> None:
    def hang_up(process: Launched, times: int) -> None:
        for _ in range(times):
            time.sleep(0.05)
            process.send_signal(signal.SIGHUP)

    hang_up(world.start(), 40)
    assert world.stop() == 0
    world.settings(latency=0.05)
    alerts = [world.raise_alert(f"alert {number}") for number in range(5)]
    with (world.folder / "once.log").open("w+") as log:
        once = launch(["once"], world.env({}), world.folder, log, log)
        hang_up(once, 10)
        assert once.wait(60) == 0
    assert all(map(world.is_paged, alerts))


def test_webhooks_are_checked_against_the_new_secrets(world: World) -> None:
    file = as_file(world, "PAGERDUTY_WEBHOOK_SECRET", "first-signing-secret")
    ours = as_file(world, "OPSGENIE_WEBHOOK_SECRET", SHARED)
    world.open_ready(PAGERDUTY_WEBHOOK_SECRET="", OPSGENIE_WEBHOOK_SECRET="")
    _, incident = world.paired()
    body = pagerduty_body(incident)

    def status(secret: str) -> int:
        signed: Any = {"X-PagerDuty-Signature": signature(body, secret)}
        return world.deliver(incident, **signed).status_code

    assert (status("first-signing-secret"), status("second-signing-secret")) == (202, 401)
    file.write_text("first-signing-secret,second-signing-secret")
    world.until(lambda: status("second-signing-secret") == 202, "the second secret", SOON)
    assert status("first-signing-secret") == 202
    file.write_text("second-signing-secret")
    world.until(lambda: status("first-signing-secret") == 401, "the end of the first secret", SOON)
    ours.write_text("second-shared-secret")
    sent = {"X-Webhook-Secret": "second-shared-secret"}
    world.until(lambda: world.report({}, **sent).status_code != 401, "the second shared secret", SOON)
    hides(world, "first-signing-secret", "second-signing-secret", "second-shared-secret")


def test_a_new_password_of_the_database_is_said_to_need_a_restart(world: World) -> None:
    file = as_file(world, "DATABASE_URL", f"sqlite:///{world.database}")
    world.environment.pop("DATABASE_URL", None)
    world.is_migrated = False
    world.begin()
    file.write_text(f"sqlite:///{world.folder}/other.db")
    world.until(lambda: world.told("DATABASE_URL: its file has changed, which takes effect") == 1, "it", SOON)
    never((world.folder / "other.db").exists, 0.5, "another database")
    pages(world, "still")
