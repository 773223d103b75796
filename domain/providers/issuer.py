"""Issuers, and Microsoft's, which has a place for the tenant: `.../{tenantid}/v2.0`."""

import re
from collections.abc import Mapping
from typing import Any

TENANT = "{tenantid}"

_TENANT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def of_claims(issuer: str, claims: Mapping[str, Any]) -> str | None:
    """Return the issuer that a token must have, or None if the token does not name its tenant."""
    if TENANT not in issuer:
        return issuer
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or not _TENANT_ID.fullmatch(tenant):
        return None
    return issuer.replace(TENANT, tenant)


def is_of(issuer: str, given: str) -> bool:
    """Return whether an issuer is the configured one, with any tenant in the place of it."""
    before, place, after = issuer.partition(TENANT)
    if not place:
        return given == issuer
    tenant = given.removeprefix(before).removesuffix(after)
    return bool(_TENANT_ID.fullmatch(tenant)) and given == f"{before}{tenant}{after}"
