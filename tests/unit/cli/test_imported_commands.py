"""What a command's import costs is not paid twice: no garbage is looked for among what stays."""

import gc
import importlib
import sys
from types import ModuleType

import pytest

from worker.cli.main import cli


def test_no_garbage_is_looked_for_while_a_command_is_imported_and_all_of_it_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[bool] = []
    frozen: list[bool] = []

    def imported(name: str) -> ModuleType:
        looked.append(gc.isenabled())
        raise ModuleNotFoundError(name)

    monkeypatch.delitem(sys.modules, "worker.cli.status", raising=False)
    monkeypatch.setattr(importlib, "import_module", imported)
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(True))
    with pytest.raises(ModuleNotFoundError):
        cli.get_command(None, "status")  # type: ignore[arg-type]
    assert looked == [False]
    assert frozen == [True]
    assert gc.isenabled(), "also where it could not be imported"
