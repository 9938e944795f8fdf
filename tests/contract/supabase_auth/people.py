"""Who can sign in at the contract server's Google, and what Supabase Auth makes of them."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class GoogleAccount:
    """What Google tells about somebody; the extras are what nobody asked for."""

    sub: str
    email: str
    name: str = "Grace Hopper"
    email_verified: bool = True
    picture: str = "https://lh3.googleusercontent.example/a/portrait-canary"
    locale: str = "nl-locale-canary"
    phone: str = "+31 6 555 01 23"

    def metadata(self) -> dict[str, Any]:
        """As Supabase Auth keeps it in `identity_data` and in the user's metadata."""
        return {
            "iss": "https://accounts.google.com",
            "sub": self.sub,
            "provider_id": self.sub,
            "name": self.name,
            "full_name": self.name,
            "email": self.email,
            "email_verified": self.email_verified,
            "phone_verified": False,
            "phone": self.phone,
            "avatar_url": self.picture,
            "picture": self.picture,
            "locale": self.locale,
        }


@dataclass
class User:
    """A row of auth.users with its one identity."""

    google: GoogleAccount
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    identity_id: uuid.UUID = field(default_factory=uuid.uuid4)
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    banned: bool = False

    def shown(self) -> dict[str, Any]:
        """The user object of the API."""
        confirmed = self.created_at if self.google.email_verified else None
        return {
            "id": str(self.id),
            "aud": "authenticated",
            "role": "authenticated",
            "email": self.google.email.lower(),
            "email_confirmed_at": confirmed,
            "phone": "",
            "confirmed_at": confirmed,
            "last_sign_in_at": self.created_at,
            "app_metadata": {"provider": "google", "providers": ["google"]},
            "user_metadata": self.google.metadata(),
            "identities": [
                {
                    "identity_id": str(self.identity_id),
                    "id": self.google.sub,
                    "user_id": str(self.id),
                    "identity_data": self.google.metadata(),
                    "provider": "google",
                    "last_sign_in_at": self.created_at,
                    "created_at": self.created_at,
                    "updated_at": self.created_at,
                    "email": self.google.email.lower(),
                }
            ],
            "created_at": self.created_at,
            "updated_at": self.created_at,
            "is_anonymous": False,
        }
