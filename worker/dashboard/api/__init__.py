"""The HTTP API: what the screens show and do, as JSON. One table of endpoints is the routes and the
OpenAPI description at once, so neither can say what the other does not do."""
