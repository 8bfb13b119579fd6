"""Errors in the API's own words and shapes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem(Exception):
    """An error response: `{"type": "error", "error": {"type", "message", "details"}}`."""

    status: int
    message: str
    kind: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, request_id: str) -> dict[str, object]:
        """As JSON."""
        error: dict[str, object] = {
            "type": self.kind or TYPES.get(self.status, "api_error"),
            "message": self.message,
        }
        if self.code is not None:
            error["details"] = {"error_code": self.code}
        return {"type": "error", "error": error, "request_id": request_id}
