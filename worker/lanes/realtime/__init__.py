"""One call after another, as fast as the rate limits allow."""
