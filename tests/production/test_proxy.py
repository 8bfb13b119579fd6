"""nginx and Caddy from Debian with the shipped blocks, before a real dashboard."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import parts
from tests.support.deployment import deployment
from tests.support.places import ROOT
from tests.support.processes import RUNG
from tests.support.waiting import eventually
from worker.sandbox.redis import free_port

pytestmark = pytest.mark.slow
TOKEN = "t" * 40


def nginx(root: Path, port: int, behind: int) -> list[str]:
    text = (ROOT / "deploy/proxy/nginx.conf").read_text("utf-8")
    text = re.sub(r"^ +ssl_.*\n", "", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{port}").replace("8420", str(behind))
    temporary = "".join(
        f"{kind}_temp_path {root}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi")
    )
    (root / "nginx.conf").write_text(
        f"daemon off; pid {root}/nginx.pid; error_log {root}/nginx.err; events {{}}\n"
        f"http {{ {temporary} scgi_temp_path {root}/scgi; access_log off;\n{text}\n}}\n"
    )
    return [parts.program("nginx"), "-c", str(root / "nginx.conf")]


def caddy(root: Path, port: int, behind: int) -> list[str]:
    text = (ROOT / "deploy/proxy/Caddyfile").read_text("utf-8")
    text = text.replace("rung.example.com {", f"http://rung.example.com:{port} {{")
    text = text.replace("127.0.0.1:8420", f"127.0.0.1:{behind}")
    (root / "Caddyfile").write_text("{\n\tadmin off\n}\n" + text)
    return [
        parts.program("caddy"),
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        f"{root}/Caddyfile",
    ]


@pytest.fixture(params=[nginx, caddy])
def through(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str, redis_url: str
) -> Iterator[Callable[..., tuple[int, str]]]:
    """Asks the dashboard through the proxy, as a stranger on the network."""
    port, behind = free_port(), free_port()
    command = request.param(tmp_path, port, behind)
    with deployment(
        tmp_path, database=database_url, redis=redis_url, straight=database_url
    ) as made:
        environ = made.environ | {
            "RUNG_DASHBOARD__TOKEN": TOKEN,
            "RUNG_DASHBOARD__HOSTS": '["rung.example.com"]',
            "HOME": str(tmp_path),
        }
        dashboard = [*RUNG, "dashboard", "--port", str(behind)]
        with (
            parts.running(dashboard, tmp_path / "dashboard.log", env=environ, cwd=tmp_path),
            parts.running(command, tmp_path / "proxy.log", env=environ, cwd=tmp_path),
        ):

            def ask(path: str, data: bytes | None = None, **headers: str) -> tuple[int, str]:
                # As a browser names a port that is not the usual one.
                host = f"rung.example.com:{port}"
                named = {"Host": host, "Origin": f"http://{host}"} if data else {"Host": host}
                named |= {k.replace("_", "-"): v for k, v in headers.items()}
                url = f"http://127.0.0.1:{port}{path}"
                request = urllib.request.Request(url, data, headers=named)
                try:
                    with urllib.request.urlopen(request, timeout=10) as answer:
                        return answer.status, answer.read().decode()
                except urllib.error.HTTPError as error:
                    return error.code, error.read().decode()
                except OSError:
                    return 0, ""

            eventually(lambda: ask("/healthz")[0] == 200, within_s=120)
            yield ask


def test_reaching_the_proxy_makes_nobody_an_operator(
    through: Callable[..., tuple[int, str]],
) -> None:
    # then a stranger is nobody, whatever name he brings
    assert through("/api/session")[0] == 401
    assert through("/api/session", X_Forwarded_User="ops")[0] == 401
    assert through("/metrics")[0] in (401, 403, 404)
    # and whoever has the token is let in
    status, words = through("/api/session", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    assert json.loads(words)["role"] == "operator"
    # and may change something from the dashboard's own pages, and from no others
    pause = b'{"action": "pause", "tier": "opus"}'
    known = {"Authorization": f"Bearer {TOKEN}", "Content_Type": "application/json"}
    assert through("/api/actions", pause, **known)[0] == 200
    assert through("/api/actions", pause, **known, Origin="http://evil.example")[0] == 403
    # but under the dashboard's own name only
    asked = through("/api/session", Host="evil.example", Authorization=f"Bearer {TOKEN}")
    assert "operator" not in asked[1]
