"""The configuration as it is now, for processes that run for long: what may change without a
restart is read anew when its file changes."""

import logging
import os
import threading
import time
from pathlib import Path

from worker.config.loading import config_path, load_settings
from worker.config.policies import check_policies
from worker.config.settings import Settings
from worker.errors import ConfigurationError, RungError

log = logging.getLogger(__name__)
TAKEN = ("policy", "policies", "lookups", "retrievers", "embedders", "prompts")
"""What is taken from a file that has changed; all else is that of the start."""
LOOK_EVERY_S = 1.0
Stamps = dict[Path, tuple[int, int]]


class CurrentSettings:
    """Settings, with policies, look-ups and the prompts' folder as `rung.toml` has them now. A file
    that cannot be read, or that names what is not there, changes nothing and is logged once."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._lock = settings, threading.Lock()
        self._stamps, self._looked_at = _stamps(settings), time.monotonic()

    def now(self, every_s: float = LOOK_EVERY_S) -> Settings:
        """The same object until something changes; files are looked at every `every_s` seconds."""
        with self._lock:
            if time.monotonic() - self._looked_at >= every_s:
                self._look()
                self._looked_at = time.monotonic()
            return self._settings

    def _look(self) -> None:
        stamps = _stamps(self._settings)
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            found = load_settings()
            if problems := check_policies(found):
                raise ConfigurationError(problems)
        except RungError as error:
            words = error.problems if isinstance(error, ConfigurationError) else [str(error)]
            log.error("changed configuration not taken", extra={"problems": words})
            return
        kept = {name: getattr(found, name) for name in TAKEN}
        self._settings = self._settings.model_copy(update=kept)
        self._stamps = _stamps(self._settings)
        log.info("changed configuration taken")


def _stamps(settings: Settings) -> Stamps:
    """When the files that matter were last written, and their sizes."""
    found: Stamps = {}
    try:
        path = config_path(os.environ, Path.cwd())
    except ConfigurationError:
        path = None
    given = [one.path for one in settings.lookups.values() if one.path]
    own = (*given, *settings.retrievers.values(), *settings.embedders.values())
    functions = (one.rpartition(":")[0] for one in own)
    for file in (path, *(Path(name) for name in functions if name.endswith(".py"))):
        if file is not None and file.is_file():
            status = file.stat()
            found[file] = status.st_mtime_ns, status.st_size
    return found
