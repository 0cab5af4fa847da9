"""The catalogue as JSON: what comes in, what goes out, and the schemas of both."""
