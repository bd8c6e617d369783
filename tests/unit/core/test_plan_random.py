"""For random inputs a plan is well formed, and the same observation again adds nothing to it."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reconciler.core import text
from reconciler.core.model import (
    Act,
    Action,
    Actor,
    Alert,
    AlertBaseline,
    Incident,
    IncidentBaseline,
    Kind,
    Note,
    Observation,
    Pair,
    Person,
    Receipt,
    Status,
)
from reconciler.core.plan import decide, in_order
from reconciler.core.policy import DecisionInput, Policy
from reconciler.core.readings import is_adoption
from tests.support.builders import BOB, BOT, JANE, OG, PD, SERVICE, T0, after, at

pytestmark = pytest.mark.unmeasured  # what chance covers proves little, and tracing it takes longer than the tests

NAMES = ("", "Ana Ruiz", "Jane Doe", "Jane Doe (PagerDuty)", "a]b[c · d\ne", "\u200b", "{who}", "x" * 300)
WORDS = (
    "",
    "ok",
    "any news?",
    "{detail} {0}",
    "[Opsgenie · Ana Ruiz · 2026-11-23 09:00:05.000Z] any news?",
    "[PagerDuty · Jane Doe · note N1] on it",
    "\x00\n",
    "y" * 26_000,
)
PEOPLE = (BOT, JANE, BOB, SERVICE, Person("", ""), Person("", BOT.name), Person("PX", "{who}"))
PRIORITIES = ("P1", "P3", "P4", "", "urgent")
STATUSES = ("triggered", "acknowledged", "resolved")
VERBS = ("acknowledge", "unacknowledge", "resolve", "reopen", "annotate", "assign", "snooze", "other")


class RandomInputs:
    """Random decision inputs from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - reproducible, not secret

    def happens(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def when(self) -> datetime:
        return at(self.random.choice((-4_000, 0, 1, 5, 5.001, 10, 20, 30, 60, 900)))

    def maybe_when(self) -> datetime | None:
        return self.when() if self.happens() else None

    def person(self) -> Person:
        return self.random.choice(PEOPLE)

    def people(self) -> tuple[Person, ...]:
        return tuple(self.random.sample(PEOPLE, self.random.randrange(3)))

    def name(self) -> str:
        return self.random.choice(NAMES)

    def alert(self, alert_id: str) -> Alert:
        return Alert(
            id=alert_id,
            tiny_id="17",
            message=self.random.choice(WORDS),
            open=self.happens(0.7) if self.happens(0.9) else None,
            acknowledged=self.happens() if self.happens(0.9) else None,
            created_at=self.when(),
            updated_at=self.when(),
            snoozed_until=self.maybe_when(),
            acknowledged_by=self.name(),
            acknowledged_at=self.maybe_when(),
            closed_by=self.name(),
            closed_at=self.maybe_when(),
            priority=self.random.choice(PRIORITIES),
            tags=("t",) if self.happens() else (),
            source=self.name(),
            description=self.random.choice((None, *WORDS)),
            details=(("k", "v"),) if self.happens() else (),
        )

    def incident(self, alert_id: str, number: int = 1) -> Incident:
        return Incident(
            id=f"P{alert_id}" if number == 1 else f"P{alert_id}-{number}",
            number=number,
            status=self.random.choice(STATUSES),
            key=alert_id,
            title="",
            service_id="PSVC",
            created_at=self.when(),
            acknowledgers=self.people(),
            changed_by=self.person() if self.happens() else None,
            changed_at=self.maybe_when(),
            merged_into=f"P{alert_id}-2" if self.happens(0.2) else "",
            urgency=self.random.choice(("high", "low")),
            assignees=self.people() if self.happens() else None,
            expires_at=self.maybe_when(),
        )

    def notes(self, prefix: str) -> tuple[Note, ...] | None:
        if self.happens(0.3):
            return None
        count = self.random.randrange(4)

        def author() -> Person:
            return self.random.choice((self.person(), Person("", self.name())))

        return tuple(
            Note(f"{prefix}{n}", author(), self.random.choice(WORDS), self.when())
            for n in self.random.sample(range(6), count)
        )

    def acts(self) -> tuple[Act, ...]:
        made = [
            Act(
                f"L{n}",
                self.random.choice(VERBS),
                self.when(),
                self.random.choice(tuple(Actor)),
                self.person() if self.happens(0.8) else None,
            )
            for n in range(self.random.randrange(4))
        ]
        return tuple(sorted(made, key=lambda made: made.at, reverse=True))

    def pair(self, alert_id: str) -> Pair | None:
        if self.happens(0.25):
            return None
        base = AlertBaseline(
            self.happens(0.8),
            self.happens(),
            self.when(),
            self.maybe_when(),
            self.random.choice(PRIORITIES),
            self.when() if self.happens(0.2) else None,
            self.happens(0.1),
        )
        unexplained = self.when() if self.happens(0.2) else None
        known = Pair(alert_id, "17", self.happens(0.8), base, unexplained_since=unexplained)
        if self.happens(0.3):
            return known
        held = IncidentBaseline(
            self.random.choice(STATUSES), self.people(), self.name(), self.maybe_when(), self.maybe_when()
        )
        return replace(known, tracked=True, incident_id=f"P{alert_id}", incident_number=1, pagerduty=held)

    def mine(self, alert_id: str, start: int) -> tuple[Action, ...]:
        return tuple(
            Action(
                key=f"{n}",
                kind=self.random.choice(tuple(Kind)),
                alert_id=alert_id,
                reason="",
                at=self.when(),
                mark=self.random.choice(WORDS[4:6]),
                text=self.random.choice(WORDS),
                id=n,
                status=self.random.choice(tuple(Status)),
                attempts=self.random.randrange(25),
                sent_at=self.maybe_when(),
                failing_since=self.maybe_when(),
                result_id=self.random.choice(("", "N1", "O1")),
                plain=self.happens(0.2),
            )
            for n in range(start, start + self.random.randrange(4))
        )

    def observation(self, number: int) -> Observation:
        alert_id = f"a-{number}"
        mine = self.mine(alert_id, number * 10 + 1)
        gone = self.happens(0.1)
        known = self.pair(alert_id)
        notes = [(OG, f"O{n}") for n in range(6)] + [(PD, f"N{n}") for n in range(6)]
        return Observation(
            alert_id=alert_id,
            pair=known,
            tracked=self.happens(0.7),
            since=self.maybe_when(),
            alert=self.alert(alert_id) if self.happens(0.8) and not gone else None,
            incident=self.incident(alert_id) if self.happens(0.7) else None,
            alert_notes=None if gone else self.notes("O"),
            incident_notes=self.notes("N"),
            alert_acts=self.acts(),
            incident_acts=self.acts(),
            known_notes=frozenset(self.random.sample(notes, 4)),
            mine=mine,
            receipts=tuple(
                Receipt(each.id, self.random.choice((True, False, None)), self.maybe_when())
                for each in mine
                if self.happens(0.3)
            ),
            looked=frozenset(self.random.sample(tuple(Kind), self.random.randrange(len(Kind) + 1))),
            missing=gone,
            sees_others=self.happens(0.8),
            successor=self.incident(alert_id, 2) if known and known.incident_id and self.happens(0.2) else None,
            successor_notes=self.notes("N") or (),
            twins=(self.incident(alert_id, 3),) if self.happens(0.1) else (),
            swept=self.happens(),
        )

    def inputs(self) -> DecisionInput:
        rules = Policy(
            on_alert_unacknowledge=self.random.choice(("retrigger", "note")),
            on_alert_close=self.random.choice(("note", "resolve", "ignore")),
            on_pagerduty_ack_timeout=self.random.choice(("mirror", "ignore")),
            on_alert_priority=self.random.choice(("urgency", "note", "ignore")),
            staleness=timedelta(seconds=self.random.choice((1, 120))),
            automation=self.random.choice((BOT, Person("", BOT.name), Person("", ""))),
            guards=frozenset(guard for guard in ("outbox", "author", "mark") if self.happens(0.8)),
        )
        observations = tuple(self.observation(number) for number in range(self.random.randrange(5)))
        return DecisionInput(T0 + timedelta(seconds=self.random.choice((0, 60, 5_000))), rules, observations)


CHUNKS, EACH = 20, 150


def inputs_of(chunk: int) -> list[DecisionInput]:
    return [RandomInputs(chunk * EACH + n).inputs() for n in range(EACH)]


def _is_adopted(observation: Observation) -> bool:
    """Whether it shows a new incident that no creation of ours caused."""
    created = any(a.kind is Kind.CREATE_INCIDENT and a.status.is_open for a in observation.mine)
    return is_adoption(observation) and (observation.pair is None or not created)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_any_input_gives_a_well_formed_plan(chunk: int) -> None:
    for seen in inputs_of(chunk):
        plan = decide(seen)
        assert decide(seen) == plan
        keys = [planned.key for planned in plan.actions]
        assert len(set(keys)) == len(keys)
        assert plan.actions == in_order(plan.actions)
        assert len({pair.alert_id for pair in plan.pairs}) == len(plan.pairs)
        assert len(set(plan.notes)) == len(plan.notes)
        adopted = {observation.alert_id for observation in seen.observations if _is_adopted(observation)}
        by_id = {mine.id: mine for observation in seen.observations for mine in observation.mine}
        assert all(by_id[each.action_id].status.is_open for each in plan.settlements)
        for planned in plan.actions:
            asked = planned.kind.is_note and planned.alert_id in adopted
            assert (planned.status, planned.sent_at) == (
                (Status.SENT, seen.now) if asked else (Status.PLANNED, None)
            )
            assert planned.attempts == 0
            assert planned.person
            assert planned.reason
            assert len(planned.text) <= text.NOTE_LIMIT
            if planned.kind.is_note:
                assert planned.text.startswith(planned.mark)
                there = OG if planned.kind.side is PD else PD
                assert text.is_copy_from(planned.text, there)
            if planned.kind is Kind.CREATE_INCIDENT:
                assert 0 < len(planned.text) <= text.TITLE_LIMIT
                assert text.plain_title(planned.text).strip()


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_state_is_written_to_an_ended_side(chunk: int) -> None:
    for seen in inputs_of(chunk):
        plan = decide(seen)
        after_it = {pair.alert_id: pair for pair in plan.pairs}
        for observation in seen.observations:
            pair = after_it.get(observation.alert_id, observation.pair)
            states = {p.kind for p in plan.actions if p.alert_id == observation.alert_id and p.kind.is_state}
            if pair is None or not states:
                continue
            if not pair.alerts.open:
                assert not {kind for kind in states if kind.side is OG}
            in_doubt = any(mine.status is Status.SENT for mine in observation.mine)
            if pair.pagerduty is not None and pair.pagerduty.status == "resolved" and not in_doubt:
                assert not {kind for kind in states if kind.side is PD}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_the_same_observation_again_plans_nothing_more(chunk: int) -> None:
    for seen in inputs_of(chunk):
        plan = decide(seen)
        again = decide(replace(seen, observations=tuple(after(each, plan) for each in seen.observations)))
        assert {planned.key for planned in again.actions} <= {planned.key for planned in plan.actions}
