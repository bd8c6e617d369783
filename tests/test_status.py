"""What `status` shows is named as people name it."""

from dataclasses import replace

from worlds import at, pair

from reconciler import status
from reconciler.store.database import Database
from reconciler.store.troubles import KeptTrouble, save

WORDS = "Opsgenie: GET /v2/alerts/{id}: 403: You are not authorized"


def test_a_trouble_of_one_alert_names_the_alert_and_its_incident(database: Database) -> None:
    known = pair(swept_at=at(0))
    with database.writing() as books:
        books.snapshot.save_pairs([known])
        one = KeptTrouble(f"opsgenie {known.alert_id} Forbidden", at(0), WORDS)
        save(
            books,
            [
                one,
                KeptTrouble("opsgenie", at(0), "Opsgenie: 401"),
                KeptTrouble("opsgenie gone Missing", at(1), "404"),
            ],
        )
    found = status.read(database, "sqlite:///r.db")
    shown = status.as_text(found, 10.0)
    assert f'  #{known.tiny_id} "{known.title}", incident #{known.incident_number}: {WORDS} (for ' in shown
    assert "  Opsgenie: 401 (for " in shown
    assert "  alert gone: 404 (for " in shown
    about = {trouble["subject"]: trouble["about"] for trouble in status.as_data(found)["troubles"]}
    assert (about["opsgenie"], about["opsgenie gone Missing"]) == ("", "alert gone")


def test_what_pagerdutys_trouble_names_lasts_as_long_as_that(database: Database) -> None:
    unpaged = replace(pair(swept_at=at(0)), unpaged="incident #7 is assigned to the automation user alone")
    with database.writing() as books:
        books.snapshot.save_pairs([unpaged])
        save(books, [KeptTrouble("pagerduty", at(5), "PAGERDUTY_USER: nobody is paged")])
    troubles = {trouble.subject: trouble.since for trouble in status.read(database, "sqlite:///r.db").troubles}
    assert troubles == {"pagerduty": at(5), "pages": at(5)}
