"""Forms: urlencoded bodies of bounded size, read once for a request."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

MAX_BODY = 1_000_000
MAX_FIELDS = 200
KEPT = "rung.form"


async def form_of(request: Request) -> dict[str, str]:
    """The fields of the body; of a field given twice, the last. Whoever reads first (the CSRF
    check) keeps them in the scope for the others. Raises HTTPException 413, 415 or 400."""
    kept: dict[str, str] | None = request.scope.get(KEPT)
    if kept is not None:
        return kept
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, "A form is expected here.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise HTTPException(413, "The form is too large.")
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError:
        raise HTTPException(400, "The form cannot be read.") from None
    request.scope[KEPT] = dict(pairs)
    return dict(pairs)
