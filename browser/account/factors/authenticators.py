"""Virtual authenticators of Chromium (WebAuthn Level 3, section 11), as users have them: a phone, a
security key."""

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import CDPSession, Page

# A device with a screen lock.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class Authenticator:
    """An authenticator of one tab."""

    session: CDPSession
    id: str

    def credentials(self) -> list[dict[str, Any]]:
        answer = self.session.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        found: list[dict[str, Any]] = answer["credentials"]
        return found

    def verifies(self, is_verified: bool) -> None:
        """Let the user pass the screen lock, or not."""
        values = {"authenticatorId": self.id, "isUserVerified": is_verified}
        self.session.send("WebAuthn.setUserVerified", values)

    def answers(self, does: bool) -> None:
        """Let the user confirm what the browser asks for from now on, or leave it waiting."""
        values = {"authenticatorId": self.id, "enabled": does}
        self.session.send("WebAuthn.setAutomaticPresenceSimulation", values)

    def remove(self) -> None:
        self.session.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self.id})


def add_authenticator(page: Page, **options: object) -> Authenticator:
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    answer = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE | options})
    return Authenticator(session, answer["authenticatorId"])
