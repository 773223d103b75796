"""What is special about Apple: a client secret that is signed, and metadata that do not hold."""

import time

from domain.providers.jwts import SigningKey
from domain.providers.metadata import Metadata

ISSUER = "https://appleid.apple.com"

# As Apple documents them. Its published metadata named another issuer for some days in June 2025,
# while its tokens kept this one.
METADATA = Metadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/auth/authorize",
    token_endpoint=f"{ISSUER}/auth/token",
    jwks_uri=f"{ISSUER}/auth/keys",
    token_endpoint_auth_methods=("client_secret_post",),
)

# Apple sends the name only in the first callback, and not in a token.
SCOPES = "openid email"

# In seconds. It is used at once.
_LIFETIME = 300


class ClientSecret:
    """Makes the client secret of an exchange: a JWT that a private key of the team signs."""

    def __init__(self, *, client_id: str, team_id: str, key: SigningKey) -> None:
        self._client_id = client_id
        self._team_id = team_id
        self._key = key

    def __call__(self) -> str:
        now = int(time.time())
        return self._key.sign(
            {
                "iss": self._team_id,
                "sub": self._client_id,
                "aud": ISSUER,
                "iat": now,
                "exp": now + _LIFETIME,
            }
        )
