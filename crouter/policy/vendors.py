"""Well-known vendors: how they are named, the domains that are theirs, and what they do with what they receive.

For finding parties that a policy names without declaring them. A vendor that is missing here is found by the way it is
named, with less certainty.
"""

import functools
import re
from dataclasses import dataclass
from typing import Literal

VendorKind = Literal["mail", "analytics", "advertising", "identity", "hosting", "data", "payment", "model", "support"]


@dataclass(frozen=True, slots=True)
class Vendor:
    """A company that receives other people's data. `words` are further names and products of it."""

    name: str
    kind: VendorKind
    words: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


VENDORS = (
    Vendor("Google", "identity", ("Gmail", "Google Analytics", "Firebase", "GCP", "Google Cloud", "BigQuery"),
           ("google.com", "googleapis.com", "google-analytics.com", "googletagmanager.com", "gstatic.com")),
    Vendor("GitHub", "identity", (), ("github.com",)),
    Vendor("GitLab", "identity", (), ("gitlab.com",)),
    Vendor("Apple", "identity", ("iCloud",), ("apple.com", "icloud.com")),
    Vendor("Microsoft", "identity", ("Azure", "Entra", "Office 365", "Outlook"),
           ("microsoft.com", "azure.com", "windows.net", "azureedge.net", "outlook.com")),
    Vendor("Meta", "advertising", ("Facebook", "Instagram", "Meta Pixel"), ("facebook.com", "facebook.net")),
    Vendor("TikTok", "advertising", (), ("tiktok.com",)),
    Vendor("LinkedIn", "advertising", (), ("linkedin.com", "licdn.com")),
    Vendor("Criteo", "advertising", (), ("criteo.com", "criteo.net")),
    Vendor("DoubleClick", "advertising", ("Google Ads", "AdSense"), ("doubleclick.net", "googlesyndication.com")),
    Vendor("Auth0", "identity", (), ("auth0.com",)),
    Vendor("Okta", "identity", (), ("okta.com",)),
    Vendor("Clerk.com", "identity", (), ("clerk.com", "clerk.dev")),
    Vendor("WorkOS", "identity", (), ("workos.com",)),
    Vendor("Amazon Web Services", "hosting", ("AWS", "Amazon", "CloudFront", "DynamoDB", "Amazon S3", "EC2"),
           ("amazonaws.com", "aws.amazon.com", "amazon.com", "cloudfront.net")),
    Vendor("Amazon SES", "mail", ("AWS SES",), ()),
    Vendor("Cloudflare", "hosting", ("Cloudflare Workers",), ("cloudflare.com", "workers.dev")),
    Vendor("Fastly", "hosting", (), ("fastly.com", "fastly.net")),
    Vendor("Akamai", "hosting", ("Linode",), ("akamai.com", "akamaized.net", "linode.com")),
    Vendor("Vercel", "hosting", (), ("vercel.com", "vercel.app")),
    Vendor("Netlify", "hosting", (), ("netlify.com", "netlify.app")),
    Vendor("Fly.io", "hosting", (), ("fly.io", "fly.dev")),
    Vendor("Railway.app", "hosting", (), ("railway.app",)),
    Vendor("Render.com", "hosting", (), ("render.com", "onrender.com")),
    Vendor("Heroku", "hosting", (), ("heroku.com", "herokuapp.com")),
    Vendor("DigitalOcean", "hosting", (), ("digitalocean.com",)),
    Vendor("Hetzner", "hosting", (), ("hetzner.com", "hetzner.de")),
    Vendor("OVHcloud", "hosting", ("OVH",), ("ovh.com", "ovhcloud.com")),
    Vendor("Supabase", "data", (), ("supabase.co", "supabase.com")),
    Vendor("Neon.tech", "data", (), ("neon.tech",)),
    Vendor("PlanetScale", "data", (), ("planetscale.com",)),
    Vendor("MongoDB", "data", ("MongoDB Atlas",), ("mongodb.com", "mongodb.net")),
    Vendor("Redis Cloud", "data", ("Redis Labs", "Upstash"), ("redis.com", "redislabs.com", "upstash.com")),
    Vendor("Snowflake", "data", (), ("snowflake.com", "snowflakecomputing.com")),
    Vendor("Sentry", "support", (), ("sentry.io",)),
    Vendor("Datadog", "support", (), ("datadoghq.com", "datadoghq.eu")),
    Vendor("New Relic", "support", (), ("newrelic.com",)),
    Vendor("Honeycomb", "support", (), ("honeycomb.io",)),
    Vendor("Grafana Cloud", "support", (), ("grafana.net",)),
    Vendor("Better Stack", "support", ("Logtail",), ("betterstack.com", "logtail.com")),
    Vendor("Papertrail", "support", (), ("papertrailapp.com",)),
    Vendor("Bugsnag", "support", (), ("bugsnag.com",)),
    Vendor("Rollbar", "support", (), ("rollbar.com",)),
    Vendor("LogRocket", "support", (), ("logrocket.com",)),
    Vendor("Intercom", "support", (), ("intercom.io", "intercom.com")),
    Vendor("Zendesk", "support", (), ("zendesk.com",)),
    Vendor("Crisp.chat", "support", (), ("crisp.chat",)),
    Vendor("Freshdesk", "support", (), ("freshdesk.com",)),
    Vendor("HubSpot", "advertising", (), ("hubspot.com", "hsforms.com")),
    Vendor("Salesforce", "advertising", (), ("salesforce.com", "force.com")),
    Vendor("Slack", "support", (), ("slack.com",)),
    Vendor("Discord", "support", (), ("discord.com",)),
    Vendor("PostHog", "analytics", (), ("posthog.com",)),
    Vendor("Mixpanel", "analytics", (), ("mixpanel.com",)),
    Vendor("Segment.io", "analytics", ("Twilio Segment", "Segment.com"), ("segment.com", "segment.io")),
    Vendor("Amplitude", "analytics", (), ("amplitude.com",)),
    Vendor("Plausible", "analytics", (), ("plausible.io",)),
    Vendor("Matomo", "analytics", (), ("matomo.cloud",)),
    Vendor("Umami", "analytics", (), ("umami.is",)),
    Vendor("Fathom", "analytics", (), ("usefathom.com",)),
    Vendor("Hotjar", "analytics", (), ("hotjar.com",)),
    Vendor("FullStory", "analytics", (), ("fullstory.com",)),
    Vendor("Heap.io", "analytics", ("Heap Analytics",), ("heap.io", "heapanalytics.com")),
    Vendor("OpenPanel", "analytics", (), ("openpanel.dev",)),
    Vendor("Mailgun", "mail", (), ("mailgun.com", "mailgun.net", "mailgun.org")),
    Vendor("SendGrid", "mail", ("Twilio SendGrid",), ("sendgrid.com", "sendgrid.net")),
    Vendor("Postmark", "mail", (), ("postmarkapp.com",)),
    Vendor("Mailchimp", "mail", ("Mandrill",), ("mailchimp.com", "mandrillapp.com")),
    Vendor("Resend.com", "mail", ("Resend",), ("resend.com",)),
    Vendor("Brevo", "mail", ("Sendinblue",), ("brevo.com", "sendinblue.com")),
    Vendor("SparkPost", "mail", (), ("sparkpost.com",)),
    Vendor("Mailjet", "mail", (), ("mailjet.com",)),
    Vendor("Loops.so", "mail", (), ("loops.so",)),
    Vendor("Customer.io", "mail", (), ("customer.io",)),
    Vendor("Klaviyo", "mail", (), ("klaviyo.com",)),
    Vendor("Twilio", "support", (), ("twilio.com",)),
    Vendor("Stripe", "payment", (), ("stripe.com", "stripe.network")),
    Vendor("Paddle", "payment", (), ("paddle.com",)),
    Vendor("PayPal", "payment", ("Braintree",), ("paypal.com", "braintreegateway.com")),
    Vendor("Lemon Squeezy", "payment", (), ("lemonsqueezy.com",)),
    Vendor("Adyen", "payment", (), ("adyen.com",)),
    Vendor("Klarna", "payment", (), ("klarna.com",)),
    Vendor("Anthropic", "model", ("Claude",), ("anthropic.com", "claude.ai", "claude.com")),
    Vendor("OpenAI", "model", ("ChatGPT",), ("openai.com",)),
    Vendor("Mistral", "model", (), ("mistral.ai",)),
    Vendor("Cohere", "model", (), ("cohere.com", "cohere.ai")),
    Vendor("MaxMind", "data", ("GeoIP2", "GeoLite"), ("maxmind.com",)),
    Vendor("ipinfo.io", "data", ("IPinfo",), ("ipinfo.io",)),
)  # fmt: skip


@functools.lru_cache(maxsize=4096)
def vendors_in(text: str) -> tuple[tuple[Vendor, str], ...]:
    """The vendors that a text names, each with the words used. The longest name counts: Amazon SES is no Amazon."""
    pattern, names = _names()
    found: dict[str, tuple[Vendor, str]] = {}
    for name in pattern.findall(text):
        found.setdefault(names[name].name, (names[name], name))
    return tuple(found.values())


@functools.lru_cache(maxsize=1)
def _names() -> tuple[re.Pattern[str], dict[str, Vendor]]:
    names = {name: vendor for vendor in VENDORS for name in (vendor.name, *vendor.words)}
    longest_first = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"(?<![\w.-])({longest_first})(?![\w]|\.\w)"), names


def vendor_of_host(host: str) -> Vendor | None:
    """The vendor that a host, or a pattern of hosts, belongs to."""
    name = host.removeprefix("*.")
    for vendor in VENDORS:
        if any(name == domain or name.endswith(f".{domain}") for domain in vendor.domains):
            return vendor
    return None
