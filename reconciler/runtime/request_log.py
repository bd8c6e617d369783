"""Log of every request to a vendor, for LOG_LEVEL=DEBUG."""

import logging

from reconciler.observability.logs import get_logger
from reconciler.vendors.http import RequestRecord

log = get_logger(__name__)
_LEVEL = logging.getLogger(__name__)


def log_request(record: RequestRecord) -> None:
    """Log one request. The path has ids but no query, and so neither a key nor a text of anybody's."""
    if not _LEVEL.isEnabledFor(logging.DEBUG):  # asked first: there are hundreds a minute
        return
    answer = "no answer" if record.status is None else str(record.status)
    words = f"{record.vendor}: {record.method} {record.path}: {answer}"
    log.debug(
        words,
        vendor=record.vendor,
        method=record.method,
        path=record.path,
        status=record.status,
        outcome=record.outcome,
        seconds=round(record.seconds, 3),
        attempt=record.attempt,
        request_id=record.request_id,
    )
