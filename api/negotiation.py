"""The media types of requests and responses (GraphQL over HTTP, "Body"; RFC 9110)."""

from functools import lru_cache

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
EVENT_STREAM = "text/event-stream"


def media_type(content_type: str | None) -> str:
    """Return the type in a Content-Type header, in lower case and without parameters (RFC 9110
    section 8.3.1)."""
    return (content_type or "").partition(";")[0].strip().lower()


@lru_cache(maxsize=128)
def negotiate(accept: str | None) -> str | None:
    """Return the media type of the response (RFC 9110 section 12.5.1), or None if the client
    accepts neither.

    A client without an Accept header gets the specification's own type. One that accepts anything
    gets JSON, which every tool displays.
    """
    if not accept or not accept.strip():
        return GRAPHQL_RESPONSE
    qualities = dict(_media_range(part) for part in accept.split(","))
    by_wildcard = qualities.get("application/*", qualities.get("*/*", 0.0))
    graphql_response = qualities.get(GRAPHQL_RESPONSE, by_wildcard)
    json = qualities.get(JSON, by_wildcard)
    if not graphql_response and not json:
        return None
    if graphql_response == json:
        return GRAPHQL_RESPONSE if GRAPHQL_RESPONSE in qualities else JSON
    return GRAPHQL_RESPONSE if graphql_response > json else JSON


@lru_cache(maxsize=128)
def accepts_events(accept: str | None) -> bool:
    """Return whether the client names the type of server-sent events."""
    ranges = dict(_media_range(part) for part in (accept or "").split(","))
    return ranges.get(EVENT_STREAM, 0.0) > 0


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = part.lower().split(";")
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return name.strip(), quality
