"""The database's address: what cannot be connected to is a wrong setting, not a defect."""

import pytest

from reconciler.errors import Misconfigured
from reconciler.store.address import file_of


@pytest.mark.parametrize("query", ["host=h&port=word", "host=h&port=1,2", "host=h1:1,h2:2&port=3"])
def test_hosts_and_ports_that_do_not_fit_together_are_refused_without_being_shown(query: str) -> None:
    with pytest.raises(Misconfigured, match=r"^DATABASE_URL: the hosts and ports .* not fit") as caught:
        file_of(f"postgresql+psycopg://user:s3cr3t@/x?{query}")
    assert not any(word in str(caught.value) for word in ("s3cr3t", "word", "h1"))
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("query", ["", "?host=h1:1,h2:2", "?host=/var/run&port=5433", "?host=a:1&host=b:2"])
def test_a_server_has_no_file(query: str) -> None:
    assert file_of(f"postgresql+psycopg://user:s3cr3t@/x{query}") is None
