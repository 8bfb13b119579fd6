"""What happens. Nothing of it is imported where `models` or `migrations` are somebody else's."""

from rung.installation import require_own

require_own()
