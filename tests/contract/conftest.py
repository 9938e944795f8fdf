"""The repository's declarations, which say where vendors' clients may go, and a project of Supabase."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from crouter.contract.deployment import Deployment
from crouter.plan.plan import make_plan
from crouter.policy.load import load
from crouter.runtime.egress.library_client import library_client
from crouter.runtime.identity.provider import IdentityProvider
from crouter.runtime.identity.settings import SupabaseSettings
from crouter.runtime.identity.supabase import SupabaseProvider
from crouter.runtime.secret import Secret
from tests.contract.project import Clock, Project
from tests.contract.supabase_auth.server import PUBLISHABLE_KEY, SECRET_KEY, SupabaseAuth

POLICY = Path(__file__).resolve().parents[2] / "policy.yaml"


@pytest.fixture(scope="session")
def deployment() -> Deployment:
    loaded = load(POLICY.read_text(encoding="utf-8"))
    assert loaded.policy is not None, loaded.problems
    return make_plan(loaded.policy).deployment


@pytest_asyncio.fixture
async def project(deployment: Deployment) -> AsyncIterator[Project]:
    clock = Clock()
    auth = SupabaseAuth("http://127.0.0.1:8080", clock)
    async with (
        auth.serving() as url,
        library_client(deployment, "supabase", url, lambda: None, production=False) as http,
    ):
        settings = SupabaseSettings(url, PUBLISHABLE_KEY, Secret(SECRET_KEY))
        provider = SupabaseProvider(settings, http)
        _: IdentityProvider = provider
        yield Project(auth, provider, http, clock)
