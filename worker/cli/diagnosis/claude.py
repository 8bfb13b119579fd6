"""Claude: does the door that is set open, is the key good, and are the models there?"""

from collections.abc import Iterator

from worker.claude.probing import probe
from worker.cli.diagnosis.finding import Symptom
from worker.config.address_spelling import shown
from worker.config.addresses import ClaudeAddress, claude_address
from worker.config.settings import Settings
from worker.domain.trouble import Meaning, Trouble

SIGN_IN = {
    "bedrock": "AWS_PROFILE, AWS_ACCESS_KEY_ID with its secret, or a role of the machine's;"
    " aws sts get-caller-identity",
    "vertex": "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS",
}


def examine(settings: Settings) -> Iterator[Symptom]:
    """Raises RungError when no run could use it."""
    address = claude_address(settings)
    models = {tier.model for tier in settings.tiers.values()}
    probed = probe(address, models, settings.timing.connect_s)
    where = "the simulator" if address.simulated else shown(address.base_url or "api.anthropic.com")
    where = where if address.via == "api" else address.via
    if probed.trouble is not None:
        yield _troubled(address, where, probed.trouble)
    elif probed.unlisted:
        words = f"{where} lists no models: whether it has yours, the first calls will tell"
        mend = _without_version(address) or "watch the first run; canaries stop a wrong model"
        yield Symptom(name="claude", ok=None, words=words, mend=mend)
    else:
        yield Symptom(name="claude", ok=True, words=f"{where} answers")
    for model in probed.missing:
        yield Symptom(
            name="model",
            ok=False,
            words=f"Claude knows no model {model}",
            mend="correct tiers.*.model in rung.toml",
            exit_code=6,
        )
    for model, date in probed.retiring:
        words = f"{model} retires on {date}"
        yield Symptom(name="model", ok=None, words=words, mend="choose its successor")


def _troubled(address: ClaudeAddress, where: str, trouble: Trouble) -> Symptom:
    theirs = trouble.meaning is Meaning.CONFIGURATION
    if theirs and trouble.status in (401, 403, None):
        mend = SIGN_IN.get(address.via, "check ANTHROPIC_API_KEY")
    else:
        mend = _without_version(address) or "check ANTHROPIC_BASE_URL, and the way there"
    return Symptom(
        name="claude",
        ok=False,
        words=f"{where}: {trouble.summary}",
        mend=mend,
        exit_code=6 if theirs else 5,
    )


def _without_version(address: ClaudeAddress) -> str | None:
    """What helps where an address is written as other clients want it."""
    if address.via == "api" and (address.base_url or "").rstrip("/").endswith("/v1"):
        return "leave /v1 out of ANTHROPIC_BASE_URL: it is added"
    return None
