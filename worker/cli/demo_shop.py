"""The example shop whose orders the demo's answers stand on."""

from collections.abc import Mapping

from worker.claude.prompts import default_directory
from worker.config.settings import Settings

SHOP = "shop_orders"
ORDERS = "SELECT customer_id, number, item, state, due FROM orders WHERE customer_id = :customer_id"


def shop_environ(settings: Settings) -> Mapping[str, str]:
    """What lets workers look orders up in it. Of everybody who works on an embedded database: a
    demo that was interrupted is gone on with by a plain `rung up`. Nothing beside a database of
    one's own, or where a look-up of that name is configured."""
    shop = default_directory().parent / "shop" / "orders.sqlite"
    if settings.database_url is not None or SHOP in settings.lookups or not shop.is_file():
        return {}
    prefix = f"RUNG_LOOKUPS__{SHOP.upper()}__"
    return {
        f"{prefix}DATABASE_URL": f"sqlite:///{shop}",
        f"{prefix}QUERY": ORDERS,
        f"{prefix}ON_FAILURE": "without",
    }
