"""A contact form in Django: `path("contact", contact)` in urls.py; RUNG_URL and RUNG_TOKEN are set.

`rung.Client` imports nothing of the server, so a project's own `models` and `migrations` stay its
own.
"""

import os
import uuid

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

import rung


@require_POST
def contact(request: HttpRequest) -> HttpResponse:
    """Takes a message: accepted means that it is stored."""
    message = {"external_id": str(uuid.uuid4()), "body": request.POST["body"]}
    with rung.Client(os.environ["RUNG_URL"], os.environ["RUNG_TOKEN"]) as client:
        client.enqueue([message], run="contact form", key="contact form", lane="realtime")
    return HttpResponse("Thank you. We answer by mail.", status=202)
