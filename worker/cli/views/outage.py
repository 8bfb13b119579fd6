"""What who watches is shown while Postgres is away: the last that was seen, and how old that is."""

import datetime as dt

from sqlalchemy.exc import DBAPIError

from worker.cli.views.live import View
from worker.cli.views.picture import LivePicture
from worker.domain.wording import clock
from worker.store.engine import is_outage


class Outage:
    """Since when Postgres has not answered, if it does not just now."""

    def __init__(self) -> None:
        self._since: dt.datetime | None = None

    @property
    def lasts(self) -> bool:
        """Whether it has not answered the last question."""
        return self._since is not None

    def met(self, error: DBAPIError) -> bool:
        """Whether this error is one: Postgres away or starting, and nothing wrong with the SQL."""
        if not is_outage(error):
            return False
        self._since = self._since or dt.datetime.now(dt.UTC)
        return True

    def over(self) -> None:
        """It has answered."""
        self._since = None

    @property
    def words(self) -> str:
        """For who watches."""
        return (
            f"Postgres has not answered since {clock(self._since, self._since)} UTC: this is how it"
            " stood before. It goes on by itself when Postgres is back; Ctrl-C ends the watching,"
            " and nothing else."
        )


class Outliving:
    """A view whose last picture stays while Postgres is away. Without a first one the error is the
    caller's."""

    def __init__(self, view: View) -> None:
        self._view, self._outage = view, Outage()
        self._last: LivePicture | None = None

    @property
    def over(self) -> bool:
        """As the view was when it was last seen."""
        return not self._outage.lasts and self._view.over

    def draw(self) -> LivePicture:
        """The picture as of now, or the last one with the words. Raises DBAPIError for whatever is
        no outage."""
        try:
            self._last = self._view.draw()
        except DBAPIError as error:
            if self._last is None or not self._outage.met(error):
                raise
            return self._last.led_by(self._outage.words)
        self._outage.over()
        return self._last
