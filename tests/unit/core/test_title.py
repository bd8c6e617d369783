"""The template of an incident's title."""

import pytest

from reconciler.core import text, title
from reconciler.core.details import changes
from reconciler.core.model import Kind, Status
from reconciler.core.product import JSM
from tests.support.builders import action, alert, observation, pair, policy

ALERT = alert(message="Disk full", priority="P2", alias="db-1/disk", source="probe", tags=("db", "eu"))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{message}", "Disk full"),
        ("[{priority}] {message}", "[P2] Disk full"),
        ("{message} ({source}, #{tiny_id})", "Disk full (probe, #17)"),
        ("{alias}: {tags}", "db-1/disk: db, eu"),
        ("{{{priority}}} {{message}}", "{P2} {message}"),
    ],
)
def test_a_title_is_its_template_with_the_alerts_values(template: str, expected: str) -> None:
    assert text.title(ALERT, template=template) == expected


def test_a_value_is_not_a_template() -> None:
    named = alert(message="{priority} {{x}} {", source="{message}")
    assert text.title(named, template="{source} {message}") == "{message} {priority} {{x}} {"


def test_every_field_has_a_value_of_its_own() -> None:
    values = {name: text.title(ALERT, template=f"{{{name}}}") for name in title.FIELDS}
    assert len(set(values.values())) == len(title.FIELDS)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{source}", "JSM alert #17"),
        ("[{priority}] {message}", "[P3] JSM alert #17"),
        (" {alias} ", "JSM alert #17"),
    ],
)
def test_a_title_is_never_empty(template: str, expected: str) -> None:
    assert text.title(alert(message=" "), JSM, template) == expected


def test_a_title_is_cut_cleaned_and_no_mark_whatever_its_template() -> None:
    long = text.title(alert(message="x" * 2000), template="[{priority}] {message}")
    assert len(long) == text.TITLE_LIMIT
    assert long.startswith("[P3] xxx")
    posing = text.title(
        alert(message="Jane Doe · note P9] ok", source="a\x1b\nb"), template="{source} [PagerDuty · {message}"
    )
    assert posing == "a b [quoted: PagerDuty · Jane Doe · note P9] ok"


# -- the details in the body --

TOLD = alert(description="9 of 9 GB", details=(("host", "db-1"), ("token", "x"), ("disk", "/var")))


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (None, ["9 of 9 GB", "", "Details:", "  host: db-1", "  token: x", "  disk: /var"]),
        (frozenset({"disk", "host", "other"}), ["9 of 9 GB", "", "Details:", "  host: db-1", "  disk: /var"]),
        (frozenset({"other"}), ["9 of 9 GB"]),
        (frozenset(), ["9 of 9 GB"]),
    ],
)
def test_a_body_has_the_details_that_are_to_be_shown(names: frozenset[str] | None, lines: list[str]) -> None:
    assert text.body(TOLD, names).splitlines()[3:] == lines


def test_details_that_are_not_to_be_shown_do_not_follow_as_a_note() -> None:
    listed = action(Kind.CREATE_INCIDENT, Status.DONE, body=text.body(alert()), result_id="PINC1")
    secret = alert(details=(("token", "x"),))
    seen = observation(pair=pair(), alert=secret, mine=(listed,))
    assert [each.verb for each in changes(seen, policy())] == ["details"]
    assert list(changes(seen, policy(details=frozenset({"host"})))) == []
