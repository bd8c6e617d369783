"""Routes on one key against an oracle: whatever the queries are, and however alerts are retagged while lists lag.

Each alert is taken in by the routes that the rule names: by one, or by all that share. None is passed over.
"""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.routing import Member, recipients
from reconciler.sources.ownership import REMEMBERED_FOR, UNDECIDED_FOR
from tests.support.shared_key import INTERVAL, Account, Key

pytestmark = pytest.mark.unmeasured  # many runs of lines that other tests cover, too: tracing doubles the time

TAGS = ("a", "b", "c", "d")
QUERY = st.sampled_from(["", *(f"tag: {tag}" for tag in TAGS), "tag: a OR tag: b", "NOT tag: c"])
MEMBERS = st.lists(st.tuples(QUERY, st.booleans()), min_size=1, max_size=6)
SOME = st.sets(st.sampled_from(TAGS), max_size=3)
ACTS = st.one_of(
    st.tuples(st.just("raise"), SOME),
    st.tuples(st.just("retag"), SOME, st.integers(0, 9), st.booleans()),
    st.tuples(st.just("poll"), st.integers(0, 5)),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("lag"), st.integers(0, 8)),
    st.tuples(st.just("wait"), st.integers(1, 20)),
)


class World:
    """The routes, and the tags that each alert has had."""

    def __init__(self, drawn: list[tuple[str, bool]]) -> None:
        members = [Member(f"r{place}", query, is_shared) for place, (query, is_shared) in enumerate(drawn)]
        self.key = Key(Account(), members)
        self.raised: list[str] = []
        self.states: Counter[str] = Counter()
        self.key.cycle()

    def act(self, verb: str, *given: object) -> None:
        account = self.key.account
        if verb == "raise":
            (tags,) = given
            made = account.raise_alert(*sorted(tags))  # type: ignore[call-overload]
            self.raised.append(made)
            self.states[made] = 1
        elif verb == "retag" and self.raised:
            tags, number, is_stamped = given
            alert_id = self.raised[number % len(self.raised)]  # type: ignore[operator]
            stored = account._stored(alert_id)
            if stored.now.tags != tuple(sorted(tags)):  # type: ignore[call-overload]
                stamp = {} if is_stamped else {"updated_at": stored.now.updated_at}
                account.alerts.change(stored, account.clock.now(), tags=tuple(sorted(tags)), **stamp)  # type: ignore[call-overload]
                self.states[alert_id] += 1
        elif verb == "poll":
            names = list(self.key.readers)
            self.key.poll(names[given[0] % len(names)])  # type: ignore[operator]
        elif verb == "sweep":
            self.key.sweep()
        elif verb == "lag":
            account.lag = float(given[0])  # type: ignore[arg-type]
        elif verb == "wait":
            account.clock.advance(float(given[0]))  # type: ignore[arg-type]

    def settle(self) -> None:
        """The search catches up; every route polls and sweeps."""
        self.key.account.lag = 0.0
        for _ in range(int(UNDECIDED_FOR // INTERVAL) + 2):
            self.key.cycle()
        self.key.account.clock.advance(REMEMBERED_FOR)
        self.key.sweep()

    def matching(self, alert_id: str) -> list[Member]:
        """The members whose queries show the alert now."""
        return [
            member
            for member in self.key.members
            if any(row.id == alert_id for row in self.key.account.reader_for(member.query).recent_alerts(None))
        ]


@given(MEMBERS, st.lists(ACTS, max_size=25))
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_each_alert_is_taken_in_by_those_that_the_rule_names_and_by_nobody_else(
    drawn: list[tuple[str, bool]], acts: list[tuple[object, ...]]
) -> None:
    world = World(drawn)
    for verb, *given_ in acts:
        world.act(str(verb), *given_)
    world.settle()
    shared = {member.name for member in world.key.members if member.is_shared}
    for alert_id in world.raised:
        takers = world.key.of(alert_id)
        assert len(takers) == len(set(takers))
        matching = world.matching(alert_id)
        assert set(recipients(matching, takers)) <= set(takers), "nobody is passed over"
        assert len(set(takers) - shared) + bool(set(takers) & shared) <= world.states[alert_id]
        if world.states[alert_id] == 1:
            assert takers == [] if not matching else sorted(takers) == sorted(recipients(matching))


@given(MEMBERS, st.lists(SOME, min_size=1, max_size=8), st.integers(0, 8))
@settings(max_examples=80, deadline=None, derandomize=True, database=None)
def test_an_alert_is_taken_in_within_two_cycles_of_its_being_listed(
    drawn: list[tuple[str, bool]], alerts: list[set[str]], lag: int
) -> None:
    world = World(drawn)
    world.key.account.lag = float(lag)
    for tags in alerts:
        world.act("raise", tags)
        world.key.account.clock.advance(1)
    world.key.account.clock.advance(lag)
    world.key.cycle()
    world.key.cycle()
    for alert_id in world.raised:
        assert sorted(world.key.of(alert_id)) == sorted(recipients(world.matching(alert_id)))
    assert world.key.account.clock.now() - world.key.account.clock.start < timedelta(hours=2)
