"""The metrics of several routes as one exposition: every sample of a route bears the route's name as a label.

What is of the process and not of a route is exposed once, without that label.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from reconciler.observability.metrics import Metrics
from reconciler.observability.metrics_table import PROCESS_METRICS, ROUTE

_OF_PROCESS = ("process_", "python_", "reconciler_build_info")
"""How the names of families begin that every route's metrics have alike."""
_COUNTED_ONCE = "reconciler_webhooks"
"""How the name of the family begins that is counted of no route."""
LED, STANDBY, REMOVED = "led", "standby", "removed"


class RouteMetrics(Collector):
    """The metrics of a process with several routes. For any thread.

    `routes` are the metrics of each route that the process knows now, by name; `removed` is the number of routes
    that are in the database and not in the file; `pods` that of the processes which share the routes, or None.
    """

    def __init__(
        self,
        routes: Callable[[], Mapping[str, Metrics]],
        removed: Callable[[], int] = lambda: 0,
        pods: Callable[[], int | None] = lambda: None,
        process: Metrics | None = None,
    ) -> None:
        """`process` counts what is of no route."""
        self._process = process
        self._routes = routes
        self._removed = removed
        self._pods = pods

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self)

    def collect(self) -> Iterator[Metric]:
        """Each family once, with the samples of all routes."""
        routes = dict(self._routes())
        families = merged({name: each.families() for name, each in routes.items()})
        yield from (family for family in families if not family.name.startswith(_COUNTED_ONCE))
        if self._process is not None:
            yield from (each for each in self._process.families() if each.name.startswith(_COUNTED_ONCE))
        yield from self._own(routes)

    def _own(self, routes: Mapping[str, Metrics]) -> Iterator[Metric]:
        """How many routes this process leads, and how many processes there are."""
        led = sum(each.health.role() == "leader" for each in routes.values())
        samples: dict[str, dict[tuple[str, ...], int]] = {
            "reconciler_routes": {
                (LED,): led,
                (STANDBY,): len(routes) - led,
                (REMOVED,): self._removed(),
            }
        }
        pods = self._pods()
        if pods is not None:
            samples["reconciler_pods"] = {(): pods}
        for row in PROCESS_METRICS:
            if row.name in samples:
                family = GaugeMetricFamily(row.name, row.help, labels=row.labels)
                for labels, value in samples[row.name].items():
                    family.add_metric(labels, value)
                yield family


def merged(routes: Mapping[str, Iterable[Metric]]) -> Iterator[Metric]:
    """The families of several routes: one of each name, whose samples bear their route as a label."""
    found: dict[str, Metric] = {}
    for route, families in routes.items():
        for family in families:
            if family.name.startswith(_OF_PROCESS):
                found.setdefault(family.name, family)
                continue
            whole = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
            whole.samples += [each._replace(labels={**each.labels, ROUTE: route}) for each in family.samples]
    yield from found.values()
