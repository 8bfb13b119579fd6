"""Forms: urlencoded bodies, read once for a request by python-multipart; the gate bounds them."""

from starlette.exceptions import HTTPException
from starlette.requests import Request

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
    async with request.form() as form:
        pairs = form.multi_items()
    if len(pairs) > MAX_FIELDS:
        raise HTTPException(400, f"A form has at most {MAX_FIELDS} fields.")
    fields = {name: value for name, value in pairs if isinstance(value, str)}
    request.scope[KEPT] = fields
    return fields
