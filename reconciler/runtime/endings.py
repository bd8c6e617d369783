"""The end of routes in a process that goes on: none waits for the writes or the reads of another."""

from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from reconciler.observability.defects import defect
from reconciler.runtime.route_jobs import RouteJobs
from reconciler.runtime.worker_pool import WorkerPool
from reconciler.vendors.call_context import for_route

STOP_GRACE = 2.0
"""Seconds for reads under way to end in, once nothing is being written."""
_AT_ONCE = 64
"""Routes that end at the same time. Each uses a connection to the database for a moment."""


def end(routes: Collection[RouteJobs], pool: WorkerPool) -> Iterator[list[str]]:
    """End these routes, which begin nothing from now on, and yield the names of those that have ended, as they do.

    Each takes as long as its writes in flight, and the grace for reads. Errors are reported, and it has ended too.
    """
    for route in routes:
        route.cease()
    return _ended(routes, pool)


def _ended(routes: Collection[RouteJobs], pool: WorkerPool) -> Iterator[list[str]]:
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="end of a route") as threads:
        ending = {threads.submit(_end, route, pool): route.name for route in routes}
        while ending:
            done, _ = wait(ending, return_when=FIRST_COMPLETED)
            yield [ending.pop(each) for each in done]


def _end(route: RouteJobs, pool: WorkerPool) -> None:
    with for_route(route.name):
        try:
            route.drain()
            route.leave(pool, STOP_GRACE)
        except Exception as error:  # noqa: BLE001 - whatever waits for the end of this route goes on
            defect(error, f"route {route.name}")
