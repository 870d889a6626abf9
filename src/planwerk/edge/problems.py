"""Any exception → the one shape of an error: `{"reference", "errors"}`. The only file that writes an error body."""

from collections.abc import Iterable

import orjson
import structlog

from planwerk.errors import UNKNOWN, Fault, Refusal

log = structlog.get_logger("planwerk")

Headers = list[tuple[bytes, bytes]]


def error_body(faults: Iterable[Fault], reference: str) -> bytes:
    """One item for each fault; every item repeats the reference."""
    items = [
        {
            "code": fault.kind.code,
            "message": fault.kind.message,
            "description": fault.description,
            "property": fault.property,
            "reference": reference,
        }
        for fault in faults
    ]
    return orjson.dumps({"reference": reference, "errors": items})


def problem(error: Exception, reference: str, request: str) -> tuple[int, bytes, Headers]:
    """(status, body, headers) of the answer to a failed request. What nobody foresaw is logged with the reference and
    shows nothing of the inside."""
    if isinstance(error, Refusal):
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in error.headers.items()]
        if error.status >= 500:
            log.error("refused", reference=reference, request=request, reason=str(error))
        return error.status, error_body(error.faults, reference), headers
    log.error("unforeseen", reference=reference, request=request, exc_info=error)
    fault = Fault(UNKNOWN, "an unforeseen error; please report the reference")
    return UNKNOWN.status, error_body([fault], reference), []
