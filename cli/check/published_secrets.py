"""Secrets that stand in documents and examples, and that attackers try first."""

import hashlib

# SHA-256 of the secrets in lower case, so that a search for them does not lead here.
_PUBLISHED = frozenset(
    {
        # FastAPI's tutorial.
        "570dad43de1af4c925f92c16a68a50936da42b7dd6fdeb24850507a1199aac89",
        # Flask's documentation, today and before.
        "2598f7d6adc142d88161630f3db12ab2bd3403521c281811e5e1ce60d4ac5d76",
        "9cb335cb7b5fb805934637d85c4f57c695baac019c0a57ceffd0afe43144c9cb",
        # RFC 7515 appendix A.1, and RFC 7520 section 3.5.
        "c1d2e8726375f11fda33d032c5d84eec753aba4bad251dfdfaf8bdd8c4d26243",
        "03cf6dc15510c178079793372edd09e634ac49f4cae267b3e4191a5141f2a46e",
        # Hasura's documentation, and Supabase's .env.example.
        "a59e993b12b84cd042858443749443fbe38d1e32fbab430e2b9e328e24290ebc",
        "d818c75b7e2a38133bc4c17918b048ada122d40039e75f68be1607de0dd13ec1",
        # Tutorials on tokens with Spring, which thousands of repositories copied.
        "2b1fa627178e3424e20ffd0e18b7440c322ad538d3c96aef1e3f60d99951c23c",
        "138e3c21f8c5581ec97cca6b029c0b232b5bc4bfe6d573ace3be91f80784e2b4",
        "5df73e1aa59d8f332c2f5fd6ea1c37d0f2266b623ea3c4efe6cb3d577fd6a5e1",
        "0f31535ad680722d1d626c8377b0dcbdd31619a0bf716da2de9fd7ac318c2387",
    }
)


def is_published(secret: str) -> bool:
    text = secret.strip().lower()
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest() in _PUBLISHED
