"""Dashboard sessions that people have ended: kept until they would be too old by themselves."""

from sqlalchemy import Engine, text


def end_session(engine: Engine, nonce: str, left_s: float) -> None:
    """Ends it at every copy of the dashboard, over every restart. `left_s`: seconds for which its
    cookie would still be good."""
    with engine.begin() as connection:
        connection.execute(FORGET)
        connection.execute(END, {"nonce": nonce, "left": max(left_s, 0)})


def has_ended(engine: Engine, nonce: str) -> bool:
    """Whether somebody has signed out of it."""
    with engine.connect() as connection:
        return connection.execute(ENDED, {"nonce": nonce}).first() is not None


FORGET = text("DELETE FROM ended_sessions WHERE too_old_at < now()")
END = text("""
INSERT INTO ended_sessions (nonce, too_old_at) VALUES (:nonce, now() + make_interval(secs => :left))
ON CONFLICT (nonce) DO NOTHING
""")
ENDED = text("SELECT FROM ended_sessions WHERE nonce = :nonce")
