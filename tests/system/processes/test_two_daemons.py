"""Two daemons on one database: one works, the other takes over; one that is suspended and resumes does no harm."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from reconciler.sandbox.app import Reply
from reconciler.sandbox.wire import Request
from tests.support.harness import World
from tests.support.postgres import Postgres, name_in

INTERVAL = 2.0
"""Seconds between two attempts of the one that stands by; long, so that a bound of one interval is meaningful."""
MARGIN = 0.75
"""Seconds that an attempt may take on a busy machine until it logs the takeover."""
STANDS_BY = "standing by"
TOOK_OVER = "this one leads now"
NAMES = ("127.0.0.1", "localhost")
"""The host name by which each daemon calls the sandbox, which tells them apart there."""
HOLDER = """
    SELECT pid FROM pg_locks WHERE locktype = 'advisory'
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass
class Spy:
    """Records which daemon has written to a vendor, and when."""

    world: World
    writes: list[tuple[float, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        sandbox = self.world.sandbox
        handle = sandbox.handle

        def spied(request: Request) -> Reply:
            if request.method != "GET" and not request.path.startswith("/control"):
                who = request.headers["host"].partition(":")[0]
                self.writes.append((time.monotonic(), who, request.path))
            return handle(request)

        sandbox.handle = spied  # type: ignore[method-assign]

    def of(self, daemon: int, since: float = 0.0) -> list[str]:
        """The paths that a daemon has written to since."""
        return [path for at, who, path in self.writes if who == NAMES[daemon] and at >= since]


def start(world: World, daemon: int, interval: float) -> None:
    """Start a daemon that the sandbox can tell from the other one."""
    port = world.running.url.rpartition(":")[2]
    world.start(
        **{world.product.api_url: f"http://{NAMES[daemon]}:{port}/{world.product.key}"},
        PAGERDUTY_API_URL=f"http://{NAMES[daemon]}:{port}/pagerduty",
        POLL_INTERVAL_SECONDS=str(interval),
        STALENESS_SECONDS="5",
    )


def two_daemons(world: World, interval: float = 0.5, waiting: float | None = None) -> Spy:
    """The first works; the second stands by and tries to take over every `waiting` seconds."""
    spy = Spy(world)
    start(world, 0, interval)
    world.until(world.is_ready, "the first one's first cycle")
    start(world, 1, waiting or interval)
    world.until(lambda: world.told(STANDS_BY, 1) == 1, "that the second one stands by")
    return spy


def took_over_at(world: World, daemon: int) -> datetime:
    """When this daemon last took over, by its own log."""
    told = [event for event in world.events(daemon) if TOOK_OVER in event["event"]]
    return datetime.fromisoformat(told[-1]["timestamp"])


def test_a_second_daemon_stands_by_and_takes_over_within_one_interval_of_a_kill(
    both: World, tell: Callable[[str], None]
) -> None:
    spy = two_daemons(both, waiting=INTERVAL)
    alert = both.raise_alert()
    both.until(lambda: bool(both.incidents(alert)), "the incident")
    both.pass_cycles(5)
    assert both.told(STANDS_BY, 1) == 1
    assert not spy.of(1)
    done = both.run("once")
    assert done.returncode == 1
    assert done.stderr == "reconciler: another reconciler is at work on this database: let it, or stop it first\n"

    for number in range(5):
        both.raise_alert(f"alert {number}")
    both.until(lambda: len(spy.of(0)) > 1, "that the first one is writing")
    killed = datetime.now(UTC)
    both.daemons[0].kill()
    both.daemons[0].wait()
    both.until(lambda: both.told(TOOK_OVER, 1) == 1, "the takeover")
    took = (took_over_at(both, 1) - killed).total_seconds()  # by its log, so that our polling adds nothing
    tell(f"{both.kind}: takeover {took:.2f} s after kill -9, at an interval of {INTERVAL} s")
    assert took < INTERVAL + MARGIN
    alert = both.raise_alert("the last one")
    both.until(lambda: bool(both.incidents(alert)) and both.is_settled(), "the last incident")
    assert both.audit() == {}


def test_a_stopping_daemon_hands_over_to_the_one_that_stands_by(on_postgres: World) -> None:
    two_daemons(on_postgres)
    on_postgres.daemons[0].send_signal(signal.SIGTERM)
    assert on_postgres.daemons[0].wait(20) == 0
    on_postgres.until(lambda: on_postgres.told(TOOK_OVER, 1) == 1, "the takeover")


def test_a_superseded_daemon_that_resumes_finishes_at_most_the_writes_it_has_claimed(
    on_postgres: World, postgres: Postgres, tell: Callable[[str], None]
) -> None:
    """The server ends the suspended daemon's session, and the other one takes over; then the reverse."""
    on_postgres.settings(latency=0.03)
    spy = two_daemons(on_postgres, interval=0.1)
    for zombie in (0, 1):
        _stop_and_wake(on_postgres, postgres, spy, zombie, tell)
    on_postgres.until(lambda: on_postgres.audit() == {}, "an empty audit")
    for daemon in (0, 1):
        assert on_postgres.told("this is a defect", daemon) == 0


def _stop_and_wake(world: World, postgres: Postgres, spy: Spy, zombie: int, tell: Callable[[str], None]) -> None:
    name, other = name_in(world.environment["DATABASE_URL"]), 1 - zombie
    took_over, stood_by = world.told(TOOK_OVER, other), world.told(STANDS_BY, zombie)
    have = len(spy.of(zombie))
    alerts = [world.raise_alert(f"alert {zombie}.{number}") for number in range(6)]
    world.until(lambda: len(spy.of(zombie)) > have, "that it is writing")
    world.daemons[zombie].send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    claimed = world.standing().get("sent", 0)
    ((session,),) = postgres.run(name, HOLDER)
    postgres.run(name, f"SELECT pg_terminate_backend({session})")
    world.until(lambda: world.told(TOOK_OVER, other) > took_over, "the takeover")
    took = time.monotonic() - stopped
    for alert in alerts:
        world.customer(alert, "notes", text="while it sleeps")
    time.sleep(0.5)
    woke = time.monotonic()
    world.daemons[zombie].send_signal(signal.SIGCONT)
    world.until(lambda: world.told(STANDS_BY, zombie) > stood_by, "that it stands by")
    world.until(world.is_settled, "the rest")
    wrote = len(spy.of(zombie, woke))
    tell(
        f"{world.kind}: takeover {took:.2f} s after the stopped one's session was ended; it had claimed {claimed} "
        f"writes, and made {wrote} of them after it woke up"
    )
    assert wrote <= claimed


def test_a_stopped_process_keeps_its_file_lock_and_the_other_stands_by(world: World) -> None:
    """SQLite cannot tell whether a suspended process resumes, so no daemon works until it does or is killed."""
    spy = two_daemons(world, interval=0.1)
    world.daemons[0].send_signal(signal.SIGSTOP)
    alert = world.raise_alert()
    time.sleep(1.0)
    assert not spy.of(1)
    assert world.told(TOOK_OVER, 1) == 0
    world.daemons[0].send_signal(signal.SIGCONT)
    world.until(lambda: bool(world.incidents(alert)), "the incident")
    assert not spy.of(1)
    world.daemons[0].send_signal(signal.SIGSTOP)
    world.daemons[0].kill()
    world.until(lambda: world.told(TOOK_OVER, 1) == 1, "the takeover")


def test_a_stopped_process_is_shut_out_on_a_server_and_the_other_takes_over(on_postgres: World) -> None:
    """The one that stands by ends the session; what the stopped one tries afterwards is refused."""
    spy = two_daemons(on_postgres, interval=0.5)
    on_postgres.daemons[0].send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    alert = on_postgres.raise_alert()
    on_postgres.until(lambda: on_postgres.told(TOOK_OVER, 1) == 1, "the takeover")
    on_postgres.until(lambda: bool(on_postgres.incidents(alert)), "the incident")
    stood_by = on_postgres.told(STANDS_BY, 0)
    on_postgres.daemons[0].send_signal(signal.SIGCONT)
    on_postgres.until(lambda: on_postgres.told(STANDS_BY, 0) > stood_by, "that it stands by")
    assert not spy.of(0, since=stopped)
    on_postgres.until(lambda: on_postgres.audit() == {}, "an empty audit")
