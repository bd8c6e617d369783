"""What each product is called, for people and for machines."""

import pytest

from reconciler.core.model import Kind, Side
from reconciler.core.product import JSM, OPSGENIE, PRODUCTS, Product, product_of


@pytest.mark.parametrize(
    ("product", "kinds", "names", "variables"),
    [
        (OPSGENIE, ["opsgenie.acknowledge", "pagerduty.add_note"], ["Opsgenie", "PagerDuty"],
         ["OPSGENIE_API_KEY", "OPSGENIE_API_URL", "OPSGENIE_QUERY"]),
        (JSM, ["jsm.acknowledge", "pagerduty.add_note"], ["JSM", "PagerDuty"],
         ["JSM_API_TOKEN", "JSM_API_URL", "JSM_QUERY"]),
    ],
    ids=["Opsgenie", "JSM"],
)  # fmt: skip
def test_a_product_has_its_own_words(
    product: Product, kinds: list[str], names: list[str], variables: list[str]
) -> None:
    assert [product.kind(kind) for kind in (Kind.ALERT_ACKNOWLEDGE, Kind.PAGERDUTY_NOTE)] == kinds
    assert [product.name_of(side) for side in Side] == names
    assert [product.key_of(side) for side in Side] == [product.key, "pagerduty"]
    assert [product.credential_of(side) for side in Side] == [variables[0], "PAGERDUTY_API_KEY"]
    assert [product.api_url_of(side) for side in Side] == [variables[1], "PAGERDUTY_API_URL"]
    assert product.query == variables[2]


def test_in_opsgenie_mode_every_kind_is_shown_as_it_is_stored() -> None:
    assert [OPSGENIE.kind(kind) for kind in Kind] == [kind.value for kind in Kind]
    assert PRODUCTS == {"opsgenie": OPSGENIE, "jsm": JSM}


@pytest.mark.parametrize(
    ("internal", "shown"),
    [
        ("opsgenie", "jsm"),
        ("opsgenie.add_note", "jsm.add_note"),
        ("opsgenie feed", "jsm feed"),
        ("opsgenie a-1 Missing", "jsm a-1 Missing"),
        ("opsgenieish", "opsgenieish"),
        ("pagerduty", "pagerduty"),
        ("not opsgenie", "not opsgenie"),
        ("", ""),
    ],
)
def test_the_programs_own_words_are_shown_under_the_products_key(internal: str, shown: str) -> None:
    assert JSM.word(internal) == shown
    assert OPSGENIE.word(internal) == internal


def test_a_database_that_names_no_product_is_from_before_there_were_several() -> None:
    assert [product_of(source) for source in (None, "opsgenie", "jsm")] == [OPSGENIE, OPSGENIE, JSM]


def test_settings_for_alerts_have_a_name_that_fits_the_product() -> None:
    assert [product.policies for product in PRODUCTS.values()] == ["ON_OPSGENIE", "ON_ALERT"]
