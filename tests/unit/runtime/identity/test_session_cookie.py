"""What a browser holds of a session, and of a sign-in under way."""

import uuid

from crouter.runtime.environment import KEY_BYTES, KeyRing, VersionedKey
from crouter.runtime.identity.flow import COOKIE as FLOW
from crouter.runtime.identity.flow import LIFETIME_SECONDS, Flow, FlowCookie, new_state
from crouter.runtime.identity.session_cookie import COOKIE, SealedCookie, SessionCookie
from crouter.runtime.secret import Secret


def ring(*letters: str) -> KeyRing:
    """Keys of rising versions, given oldest first."""
    keys = [VersionedKey(n, Secret(letter.encode() * KEY_BYTES)) for n, letter in enumerate(letters, 1)]
    return KeyRing(tuple(reversed(keys)))


def test_a_session_has_a_form_token_that_stays_and_that_no_other_session_has() -> None:
    cookie, session = SessionCookie(ring("a")), uuid.uuid4()
    value, other = cookie.make(session), cookie.make(session)
    held, again, others = cookie.read(value), cookie.read(value), cookie.read(other)
    assert held is not None
    assert others is not None
    assert held == again
    assert held.session == others.session == session
    assert held.form_token != others.form_token


def test_a_new_key_does_not_sign_anybody_out_until_the_old_one_goes() -> None:
    value = SessionCookie(ring("a")).make(uuid.uuid4())
    assert SessionCookie(ring("a", "b")).read(value) is not None
    newer = SessionCookie(ring("a", "b")).make(uuid.uuid4())
    assert SessionCookie(ring("a")).read(newer) is None
    assert SessionCookie(ring("c")).read(value) is None


def test_a_value_of_one_cookie_is_nothing_in_another() -> None:
    plain = uuid.uuid4().bytes + b"t" * 24
    assert SessionCookie(ring("a")).read(SealedCookie(COOKIE, ring("a")).seal(plain)) is not None
    assert SessionCookie(ring("a")).read(SealedCookie(FLOW, ring("a")).seal(plain)) is None
    assert SessionCookie(ring("a")).read(SealedCookie(COOKIE, ring("a")).seal(plain + b"x")) is None


def test_a_sign_in_belongs_to_its_state_and_to_ten_minutes() -> None:
    now = [1000.0]
    flows = FlowCookie(ring("a"), lambda: now[0])
    flow = Flow(Secret("v" * 64), new_state(), "/privacy")
    value = flows.make(flow)
    assert flows.read(value, flow.state) == flow
    assert flows.read(value, new_state()) is None
    assert flows.read(value, "") is None
    assert flows.read(None, flow.state) is None
    assert flows.read_return(value) is None, "whoever begins a sign-in takes no deletion back"
    now[0] += LIFETIME_SECONDS
    assert flows.read(value, flow.state) is None


def test_who_may_take_a_deletion_back_is_told_for_ten_minutes() -> None:
    now, account = [1000.0], uuid.uuid4()
    flows = FlowCookie(ring("a"), lambda: now[0])
    value = flows.make_return(account)
    assert flows.read_return(value) == account
    assert flows.read(value, "") is None
    now[0] += LIFETIME_SECONDS
    assert flows.read_return(value) is None
