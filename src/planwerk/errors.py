"""Every refusal the API knows, in one table, and the exception that carries one out.

Comes in: what is wrong, said by whoever finds it. Goes out: a `Refusal`, which `edge.problems` alone turns into a body.
Nothing here knows HTTP beyond the status number.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of refusal: the API's code, the HTTP status and the words that name it."""

    code: int
    status: int
    message: str


UNKNOWN = Kind(10000, 500, "Unknown")
BAD_REQUEST = Kind(10001, 400, "Bad request")
UNAUTHORIZED = Kind(10002, 401, "Unauthorized")
FORBIDDEN = Kind(10003, 403, "Forbidden")
NOT_FOUND = Kind(10004, 404, "Not found")
MEMORY_EXHAUSTED = Kind(10005, 500, "Memory exhausted")
METHOD_NOT_ALLOWED = Kind(10006, 405, "Method not allowed")
VALIDATION_FAILED = Kind(10007, 422, "Validation failed")
DUPLICATE_ENTRY = Kind(10008, 422, "Duplicate entry")
TOO_MANY_REQUESTS = Kind(10009, 429, "Too many requests")
SERVICE_UNAVAILABLE = Kind(10010, 503, "Service unavailable")
INVALID_FILTER = Kind(10011, 400, "Invalid filter")
RELATION_NOT_FOUND = Kind(10012, 400, "Relation not found")
INVALID_SORT = Kind(10013, 400, "Invalid sort")
PRECONDITION_FAILED = Kind(10014, 412, "Precondition failed")
UNSUPPORTED_MEDIA_TYPE = Kind(10015, 415, "Unsupported media type")
PAYLOAD_TOO_LARGE = Kind(10016, 413, "Payload too large")
CONFLICT = Kind(10017, 409, "Conflict")
URI_TOO_LONG = Kind(10018, 414, "URI too long")
HEADERS_TOO_LARGE = Kind(10019, 431, "Request header fields too large")

ALL = (
    UNKNOWN,
    BAD_REQUEST,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    MEMORY_EXHAUSTED,
    METHOD_NOT_ALLOWED,
    VALIDATION_FAILED,
    DUPLICATE_ENTRY,
    TOO_MANY_REQUESTS,
    SERVICE_UNAVAILABLE,
    INVALID_FILTER,
    RELATION_NOT_FOUND,
    INVALID_SORT,
    PRECONDITION_FAILED,
    UNSUPPORTED_MEDIA_TYPE,
    PAYLOAD_TOO_LARGE,
    CONFLICT,
    URI_TOO_LONG,
    HEADERS_TOO_LARGE,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: its kind, a sentence that is enough to put it right, and the property it concerns."""

    kind: Kind
    description: str
    property: str | None = None


class Refusal(Exception):
    """A request is refused for one or more faults; the status is that of the first."""

    def __init__(self, *faults: Fault, headers: Mapping[str, str] | None = None) -> None:
        super().__init__("; ".join(fault.description for fault in faults))
        self.faults = faults
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        return self.faults[0].kind.status


def refuse(kind: Kind, description: str, property: str | None = None, **headers: str) -> Refusal:
    """A refusal with one fault; header names are given with underscores (`retry_after="5"`)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Refusal(Fault(kind, description, property), headers=named)
