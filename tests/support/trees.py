"""Our modules as Python reads them: parsed once, for every test that looks at their shape."""

import ast
import gc
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.support.places import ROOT

FOLDERS = ("worker", "models", "rung")


@cache
def trees() -> Mapping[Path, ast.Module]:
    """Every module of ours, by its path in the repository. Nobody changes them."""
    # Without a pause the collector walks the growing trees some hundred times.
    gc.disable()
    try:
        paths = [path for name in FOLDERS for path in sorted((ROOT / name).rglob("*.py"))]
        return {path.relative_to(ROOT): ast.parse(path.read_text("utf-8")) for path in paths}
    finally:
        gc.freeze()
        gc.enable()


@cache
def nodes(tree: ast.Module) -> tuple[ast.AST, ...]:
    """What a module consists of, in the order of `ast.walk`, which is slow: walked once for all."""
    return tuple(ast.walk(tree))
