"""The account API does what its OpenAPI document says: data in and out of the declared form, for every operation.

The last tests declare something wrong and expect that it is found: checks that cannot fail prove nothing.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from psycopg import sql
from schemathesis.core.failures import FailureGroup

from crouter.contract.deployment import Deployment, Identity
from crouter.embedded import RunningCluster
from crouter.runtime.account_api.openapi import PATH, openapi_document
from crouter.runtime.account_api.operation import Access, Operation
from crouter.runtime.account_api.operations import OPERATIONS
from crouter.runtime.account_api.shapes import Nothing, Shape
from tests.behaviour.in_thread import SignedIn, Threaded, serving_in_thread, sign_in
from tests.behaviour.service import Service, message

REQUESTS = 3
EXAMPLES = 10
IDENTITY = Identity("Crouter", "https://crouter.dev", "", "")
Document = dict[str, Any]
Site = tuple[Threaded, SignedIn]

# Derandomized: the same cases every time, so that a failure can be repeated.
BOUNDED = settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
SCHEMA = schemathesis.openapi.from_dict(openapi_document(IDENTITY, OPERATIONS))
_turns = itertools.count()


@pytest.fixture(scope="module")
def site(deployment: Deployment, generated: Path, cluster: RunningCluster, migrated: str) -> Iterator[Site]:
    """One service for all of them, with some usage, and somebody who is signed in."""
    copy = sql.SQL("CREATE DATABASE conformance TEMPLATE {}").format(sql.Identifier(migrated))
    with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
        connection.execute(copy)
    with serving_in_thread(deployment, cluster.dsn("conformance"), generated) as threaded:
        threaded.run(_use(threaded.service))
        yield threaded, threaded.run(sign_in(threaded.service))


async def _use(service: Service) -> None:
    async with aiohttp.ClientSession(headers=service.headers()) as session:
        for _ in range(REQUESTS):
            async with session.post(f"{service.url}/v1/messages", json=message()) as answer:
                assert answer.status == 200
    assert len(await service.settled("usage")) == REQUESTS


def check(case: schemathesis.Case[Any], site: Site) -> None:
    """Sends a case as somebody who is signed in, unless credentials are what it is about, and judges the answer."""
    threaded, person = site
    is_about_credentials = case.operation.schema.is_security_param_negated(case)
    case.call_and_validate(base_url=threaded.service.url, headers={} if is_about_credentials else person.headers)


@BOUNDED
@SCHEMA.parametrize()
def test_every_operation_answers_as_it_is_declared(case: schemathesis.Case[Any], site: Site) -> None:
    meta = case.meta
    if "id" in case.path_parameters and meta is not None and meta.generation.mode.is_positive and next(_turns) % 2:
        # What is there is asked for as often as what is not.
        case.path_parameters["id"] = str(site[0].service.key_id)
    check(case, site)


def test_the_document_that_is_served_is_the_one_that_is_checked(site: Site, deployment: Deployment) -> None:
    answer = requests.get(site[0].service.url + PATH, timeout=10)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == openapi_document(deployment.identity, OPERATIONS)
    assert answer.json()["paths"].keys() == SCHEMA.raw_schema["paths"].keys()


class _WrongBalance(Shape, frozen=True):
    """A balance of another form."""

    balance_nanousd: str


class _OneWord(Shape, frozen=True):
    """A parameter that nothing reads."""

    word: str


def _other_status(operation: Operation) -> Operation:
    return replace(operation, status=202)


def _other_answer(operation: Operation) -> Operation:
    return replace(operation, answer=_WrongBalance, example=_WrongBalance(balance_nanousd="12"))


def _other_parameter(operation: Operation) -> Operation:
    return replace(operation, query=_OneWord)


@pytest.mark.parametrize("wrong", [_other_status, _other_answer, _other_parameter])
def test_a_wrong_declaration_is_found(wrong: Callable[[Operation], Operation], site: Site) -> None:
    (balance,) = (operation for operation in OPERATIONS if operation.name == "account_balance")
    assert wrong(balance) != balance
    with pytest.raises(FailureGroup):
        _check_all(openapi_document(IDENTITY, [wrong(balance)]), balance, site)
    _check_all(openapi_document(IDENTITY, [balance]), balance, site)


def test_an_operation_that_needs_nobody_to_be_signed_in_is_found(site: Site) -> None:
    """The document of the OpenAPI operation itself, which everybody may read, with a session declared for it."""
    (balance,) = (operation for operation in OPERATIONS if operation.name == "account_balance")
    document = openapi_document(IDENTITY, [replace(balance, access=Access.PERSON, query=Nothing)])
    open_path = {"get": document["paths"].pop(balance.path)["get"]}
    open_path["get"]["responses"]["200"] = {"description": "", "content": {"application/json": {"schema": {}}}}
    document["paths"][PATH] = open_path
    with pytest.raises(FailureGroup, match=r"(?i)auth"):
        _check_all(document, replace(balance, path=f"/api/account/{PATH}"), site, path=PATH)


def _check_all(document: Document, operation: Operation, site: Site, path: str = "") -> None:
    """Cases of one operation of a document, one after the other."""
    schema = schemathesis.openapi.from_dict(document)

    @settings(BOUNDED, phases=[Phase.generate])
    @given(case=schema[path or operation.path][operation.method].as_strategy())
    def judge(case: schemathesis.Case[Any]) -> None:
        check(case, site)

    judge()
