"""`make audit`: what an installation brings, looked at: vulnerabilities, hashes, licences.

What cannot be found out is said loudly; it is not taken for good.
"""

import re
import subprocess
import sys
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata

from tests.support.places import ROOT

PROGRAM = ROOT / ".tools/audit/bin/pip-audit"
"""In an environment of its own, which `make audit` makes."""
LOCKS = ("requirements-production.lock", "requirements-clouds.lock", "requirements-build.lock")
ENTRY = re.compile(r"^([a-z0-9_.-]+)(?:\[.*?\])?==(\S+)((?:.*\n    --hash)*)", re.MULTILINE)
SHIPPED = LOCKS[:2]
"""What the images hold: either of these."""
FREE = re.compile(
    r"\b(?:MIT|BSD|Apache|ISC|PSF|Python Software|MPL|Mozilla Public|Unlicense|0BSD|Zlib|LGPL)",
    re.I,
)
"""What an MIT-licensed program may ship beside itself. LGPL: used as it is, and replaceable."""


def entries(lock: str) -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package of a lock."""
    found = ENTRY.findall((ROOT / lock).read_text("utf-8"))
    return {name: (version, hashes.count("--hash")) for name, version, hashes in found}


def licence(about: PackageMetadata) -> str:
    """As the package says it, in whichever of three ways."""
    classified = [one for one in about.get_all("Classifier") or [] if one.startswith("License ::")]
    said = about.get("License-Expression") or " ".join(one.split("::")[-1] for one in classified)
    return (said or (about.get("License") or "unknown").splitlines()[0]).strip()


def loud(words: str) -> None:
    """Not to be overlooked."""
    sys.stderr.write(f"***\n*** {words}\n***\n")


def hashes() -> list[str]:
    """Requirements that any file could stand for."""
    return [
        f"{n} in {lock}" for lock in LOCKS for n, (_, many) in entries(lock).items() if not many
    ]


def licences() -> tuple[list[str], list[str]]:
    """Those that are not known to be free, and those that could not be looked at here."""
    strange, absent = [], []
    for name in sorted({name for lock in SHIPPED for name in entries(lock)}):
        try:
            said = licence(metadata(name))
        except PackageNotFoundError:
            absent.append(name)
            continue
        if not FREE.search(said):
            strange.append(f"{name}: {said[:60]}")
    return strange, absent


def vulnerabilities() -> bool | None:
    """Whether pip-audit found any; None where it, or its data, cannot be reached."""
    # The clouds' libraries are beside everything else in it.
    lock = str(ROOT / SHIPPED[-1])
    command = [str(PROGRAM), "--disable-pip", "--require-hashes", "-r", lock]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except (subprocess.TimeoutExpired, OSError):
        return None
    known = "could not be audited" not in done.stdout + done.stderr
    if done.returncode == 0 and known:
        return False
    if "Found" in done.stderr and "vulnerabilit" in done.stderr:
        sys.stdout.write(done.stdout)
        return True
    return None


def main() -> int:
    """Exit code 1 for what is wrong; 0 with a loud word for what is not known."""
    unpinned, (strange, absent), vulnerable = hashes(), licences(), vulnerabilities()
    for one in unpinned:
        sys.stdout.write(f"no hash: {one}\n")
    for one in strange:
        sys.stdout.write(f"licence to be looked at: {one}\n")
    if absent:
        loud(f"NOT LOOKED AT, for they are for other systems: {', '.join(absent)}")
    if vulnerable is None:
        loud("VULNERABILITIES NOT KNOWN: pip-audit is not installed, or its data is out of reach.")
    count = len(entries(SHIPPED[-1]))
    good = not unpinned and not strange and not vulnerable
    sys.stdout.write(f"{count} packages ship: {'in order' if good else 'see above'}\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
