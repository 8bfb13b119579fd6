"""The frame of pages that are made without a database: what stands around a refusal and a sign-in.

The other pages have the same, with badges, by their template.
"""

from html import escape

PLACES = (
    ("Now", "/", None),
    ("Submit", "/hand-over", None),
    ("Runs", "/runs", None),
    ("Jobs", "/jobs", None),
    ("Dead letters", "/dead", "dead"),
    ("Review", "/review", "review"),
    ("Knowledge", "/knowledge", None),
    ("Deliveries", "/deliveries", None),
    ("Proof", "/certificates", None),
    ("Workers", "/workers", None),
    ("Audit", "/audit", None),
)
"""Pages by name and address; the last word is the state of jobs that its badge counts."""
FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} – Rung</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/rung.css"><script src="/static/rung.js" defer></script></head>
<body class="viewer"><header class="top">
<a class="brand" href="/"><img src="/static/icon.svg" alt="" width="26" height="26"> Rung</a>
{navigation}</header>
<main id="main" tabindex="-1"><h1>{title}</h1>
<section class="card narrow-card">{body}</section></main></body></html>
"""


def framed(title: str, body: str, *, places: bool = True) -> str:
    """A page; `title` is text, `body` is HTML. `places` says whether the reader may go to them."""
    links = "".join(f'<a href="{href}">{name}</a>' for name, href, _ in PLACES)
    navigation = f'<nav aria-label="Pages">{links}</nav>' if places else ""
    return FRAME.format(title=escape(title), body=body, navigation=navigation)
