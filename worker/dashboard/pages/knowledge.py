"""`/knowledge`: the team's pages with their versions, a search as messages are searched for, and
what customers ask and no page says."""

from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from worker.config.knowledge import folders_named
from worker.dashboard.access import permissions
from worker.dashboard.context import Dashboard, dashboard_of
from worker.dashboard.pages.rendering import page, trouble_page
from worker.domain.gaps import gaps_in
from worker.errors import Missing, RungError
from worker.store.audit import audit_reading
from worker.store.passages import PASSAGES_SHOWN, FoundPassage, Query, find_passages
from worker.store.reading.knowledge_pages import (
    folder_standings,
    page_sections,
    page_standings,
)
from worker.store.reading.page_words import answered_messages, words_to_add
from worker.store.reading.sources import LOOKED_AT, not_covered
from worker.store.reading.standings import standing_of
from worker.store.runs import find_run, recent_answering, recent_names

SECTION = "Knowledge"
PAGE = 100
RUNS = 50
MOST_CHARS = 2_000
EXAMPLES = 5
ANSWERS, IN_A_ROW = 500, 20
"""Jobs of a run that words are learned from on a page, at few places; the command reads more."""


def routes() -> list[BaseRoute]:
    """`/knowledge`, a page of it, `/knowledge/gaps` and `/knowledge/words`."""
    return [
        Route("/knowledge", listed),
        Route("/knowledge/page", shown),
        Route("/knowledge/gaps", gaps),
        Route("/knowledge/words", words),
    ]


def listed(request: Request) -> Response:
    """Folders, what a search finds, and the pages of one folder."""
    dashboard, given = dashboard_of(request), request.query_params
    words, folder = given.get("q", "")[:MOST_CHARS].strip(), given.get("folder", "")
    with dashboard.engine.connect() as connection:
        folders = folder_standings(connection)
        known = [one.name for one in folders]
        folder = folder if folder in known else known[0] if len(known) == 1 else ""
        looked_in = [folder] if folder else known
        pages = page_standings(connection, folder, given.get("after", ""), PAGE) if folder else []
        more = urlencode({"folder": folder, "after": pages[-1].name}) if len(pages) == PAGE else ""
        language = given.get("language", "")[:2].lower()
        return page(
            request,
            connection,
            "knowledge.html",
            SECTION,
            folders=folders,
            used_by=_used_by(dashboard, known),
            found=_found(connection, words, looked_in, language) if words else [],
            words=words,
            language=language,
            folder=folder,
            pages=pages,
            more=f"/knowledge?{more}" if more else "",
            missing=[one for one in folders_named(dashboard.settings) if one not in known],
        )


def _found(
    connection: Connection, words: str, folders: list[str], language: str
) -> list[FoundPassage]:
    query = Query(key=0, text=words, folders=tuple(folders), language=language or None)
    return find_passages(connection, [query], PASSAGES_SHOWN)[0]


def _used_by(dashboard: Dashboard, folders: list[str]) -> dict[str, list[str]]:
    """Which policies name each folder, as `rung.toml` has them now; none that cannot be read."""
    settings, found = dashboard.settings, {name: list[str]() for name in folders}
    for policy in settings.policies:
        try:
            named = folders_named(settings, policy)
        except RungError:
            continue
        for name in named:
            if name in found:
                found[name].append(policy)
    return found


def shown(request: Request) -> Response:
    """What one page says, in the passages that answers cite."""
    folder, name = request.query_params.get("folder", ""), request.query_params.get("name", "")
    with dashboard_of(request).engine.connect() as connection:
        sections = page_sections(connection, folder, name)
        if not sections:
            error = Missing(f"There is no page {name!r} in {folder!r}.", mend="rung knowledge sync")
            return trouble_page(request, connection, error)
        return page(
            request,
            connection,
            "knowledge_page.html",
            SECTION,
            folder=folder,
            name=name,
            sections=sections,
        )


def gaps(request: Request) -> Response:
    """Questions that nothing shown answers, grouped by their words: for those who may read what
    customers wrote, and noted; the others see how many there are."""
    dashboard, wanted = dashboard_of(request), request.query_params.get("run", "")
    with dashboard.engine.connect() as connection:
        try:
            run_id = int(find_run(connection, wanted).id) if wanted else None
        except RungError as error:
            return trouble_page(request, connection, error)
        asked = not_covered(connection, run_id)
        reads = permissions.may_operate(request)
        if reads and asked:
            actor = permissions.actor(request)
            audit_reading(dashboard.engine, actor, "what no page says", len(asked))
        return page(
            request,
            connection,
            "gaps.html",
            SECTION,
            groups=gaps_in((job, said) for job, _, said in asked) if reads else [],
            ids={job: external_id for job, external_id, _ in asked},
            total=len(asked),
            looked_at=LOOKED_AT,
            run=wanted,
            runs=recent_names(connection),
            examples=EXAMPLES,
        )


def words(request: Request) -> Response:
    """What customers call what a page is about, learned from a run's accepted answers: for those
    who may read what customers wrote, and noted."""
    dashboard, wanted = dashboard_of(request), request.query_params.get("run", "")
    with dashboard.engine.connect() as connection:
        names = recent_answering(connection, RUNS)
        wanted = wanted or (names[0] if names else "")
        try:
            run = standing_of(connection, find_run(connection, wanted).id) if wanted else None
        except RungError as error:
            return trouble_page(request, connection, error)
        answered = []
        if run is not None:
            answered = answered_messages(connection, [run.id], ANSWERS, IN_A_ROW)
        learned = words_to_add(connection, answered)
        reads = permissions.may_operate(request)
        if reads and learned:
            actor = permissions.actor(request)
            audit_reading(dashboard.engine, actor, "what customers call it", len(learned))
        counts = {one: sum(one in said.pages for said in answered) for one in learned}
        return page(
            request,
            connection,
            "page_words.html",
            SECTION,
            run=run,
            runs=names,
            pages=sorted(learned, key=lambda one: (-counts[one], one)),
            learned=learned if reads else {},
            counts=counts,
            answers=len(answered),
            looked_at=ANSWERS,
        )
