"""Forms: bodies that browsers send, read once for a request by python-multipart; the gate bounds
them. A form with a file is taken at `HAND_OVER` alone."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from worker.dashboard.access.requests import HAND_OVER

FIELDS, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
MAX_FIELDS, MAX_FIELD = 200, 1_000_000
KEPT, KEPT_FILES = "rung.form", "rung.files"


def is_form(request: Request) -> bool:
    """Whether the body is a form that may be read here."""
    return _kind(request) in _taken(request)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of the body; of a field given twice, the last. Whoever reads first (the CSRF
    check) keeps them in the scope for the others. Raises HTTPException 413, 415 or 400."""
    kept: dict[str, str] | None = request.scope.get(KEPT)
    if kept is not None:
        return kept
    if not is_form(request):
        raise HTTPException(415, "A form is expected here.")
    form = await request.form(max_files=1, max_fields=MAX_FIELDS + 1, max_part_size=MAX_FIELD)
    pairs = form.multi_items()
    request.scope[KEPT_FILES] = {n: value for n, value in pairs if isinstance(value, UploadFile)}
    if len(pairs) > MAX_FIELDS:
        raise HTTPException(400, f"A form has at most {MAX_FIELDS} fields.")
    fields = {name: value for name, value in pairs if isinstance(value, str)}
    if any("\x00" in value for value in fields.values()):
        raise HTTPException(400, "A form holds no NUL, for nothing that is kept does.")
    request.scope[KEPT] = fields
    return fields


async def file_of(request: Request, name: str) -> UploadFile | None:
    """The file that came with the form; None where none was chosen. It is gone with the request."""
    await form_of(request)
    found: UploadFile | None = request.scope[KEPT_FILES].get(name)
    return found if found is not None and found.filename else None


async def close_files(scope: Scope) -> None:
    """Lets go of what came with a form."""
    files: Mapping[str, Any] = scope.get(KEPT_FILES, {})
    for file in files.values():
        await file.close()


def _taken(request: Request) -> tuple[str, ...]:
    return (FIELDS, PARTS) if request.scope["path"] == HAND_OVER else (FIELDS,)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
