"""What the routes file says of a move, and what is to be changed there afterwards."""

from pathlib import Path

import pytest

from reconciler.errors import Misconfigured
from reconciler.routes import load_routes
from reconciler.routes_moving import Asked, asked
from reconciler.routes_reading import read_routes
from tests.support.configured import REQUIRED, WITH_JSM
from tests.support.routes import COMMON, environ_of

GIVEN = COMMON | WITH_JSM | {"ALERT_SOURCE": "opsgenie"}


def of_file(folder: Path, table: str, to: str = "jsm") -> Asked:
    """The move of the route `shop`, beside another one."""
    file = folder / "routes.toml"
    file.write_text(
        f"[routes.shop]\nservice = 'P1'\n{table}\n[routes.rest]\nservice = 'P2'\nopsgenie_query = ''\n"
    )
    return asked(read_routes(environ_of(file, GIVEN), None), "shop", to)


def test_a_route_between_two_products_has_the_settings_of_each(tmp_path: Path) -> None:
    of_file(tmp_path, "query = 'tag: shop'\njsm_query = 'tags: shop'")
    environ = environ_of(tmp_path / "routes.toml", GIVEN)
    for source in ("opsgenie", "jsm"):
        routes = load_routes(environ, None, {"shop": source})
        shop = routes.named("shop").settings
        assert (shop.alert_source, shop.opsgenie_query, shop.jsm_query) == (source, "tag: shop", "tags: shop")
        assert routes.named("rest").settings.alert_source == "opsgenie"
        assert routes.named("shop").other_query == {"opsgenie": "tags: shop", "jsm": "tag: shop"}[source]
    assert load_routes(environ, None).named("rest").other_query == ""


def test_the_only_route_of_the_variables_is_moved_as_well(tmp_path: Path) -> None:
    given = REQUIRED | WITH_JSM
    for source in ("opsgenie", "jsm"):
        (route,) = load_routes(given, None, {"default": source}).each
        assert route.settings.alert_source == source
    move = asked(read_routes(given, tmp_path / ".env"), "default", "jsm")
    assert (move.called, move.left) == ("", "opsgenie")
    assert move.next_step().startswith("set ALERT_SOURCE=jsm, ")
    move.check_query()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (
            "opsgenie_query = 'a'\njsm_query = 'b'",
            'write alert_source = "jsm" into [routes.shop] of routes.toml, see',
        ),
        ("query = 'a'\njsm_query = 'b'", "routes.toml, and call its query opsgenie_query, see"),
        ("alert_source = 'jsm'\nquery = 'b'", "one that runs goes on with shop by itself"),
    ],
)
def test_the_next_step_is_what_is_left_to_do(tmp_path: Path, table: str, says: str) -> None:
    move = of_file(tmp_path, table)
    move.check_query()
    assert says in move.next_step()


def test_a_route_that_selects_some_alerts_is_not_moved_to_all_of_them(tmp_path: Path) -> None:
    move = of_file(tmp_path, "query = 'tag: shop'")
    with pytest.raises(Misconfigured, match=r"routes\.toml: \[routes\.shop\] jsm_query: is missing; translate"):
        move.check_query()
    for fine in ("query = 'tag: shop'\njsm_query = ''", "query = ''", ""):
        of_file(tmp_path, fine).check_query()
