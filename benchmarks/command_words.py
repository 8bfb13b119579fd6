"""Every command of `rung`, as it is asked of a record that `benchmarks.filled` made.

A test holds that each command stands here: measured, or with the reason why it is not.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.filled import AT_WORK, ENDED_RUNS

RUN, OTHER = (f"run{number}" for number in ENDED_RUNS[:2])
WORKING = f"run{AT_WORK}"
CHAT = ("--where", "channel = chat")
NOTHING = ("--where", "reason contains nonesuch")
DRY = "--dry-run"
BACKLOG = "".join(
    ["id,text,customer\n", *(f"new{n},Where is my order {n}?,c{n}\n" for n in range(1_000))]
)
VERDICTS = "run,external_id,right\n"

Commands = Mapping[str, Sequence[str]]

UNMEASURED: Mapping[str, str] = {
    **dict.fromkeys(("up", "worker"), "works until it is stopped: benchmarks.hosts"),
    "demo": "makes a record of its own",
    **dict.fromkeys(("dashboard token", "dashboard hash"), "touches no table"),
    "dashboard": "serves until it is stopped: the pages of benchmarks.growth",
    "alive": "asks a process, and no table",
    "drain": "waits for what workers hold; its look beforehand is measured",
    **dict.fromkeys(("map save", "map show"), "one row by its name"),
    **dict.fromkeys(
        ("certificates lift", "certificates show", "certificates void"), "one row by its number"
    ),
    "schedule run": "what `reprocess` does, under a name of rung.toml",
    **dict.fromkeys(
        ("deliver pause", "deliver replay", "deliver resume"), "of a webhook in rung.toml"
    ),
    "config show": "touches no table",
    "config check": "looks at the names of policies and runs alone",
    "config try": "looks pages up, as `knowledge search` does",
    "knowledge sync": "grows with the pages, and not with messages",
    "knowledge cost": "reads pages and no message",
}
"""Commands that are not asked, with the reason."""


def reading(folder: Path) -> Commands:
    """Those that read, and those that say what they would do. Files are written to `folder`."""
    backlog = folder / "backlog.csv"
    backlog.write_text(BACKLOG, "utf-8")
    return {
        "status": ["status"],
        "status RUN": ["status", RUN],
        "runs": ["runs"],
        "show JOB": ["show", "17"],
        "cost RUN": ["cost", RUN],
        "advise RUN": ["advise", RUN],
        "advise": ["advise"],
        "evaluate RUN": ["evaluate", RUN],
        "evaluate RUN --all": ["evaluate", RUN, "--all"],
        "certify RUN": ["certify", RUN, DRY],
        "certify RUN --score confidence": ["certify", RUN, DRY, "--score", "confidence"],
        "compare RUN RUN": ["compare", RUN, OTHER],
        "diff RUN RUN": ["diff", RUN, OTHER],
        "diff RUN RUN --csv": ["diff", RUN, OTHER, *_to(folder / "diff.csv")],
        "diff RUN RUN --texts": ["diff", RUN, OTHER, "--texts"],
        "replay RUN": ["replay", RUN],
        "replay RUN --json": ["replay", RUN, "--json"],
        **{
            f"results RUN, {kind}": ["results", RUN, *_to(folder / f"results.{kind}")]
            for kind in ("csv", "jsonl", "xlsx", "parquet")
        },
        "results RUN --json": ["results", RUN, "--json"],
        "results RUN --only ready": ["results", RUN, "--only", "ready", "--json"],
        "results RUN --only review": ["results", RUN, "--only", "review", "--json"],
        "sample RUN": ["sample", RUN],
        "review": ["review"],
        "review RUN": ["review", RUN],
        "review --audit": ["review", "--audit"],
        "review -o": ["review", "--limit", "1000000", *_to(folder / "review.csv")],
        "dead": ["dead"],
        "dead RUN": ["dead", RUN],
        "clusters": ["clusters"],
        "clusters RUN": ["clusters", RUN],
        "clusters --review": ["clusters", "--review"],
        "audit": ["audit"],
        "audit RUN": ["audit", RUN],
        "certificates": ["certificates"],
        "prompts": ["prompts"],
        "schedule list": ["schedule", "list"],
        "map list": ["map", "list"],
        "deliver status": ["deliver", "status"],
        "doctor": ["doctor"],
        "db current": ["db", "current"],
        "db upgrade": ["db", "upgrade"],
        "knowledge gaps": ["knowledge", "gaps"],
        "knowledge search": ["knowledge", "search", "parcel"],
        "knowledge words RUN": ["knowledge", "words", RUN],
        "forecast FILE": ["forecast", str(backlog)],
        "forecast --settled": ["forecast", "--settled"],
        "enqueue FILE --dry-run": ["enqueue", str(backlog), "--yes", DRY],
        "retry RUN --dry-run": ["retry", RUN, DRY],
        "retry --where --dry-run": ["retry", "--where", "reason = schema", DRY],
        "retry --where --dry-run, nothing": ["retry", *NOTHING, DRY],
        "cancel RUN --dry-run": ["cancel", WORKING, DRY],
        "cancel --where --dry-run": ["cancel", *CHAT, DRY],
        "cancel --where --dry-run, nothing": ["cancel", *NOTHING, DRY],
        "priority --where --dry-run": ["priority", "--to", "5", *CHAT, DRY],
        "drain TIER --dry-run": ["drain", "haiku", DRY],
        "reprocess --run RUN --dry-run": ["reprocess", "--run", RUN, DRY],
        "reprocess --run RUN --dry-run, dead": [
            *("reprocess", "--run", RUN, "--where", "state = dead", DRY)
        ],
        "reprocess --where --dry-run, reviews": ["reprocess", "--where", "state = review", DRY],
        "reprocess --where --dry-run, nothing": ["reprocess", *NOTHING, DRY],
        "reprocess --since --dry-run": ["reprocess", "--since", "1h", DRY],
        "purge --dry-run": ["purge", "--older-than", "30d", DRY],
        "forget --customer --dry-run": ["forget", "--customer", "c23", DRY],
    }


def changing(folder: Path) -> Commands:
    """Those that change the record, the small changes first: the last ones leave it another."""
    backlog, truth = folder / "backlog.csv", folder / "truth.csv"
    backlog.write_text(BACKLOG, "utf-8")
    truth.write_text(VERDICTS + "".join(f"{RUN},m{n},1\n" for n in range(8_000, 9_000, 4)), "utf-8")
    return {
        "enqueue FILE": ["enqueue", str(backlog), "--yes", "--run", "new"],
        "truth import": ["truth", "import", str(truth)],
        "audit RUN --share": ["audit", RUN, "--share", "2%"],
        "pause RUN": ["pause", WORKING],
        "resume RUN": ["resume", WORKING],
        "pause TIER": ["pause", "haiku"],
        "resume TIER": ["resume", "haiku"],
        "priority RUN": ["priority", WORKING, "--to", "3"],
        "budget RUN": ["budget", WORKING, "--to", "2000"],
        "forget --external-id": ["forget", "--external-id", "m8003", "--yes"],
        "forget --customer": ["forget", "--customer", "c7999", "--yes"],
        "review --accept JOB": ["review", "--accept", "9900"],
        "retry RUN": ["retry", RUN, "--yes"],
        "compare RUN --policies": ["compare", RUN, "--policies", "ladder,escalate"],
        "reprocess --run RUN, reviews": ["reprocess", "--run", RUN, "--where", "state = review"],
        "reprocess --run RUN": ["reprocess", "--run", RUN],
        "priority --where": ["priority", "--to", "5", *CHAT],
        "cancel RUN": ["cancel", WORKING, "--yes"],
        "cancel --where": ["cancel", *CHAT, "--yes"],
        "purge": ["purge", "--older-than", "0s", "--yes"],
    }


def _to(path: Path) -> list[str]:
    return ["-o", str(path), "--force"]
