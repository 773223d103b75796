"""Cross-origin requests (Fetch standard, "CORS protocol")."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

CREDENTIALS = "Access-Control-Allow-Credentials"


class ListedOriginsMiddleware(CORSMiddleware):
    """Allows cookies to listed origins, which Starlette would allow to all if ``*`` is listed."""

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if request_headers["origin"] in self.allow_origins and not self.allow_all_origins:
            response.headers[CREDENTIALS] = "true"
        return response

    @staticmethod
    def allow_explicit_origin(headers: MutableHeaders, origin: str) -> None:
        """Allow an origin that is listed: without ``allow_credentials``, ``*`` never leads here."""
        CORSMiddleware.allow_explicit_origin(headers, origin)
        headers[CREDENTIALS] = "true"
