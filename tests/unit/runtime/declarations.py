"""Small declarations for unit tests."""

from crouter.contract.data import Field, Purpose, Record
from crouter.contract.deployment import Deployment, Identity, Security
from crouter.contract.destinations import Processor
from crouter.contract.observation import LogField, LogStream, Metric
from crouter.contract.retention import RetentionPlan
from crouter.contract.traffic import Limits, Proxy, Route
from crouter.contract.web import Web

USAGE = Record(
    name="usage",
    label="usage data",
    policy_path="data.usage",
    key="id",
    owner="account",
    fields=(
        Field("id", "uuid", "id", "data.usage.id"),
        Field("account_id", "reference", "account", "data.usage.account_id", references="account"),
        Field("api_key_id", "reference", "key", "data.usage.api_key_id", references="api_key"),
        Field("model", "text", "model", "data.usage.model", personal=True, purposes=("billing",), source="measurement"),
        Field("input_tokens", "count", "tokens", "data.usage.input_tokens", personal=True, purposes=("billing",)),
        Field("cache_read_tokens", "count", "tokens", "data.usage.cache_read_tokens", required=False),
    ),
)
ANTHROPIC = Processor(
    name="anthropic",
    label="Anthropic",
    policy_path="processors.anthropic",
    mode="transit",
    hosts=("api.anthropic.com",),
    purposes=("proxying",),
    receives=("content",),
)
STRIPE = Processor(
    name="stripe",
    label="Stripe",
    policy_path="processors.stripe",
    mode="store",
    hosts=("api.stripe.com", "*.stripe.network"),
    purposes=("payment",),
    receives=("account.email",),
)
SERVICE_LOG = LogStream(
    "service",
    (
        LogField("time", "timestamp"),
        LogField("level", "word"),
        LogField("event", "word"),
        LogField("request_id", "request_id"),
        LogField("status", "number"),
        LogField("error", "word"),
    ),
)
DEPLOYMENT = Deployment(
    contract=1,
    policy_digest="0" * 64,
    policy_version="1.0",
    identity=Identity("Crouter", "https://crouter.dev", "a proxy", "contact@crouter.dev"),
    purposes=(Purpose("billing", "billing", "contract"),),
    records=(USAGE,),
    processors=(ANTHROPIC, STRIPE),
    proxy=Proxy(
        upstream="anthropic",
        body_bytes_max=1000,
        routes=(Route("messages", "POST", "/v1/messages", True),),
        drops_request_headers=("cookie", "x-forwarded-*"),
        drops_response_headers=(),
        limits=Limits(3, 10, 20),
    ),
    logs=(SERVICE_LOG,),
    metrics=(Metric("crouter_requests_total", "answered requests", ("route", "status")),),
    web=Web((), (), None, (), ()),
    security=Security("AES-256-GCM", "HMAC-SHA-256", "1.2", 63072000, "refuse"),
    retention=RetentionPlan((), (), None),
    database_schema="crouter",
)
