"""The tables of scheduled reprocessings."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from worker.config.sections import Dollars, Section


class NightlySettings(Section):
    """A scheduled reprocessing."""

    cron: str
    timezone: str = "UTC"
    where: str
    policy: str | None = None
    lane: Literal["realtime", "batch"] | None = None
    """None: half price where Claude's door has batches."""
    since: str | None = None
    max_cost: Dollars | None = None
    deadline: str | None = None
    """A span from its start on (`6h`): what the batch lane would finish later goes realtime."""
    priority: Annotated[int, Field(ge=-100, le=100)] = 0

    @model_validator(mode="after")
    def makes_sense(self) -> Self:
        """A night that cannot work is better refused by day. Imported here: few processes have a
        schedule, and all of them load their settings."""
        from worker.domain.filter_parsing import parse
        from worker.domain.filters import FilterError
        from worker.domain.spans import read_span
        from worker.domain.timetable import Timetable, complaint
        from worker.errors import UsageError

        if problem := complaint(Timetable(self.cron, self.timezone)):
            raise ValueError(problem)
        try:
            parse(self.where)
            if self.deadline is not None:
                read_span(self.deadline, "deadline")
        except FilterError as error:
            raise ValueError(f"{error.sentence.rstrip('.')} (in {error.pointed_at!r})") from None
        except UsageError as error:
            raise ValueError(str(error)) from None
        return self
