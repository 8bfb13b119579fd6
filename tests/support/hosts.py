"""Hosts of their own on this machine: network namespaces, with cables that can be pulled."""

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.support.proxy import Proxy, proxied


@dataclass(frozen=True, slots=True)
class Host:
    """A namespace of `ip netns`. `gateway` is this machine as it sees it, `lines` its own proxies
    there to `claude`, `redis` and `postgres`."""

    name: str
    cable: str
    gateway: str
    lines: Mapping[str, Proxy]

    @contextlib.contextmanager
    def cut_off(self) -> Iterator[None]:
        """The cable is pulled: no byte passes, and nobody is told."""
        _ip("link", "set", "dev", self.cable, "down")
        try:
            yield
        finally:
            _ip("link", "set", "dev", self.cable, "up")


def why_none() -> str | None:
    """Why no hosts can be made here, or None."""
    if shutil.which("ip") is None:
        return "there is no command ip (Debian: iproute2)"
    name = f"rung-{secrets.token_hex(3)}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode != 0:
        return f"network namespaces may not be made: {made.stderr.decode().strip()}"
    _ip("netns", "del", name)
    return None


@contextlib.contextmanager
def host(lines: Mapping[str, Proxy]) -> Iterator[Host]:
    """A host that reaches what these lines lead to, by lines of its own."""
    mark = secrets.token_hex(3)
    name, cable, far = f"rung-{mark}", f"rg{mark}", f"rh{mark}"
    first, second = 64 + os.getpid() % 64, secrets.randbelow(256)
    gateway, address = f"10.{first}.{second}.1", f"10.{first}.{second}.2"
    with contextlib.ExitStack() as stack:
        _ip("netns", "add", name)
        stack.callback(_ip, "netns", "del", name)
        _ip("link", "add", cable, "type", "veth", "peer", "name", far, "netns", name)
        _ip("addr", "add", f"{gateway}/30", "dev", cable)
        _ip("link", "set", "dev", cable, "up")
        _ip("-n", name, "addr", "add", f"{address}/30", "dev", far)
        for device in (far, "lo"):
            _ip("-n", name, "link", "set", "dev", device, "up")
        own = {
            line: stack.enter_context(proxied(proxy.target, gateway))
            for line, proxy in lines.items()
        }
        yield Host(name, cable, gateway, own)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
