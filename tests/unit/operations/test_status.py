"""Since when the problems that `status` shows have lasted."""

from dataclasses import replace

from reconciler.operations import status
from reconciler.store.database import Database
from reconciler.store.troubles import KeptTrouble, save
from tests.support.builders import at, pair


def test_missing_pages_named_by_a_pagerduty_problem_are_as_old_as_the_problem(database: Database) -> None:
    unpaged = replace(pair(swept_at=at(0)), unpaged="incident #7 is assigned to the automation user alone")
    with database.writing() as unit:
        unit.snapshot.save_pairs([unpaged])
        save(unit, [KeptTrouble("pagerduty", at(5), "PAGERDUTY_USER: nobody is paged")])
    troubles = {trouble.subject: trouble.since for trouble in status.read(database, "sqlite:///r.db").troubles}
    assert troubles == {"pagerduty": at(5), "pages": at(5)}
