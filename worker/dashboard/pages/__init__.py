"""Pages for people: routes, handlers and templates."""
