"""`grounded` against replies that were written by hand to deceive it, and to be taken wrongly for
made up.

    python -m benchmarks grounded_adversarial [--quick]

`adversarial/*.txt` has scenes: `@` their kind and language, `=` the page, `*` the order, `>` the
message, `+` faithful replies, `-` replies with something made up. The rule by which they are
labelled: a careful reader with the sources beside the reply agrees with each amount, date, time,
number, link, address, price and quotation of it; of a fabrication at least one says something else
than the sources, or something that they do not say. `held_out.txt` was not looked at while the
checker was changed, `held_out_spelt.txt` was written before the code that reads amounts and days in
words had seen anything of its kind, and both were measured once before anything was put right.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure, Finding
from worker.domain.messages import MessageText
from worker.domain.shown import Shown
from worker.domain.validation import BUILTIN, Draft

FOLDER = Path(__file__).parent / "adversarial"
HELD_OUT = "held_out"


@dataclass(slots=True)
class Scene:
    """What is shown, and what is replied to it."""

    kind: str
    language: str
    page: list[str] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    message: list[str] = field(default_factory=list)
    faithful: list[str] = field(default_factory=list)
    made_up: list[str] = field(default_factory=list)

    def found(self, reply: str) -> str | None:
        """What the checker says of a reply; None where it stands."""
        shown = (
            Shown(id="page#1", text="\n".join(self.page), language=self.language),
            Shown(id="order", text="\n".join(self.row), passage=False),
        )
        message = MessageText(
            body="\n".join(self.message) or "…", subject=None, language=self.language
        )
        document = {"reply": reply, "sources": ["page#1", "order"]}
        draft = Draft(reply=reply, document=document, schema={}, message=message, knowledge=shown)
        return BUILTIN["grounded"](draft, {})


def scenes(path: Path) -> Iterator[Scene]:
    """The scenes of a file, in its order."""
    scene: Scene | None = None
    for line in path.read_text().splitlines():
        mark, _, said = line.partition(" ")
        if mark == "@":
            if scene is not None:
                yield scene
            kind, _, language = said.partition(" | ")
            scene = Scene(kind, language)
        elif line:
            assert scene is not None, line
            by_mark = {
                "=": scene.page,
                "*": scene.row,
                ">": scene.message,
                "+": scene.faithful,
                "-": scene.made_up,
            }
            by_mark[mark].append(said.replace("\\n", "\n"))
    if scene is not None:
        yield scene


def run(*, quick: bool) -> Finding:
    """Shares of fabrications found and of false alarms, of all and of those held out."""
    del quick
    told: Counter[tuple[bool, str]] = Counter()
    missed: Counter[str] = Counter()
    for path in sorted(FOLDER.glob("*.txt")):
        for scene in scenes(path):
            held_out = path.stem.startswith(HELD_OUT)
            told[held_out, "faithful"] += len(scene.faithful)
            told[held_out, "made up"] += len(scene.made_up)
            alarms = [said for said in scene.faithful if scene.found(said) is not None]
            passed = [said for said in scene.made_up if scene.found(said) is None]
            told[held_out, "alarms"] += len(alarms)
            told[held_out, "found"] += len(scene.made_up) - len(passed)
            if not held_out:
                missed.update({f"missed, {scene.kind}": len(passed)})
                missed.update({f"false alarms, {scene.kind}": len(alarms)})

    def share(part: str, whole: str, *which: bool) -> float:
        return 100 * sum(told[one, part] for one in which) / sum(told[one, whole] for one in which)

    return Finding(
        "grounded_adversarial",
        (
            Figure("fabrications found", share("found", "made up", False, True), 97, False, " %"),
            Figure("false alarms", share("alarms", "faithful", False, True), 1, True, " %"),
        ),
        {
            "fabrications, faithful replies": f"{sum(told[w, 'made up'] for w in (False, True))},"
            f" {sum(told[w, 'faithful'] for w in (False, True))}",
            "held out: found of made up": f"{told[True, 'found']} of {told[True, 'made up']}",
            "held out: false alarms": f"{told[True, 'alarms']} of {told[True, 'faithful']}",
            **{kind: count for kind, count in sorted(missed.items()) if count},
        },
    )
