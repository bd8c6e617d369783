"""What is said of all routes together: overlaps, services with two keys, routes that no file names."""

from collections.abc import Sequence

import pytest
from pydantic import SecretStr

from reconciler.errors import ReconcilerError, Transient
from reconciler.operations.doctor_together import MOST, together
from reconciler.operations.findings import Finding, Verdict
from reconciler.settings import Settings
from reconciler.sources.overlaps import Overlap
from tests.support.builders import alert
from tests.support.in_process import settings


def overlap(count: int = 3, *, both: bool = False, other: str = "search") -> Overlap:
    return Overlap("shop", other, count, alert(message="disk full"), both)


def found_of(*overlaps: Sequence[Overlap] | ReconcilerError) -> list[Finding]:
    def find(given: Sequence[Overlap] | ReconcilerError) -> Sequence[Overlap]:
        if isinstance(given, ReconcilerError):
            raise given
        return given

    finds = [lambda each=each: find(each) for each in overlaps]
    return [each for each in together([], (), finds) if each.check == "overlaps"]


def test_an_overlap_names_both_routes_an_example_and_who_pages() -> None:
    (found,) = found_of([overlap()])
    assert found.verdict is Verdict.WARNING
    assert found.found == (
        'shop and search: both queries select 3 alerts of the newest, such as #17 "disk full": shop alone pages, '
        "as the first in the file"
    )
    assert "shared = true" in found.fix


def test_one_that_both_routes_share_is_as_it_should_be() -> None:
    (found,) = found_of([overlap(1, both=True)])
    assert (found.verdict, found.fix) == (Verdict.GOOD, "")
    assert found.found.endswith(
        '1 alert of the newest, such as #17 "disk full": shared, so that both routes page for them'
    )


def test_none_is_said_and_many_are_counted() -> None:
    (found,) = found_of([], [])
    assert (found.verdict, found.found) == (Verdict.GOOD, "no alert among the newest is selected by two routes")
    many = found_of([overlap(other=f"r{number}") for number in range(MOST + 3)])
    assert len(many) == MOST + 1
    assert many[-1].found.startswith("3 further overlaps")


def test_a_key_that_cannot_be_asked_is_a_warning_beside_what_was_found() -> None:
    found = found_of([overlap()], Transient("Opsgenie does not answer; try again"), [overlap(other="never")])
    assert [each.verdict for each in found] == [Verdict.WARNING, Verdict.WARNING]
    assert found[1].found == "not checked: Opsgenie does not answer"


def of(name: str, service: str, key: str, url: str = "https://api.pagerduty.com") -> tuple[str, Settings]:
    changed = {"pagerduty_service_id": service, "pagerduty_api_key": SecretStr(key), "pagerduty_api_url": url}
    return name, settings().model_copy(update=changed)


@pytest.mark.parametrize(
    ("routes", "verdict", "words"),
    [
        ((of("a", "P1", "x"), of("b", "P1", "x")), Verdict.GOOD, "1 service, each used with one key"),
        ((of("a", "P1", "x"), of("b", "P2", "y")), Verdict.GOOD, "2 services, each used with one key"),
        (
            (of("a", "P1", "x"), of("b", "P1", "x", "https://api.eu.pagerduty.com")),
            Verdict.GOOD,
            "2 services, each used with one key",
        ),
        (
            (of("a", "P1", "s3cret-x"), of("b", "P1", "s3cret-y"), of("c", "P2", "z")),
            Verdict.WARNING,
            "a, b use the service P1 with different keys",
        ),
    ],
)
def test_a_service_that_two_keys_use_is_named_and_the_keys_are_not(
    routes: tuple[tuple[str, Settings], ...], verdict: Verdict, words: str
) -> None:
    (found,) = [each for each in together(routes, (), ()) if each.check == "services"]
    assert (found.verdict, found.found) == (verdict, words)
    assert "s3cret" not in str(found)


def test_routes_of_the_database_that_no_file_names_are_named() -> None:
    routes = [of("shop", "P1", "x")]
    (found,) = [each for each in together(routes, ("default", "old", "shop"), ()) if each.check == "routes"]
    assert (found.verdict, found.found) == (
        Verdict.WARNING, "in the database, and not in the file: default, old",
    )  # fmt: skip
    (found,) = [each for each in together(routes, ("shop",), ()) if each.check == "routes"]
    assert found.verdict is Verdict.GOOD
