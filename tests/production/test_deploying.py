"""docs/deploying.md, followed word for word where nothing is: roles, systemd's hosts, a backup.

The document's own lines are run, below a directory as /; `systemctl` starts what a unit starts,
with the unit's files of environment, and there is no other user.
"""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support import parts
from tests.support.dockerfile import ROOT
from tests.support.processes import clean_environ
from tests.support.waiting import eventually
from worker.sandbox.redis import free_port
from worker.sandbox.simulator.state import State

pytestmark = pytest.mark.slow
DOCUMENT = (ROOT / "docs/deploying.md").read_text("utf-8")
TAKEN = ("requirements-*.lock", "pyproject.toml", "README.md", "LICENSE")
FOLDERS = ("deploy", "rung", "models", "worker", "migrations", "examples")
AS_A_UNIT = """while [[ $1 == -* ]]; do
  case $1 in
    -p) while IFS= read -r line; do export "$line"; done < "${2#*=}"; shift 2 ;;
    -E) export "$2"; shift 2 ;;
    *) shift ;;
  esac
done
exec "$@"
"""
"""`systemd-run`, with the settings that a unit would have."""
OWNER, WORKER = "postgresql://rung@", "postgresql://rung_worker@"


def fences(kind: str, containing: str) -> list[str]:
    """The document's code of a kind that holds these words."""
    found = re.findall(rf"```{kind}\n(.*?)```", DOCUMENT, re.DOTALL)
    return [text for text in found if containing in text]


class Host:
    """A host in small: `root` is its /, `checkout` where one stands."""

    def __init__(self, root: Path, environ: dict[str, str]) -> None:
        self.root, self.environ, self.checkout = root, environ, root / "checkout"
        self.checkout.mkdir(parents=True)
        for pattern in TAKEN:
            for file in ROOT.glob(pattern):
                shutil.copy(file, self.checkout)
        for folder in FOLDERS:
            skipped = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / folder, self.checkout / folder, ignore=skipped)
        for place in ("etc/systemd/system", "var/lib/rung", "bin"):
            (root / place).mkdir(parents=True)
        # There is one user, and systemd is read by this test.
        for name in ("useradd", "systemctl"):
            self._program(name, f'echo "$(basename $0) $*" >> {root}/asked')
        self._program("systemd-run", AS_A_UNIT)

    def _program(self, name: str, script: str) -> None:
        file = self.root / "bin" / name
        file.write_text(f"#!/bin/bash\n{script}\n")
        file.chmod(0o755)

    def here(self, words: str) -> str:
        """Absolute places of the document's, below this host's root."""
        return re.sub(r"(?<![\w.])/(opt|etc|var)/", rf"{self.root}/\1/", words)

    def run(self, script: str) -> str:
        """Lines of the document, each of which must go well."""
        text = self.here(script)
        done = subprocess.run(
            ["bash", "-ec", text.replace("-g rung ", "")],
            cwd=self.checkout,
            env=self.environ | {"PATH": f"{self.root}/bin:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=1_500,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def asked_of_systemd(self) -> list[str]:
        """Units that were started, in order."""
        lines = (self.root / "asked").read_text().splitlines()
        started = [line for line in lines if re.match(r"systemctl (start|enable --now) ", line)]
        return [unit for line in started for unit in line.split() if unit.startswith("rung-")]

    def command(self, unit: str) -> tuple[list[str], dict[str, str]]:
        """What a unit starts, and in which environment."""
        name, _, instance = unit.partition("@")
        file = self.root / "etc/systemd/system" / f"{name}{'@' if instance else ''}.service"
        text = self.here(file.read_text("utf-8")).replace("%i", instance).replace("%%", "%")
        environ = dict(self.environ)
        for kind, value in re.findall(r"^(Environment|EnvironmentFile)=(.*)$", text, re.M):
            lines = [value] if kind == "Environment" else Path(value).read_text().splitlines()
            environ |= dict(line.split("=", 1) for line in lines)
        (start,) = re.findall(r"^ExecStart=(.*)$", text, re.M)
        return shlex.split(start), environ


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """An empty one."""
    return Host(tmp_path / "host", clean_environ(HOME=str(tmp_path)))


@contextlib.contextmanager
def started(host: Host, units: list[str]) -> Iterator[dict[str, Path]]:
    """The units' programs, running; their logs."""
    with contextlib.ExitStack() as stack:
        logs = {}
        for unit in units:
            command, environ = host.command(unit)
            logs[unit] = host.root / f"{unit}.log"
            how = {"env": environ, "cwd": host.root / "var/lib/rung"}
            stack.enter_context(parts.running(command, logs[unit], **how))
        yield logs


def test_a_bare_host_becomes_a_deployment_and_its_dump_another_one(
    host: Host, tmp_path: Path, redis_url: str, simulator: tuple[State, str]
) -> None:
    (first, second), port = fences("sql", "rung"), free_port()
    with parts.postgres(tmp_path / "one") as url, parts.postgres(tmp_path / "two") as other:
        server, elsewhere = (one.partition("@")[2].partition("/")[0] for one in (url, other))
        # given the roles, as the document makes them
        with psycopg.connect(f"postgresql://postgres@{server}/postgres", autocommit=True) as made:
            made.execute("DROP DATABASE rung")
            for statement in first.strip().splitlines():
                made.execute(statement)
        # and the files that it names, with what it says that they hold
        claude = f"ANTHROPIC_API_KEY=sk-test\nANTHROPIC_BASE_URL={simulator[1]}"
        works = f"DATABASE_URL={WORKER}{server}/rung\nREDIS_URL={redis_url}"
        files = {
            "worker.env": f"{works}\n{claude}",
            "dashboard.env": f"{works}\nRUNG_DASHBOARD__PORT={port}",
            "scheduler.env": f"REDIS_URL={redis_url}",
            "migrate.env": f"DATABASE_URL={OWNER}{server}/rung",
            "rung.toml": "",
        }
        assert set(files) - {"rung.toml"} == set(re.findall(r"^\| `(\w+\.env)` ", DOCUMENT, re.M))
        (systemd,) = fences("sh", "systemctl daemon-reload")
        made_by_hand, rest = systemd.split("install -m 0644", 1)
        host.run(made_by_hand)
        for name, text in files.items():
            (host.root / "etc/rung" / name).write_text(text + "\n")
        host.run("install -m 0644" + rest)
        # when what was asked of systemd is started in that order
        migrate, *services = host.asked_of_systemd()
        command, environ = host.command(migrate)
        subprocess.run(command, env=environ, check=True, capture_output=True, timeout=120)
        with psycopg.connect(f"{OWNER}{server}/rung", autocommit=True) as connection:
            granting = second.strip().splitlines()
            with psycopg.connect(
                f"postgresql://postgres@{server}/rung", autocommit=True
            ) as superuser:
                superuser.execute(granting[0])
            for statement in granting[1:]:
                connection.execute(statement)
        (commands,) = fences("sh", "systemd-run")
        with started(host, services) as logs:
            workers = [log for unit, log in logs.items() if "worker@" in unit]
            eventually(lambda: all("at work" in log.read_text() for log in workers), within_s=300)
            submitted = "external_id,body\n1,Where is my card?\n"
            (host.checkout / "day.csv").write_text(submitted)
            said = host.run(commands)
            # then
            assert "FAIL" not in said
            assert len(workers) == 4
            rung = shlex.quote(str(host.root / "opt/rung/bin/rung"))
            host.run(commands.partition("rung doctor")[0] + "rung status day --watch")
            assert f"127.0.0.1:{port}" in logs["rung-dashboard"].read_text()
            assert "beat" in logs["rung-scheduler"].read_text()
            # and a dump of it becomes another one
            (backup,) = fences("sh", "pg_dump")
            binaries = Path(parts.program("pg_dump")).parent
            host.environ |= {
                "DATABASE_URL": f"{OWNER}{server}/rung",
                "OTHER_DATABASE_URL": f"postgresql://postgres@{elsewhere}/rung",
            }
            dump, restore, _ = backup.strip().splitlines()
            host.run(f"PATH={binaries}:$PATH\n{dump}\n{restore}")
        host.environ["DATABASE_URL"] = host.environ["OTHER_DATABASE_URL"]
        host.run(f"{rung} db upgrade")
        assert "1" in host.run(f"{rung} status day --json")
