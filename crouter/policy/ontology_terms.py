"""The ontology as data: kinds of data, what they are part of, what gives them away, and the words people use for them.

Words are normalised (lower case, singular, single spaces). Keys are fideslang's, DPV terms those of its personal data
extension. How the table is read is in `ontology.py`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A kind of data. `part_of` is the kind that includes it; `derives` what can be worked out from it."""

    part_of: str = ""
    words: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    dpv: tuple[str, ...] = ()
    derives: tuple[str, ...] = ()


TERMS: dict[str, Term] = {
    "person": Term(
        words=("personal data", "personal information", "data about you"), keys=("user",), dpv=("PersonalData",)
    ),
    # Where somebody is.
    "location": Term(
        "person",
        ("location", "geolocation", "geo location", "geo", "geoip", "geo ip", "whereabouts", "where you are", "place"),
        ("user.location", "user.location.imprecise"),
        ("Location", "CurrentLocation", "Geographic", "TravelHistory", "Residency"),
    ),
    "whereabouts": Term("location", ("locating", "geolocating", "nearest airport", "neighbourhood")),
    "country": Term("location", ("country", "country code", "nation"), ("user.contact.address.country",), ("Country",)),
    "region": Term("location", ("region", "province", "county", "federal state"), ("user.contact.address.state",)),
    "city": Term("location", ("city", "town", "municipality"), ("user.contact.address.city",), ("City",)),
    "postal_code": Term(
        "location", ("postal code", "post code", "postcode", "zip code", "zip"), ("user.contact.address.postal_code",)
    ),
    "coordinates": Term(
        "location",
        ("coordinate", "latitude", "longitude", "lat", "lng", "lon", "gps", "gps position", "precise position"),
        ("user.location.precise",),
        ("GPSCoordinate",),
        derives=("city", "region", "country"),
    ),
    "geo_header": Term(
        "location", ("geolocation header", "geo header", "location header"), derives=("location", "country")
    ),
    "timezone": Term("", ("time zone", "timezone", "tz", "utc offset"), derives=("region", "country")),
    "wireless": Term(
        "", ("ssid", "bssid", "wi fi network", "wifi network", "cell tower", "cell id"), derives=("location", "city")
    ),
    # What somebody uses.
    "device": Term(
        "person",
        ("device", "device data", "device information", "operating system"),
        ("user.device", "user.device.telephone_number"),
        ("DeviceBased", "DeviceOperatingSystem", "DeviceSoftware", "DeviceApplications"),
    ),
    "device_id": Term(
        "device",
        ("device id", "device identifier", "advertising id", "idfa", "imei", "mac address", "cookie id", "tracking id"),
        ("user.device.device_id", "user.device.cookie_id", "user.device.cookie", "user.unique_id.pseudonymous"),
        ("MACAddress",),
    ),
    "fingerprint": Term("device_id", ("browser fingerprint", "device fingerprint"), (), ("BrowserFingerprint",)),
    "ip_address": Term(
        "person",
        (
            "IP address",
            "ip",
            "ip addr",
            "client ip",
            "remote ip",
            "source ip",
            "peer ip",
            "visitor ip",
            "ipv4",
            "ipv6",
            "remote addr",
            "remote address",
            "remote host",
            "peer address",
            "client address",
            "network address",
            "internet address",
            "x forwarded for",
            "forwarded for",
            "cf connecting ip",
            "internet protocol address",
        ),
        ("user.device.ip_address",),
        ("IPAddress",),
        derives=("location", "country", "region", "city", "device_id"),
    ),
    "user_agent": Term(
        "device",
        ("user agent", "useragent", "ua", "browser", "browser version", "client hint"),
        (),
        ("UserAgent",),
        derives=("device", "fingerprint"),
    ),
    "locale": Term(
        "person",
        ("locale", "accept language", "language", "preferred language", "browser language"),
        ("user.demographic.language",),
        ("Language",),
    ),
    "accept_language": Term("locale", ("accept language header",), derives=("locale",)),
    # What somebody says.
    "content": Term(
        "person",
        (
            "content",
            "prompt and output",
            "conversation",
            "chat",
            "message",
            "request body",
            "response body",
            "body",
            "request content",
            "response content",
            "payload",
            "content of api request and response",
            "content of request",
            "user content",
            "transcript",
        ),
        ("user.content", "user.content.private", "user.content.public", "user.content.self_image"),
    ),
    "prompt": Term("content", ("prompt", "user prompt", "input text", "query text", "question", "completion request")),
    "system_prompt": Term("prompt", ("system prompt", "system text", "system message")),
    "output": Term(
        "content", ("output", "model output", "completion", "response text", "answer", "answer text", "reply")
    ),
    "called_tool": Term("content", ("tool name", "name of tool")),
    "vector": Term("content", ("embedding", "search query")),
    "tool_content": Term(
        "content", ("tool input", "tool result", "tool input and result", "tool output", "tool call", "tool argument")
    ),
    "attachment": Term(
        "content",
        ("file", "image", "attachment", "upload", "uploaded file", "document", "image and file", "screenshot"),
    ),
    # How somebody is reached.
    "contact": Term(
        "person", ("contact detail", "contact data", "contact information"), ("user.contact",), ("Contact",)
    ),
    "email": Term(
        "contact",
        ("email", "e mail", "email address", "e mail address", "mail address"),
        ("user.contact.email",),
        # A name can sometimes be guessed from it; who forbids that says so in `derivable_from`.
        ("EmailAddress", "EmailAddressPersonal", "EmailAddressWork"),
    ),
    "phone": Term(
        "contact",
        ("phone", "phone number", "telephone", "telephone number", "mobile number"),
        ("user.contact.phone_number",),
        ("TelephoneNumber",),
    ),
    "address": Term(
        "contact",
        ("postal address", "home address", "street address", "billing address", "mailing address", "street"),
        ("user.contact.address", "user.contact.address.street"),
        ("PhysicalAddress", "HomeLocation", "Domicile"),
        derives=("location", "country", "region", "city", "postal_code"),
    ),
    # Who somebody is.
    "name": Term(
        "person",
        ("name", "first name", "last name", "full name", "surname", "family name", "given name", "real name"),
        ("user.name", "user.name.first", "user.name.last"),
        ("Name", "OfficialName"),
    ),
    "picture": Term("person", ("picture", "profile picture", "avatar", "photo", "portrait"), (), ("Picture",)),
    "account_id": Term(
        "person",
        ("account id", "user id", "customer id", "account identifier", "user identifier", "username", "login"),
        ("user.unique_id", "user.account.username"),
        ("Username", "UID"),
    ),
    "birth_date": Term(
        "person",
        ("date of birth", "birth date", "birthday", "birth year", "age", "age range"),
        ("user.demographic.date_of_birth", "user.demographic.age_range"),
        ("BirthDate", "Age"),
    ),
    "gender": Term("person", ("gender", "sex"), ("user.demographic.gender",), ("Gender",)),
    "credential": Term(
        "person",
        ("credential", "password", "api key", "secret key", "access token", "refresh token", "passphrase"),
        ("user.authorization", "user.authorization.credentials", "user.authorization.password"),
        ("Password",),
    ),
    # What somebody pays with.
    "payment": Term(
        "person",
        ("payment data", "payment information", "financial data", "billing data", "financial information"),
        ("user.payment", "user.financial"),
        ("Financial", "FinancialAccount"),
    ),
    "transaction": Term(
        "payment",
        ("transaction", "purchase", "payment history", "purchase history", "order history", "invoice"),
        ("user.behavior.purchase_history",),
        ("Transaction", "Purchase"),
    ),
    "card": Term(
        "payment",
        (
            "card",
            "card detail",
            "card data",
            "payment card",
            "credit card",
            "debit card",
            "payment detail",
            "bank card",
        ),
        ("user.financial.credit_card",),
        ("PaymentCard",),
    ),
    "card_number": Term(
        "card",
        (
            "card number",
            "credit card number",
            "debit card number",
            "primary account number",
            "last four digit of the card",
        ),
        (),
        ("PaymentCardNumber", "CreditCardNumber"),
    ),
    "card_expiry": Term(
        "card",
        ("card expiry", "card expiry date", "card expiration date", "expiration date of the card"),
        (),
        ("PaymentCardExpiry",),
    ),
    "card_code": Term("card", ("security code", "cvv", "cvc", "cvv2", "card verification code", "card security code")),
    "bank_account": Term(
        "payment",
        ("bank account", "iban", "bank account number", "routing number", "sort code", "bank detail"),
        ("user.financial.bank_account", "user.financial.account_number"),
        ("BankAccount",),
    ),
    # What somebody does.
    "behaviour": Term(
        "person",
        ("behaviour", "behavior", "activity", "clickstream", "tracking data"),
        ("user.behavior",),
        ("Behavioral", "Behavioural"),
    ),
    "browsing": Term(
        "behaviour",
        (
            "browsing",
            "browsing history",
            "browsing behaviour",
            "browsing behavior",
            "page view",
            "page visited",
            "page you visit",
            "referrer",
            "referer",
            "interaction",
        ),
        ("user.behavior.browsing_history",),
        ("BrowsingBehaviour", "BrowserHistory"),
    ),
    "search_history": Term(
        "behaviour", ("search history", "search term", "query string"), ("user.behavior.search_history",)
    ),
    "telemetry": Term(
        "behaviour",
        ("telemetry", "usage data", "usage statistic"),
        ("user.telemetry",),
        ("ServiceConsumptionBehaviour",),
    ),
    # Special categories, GDPR Article 9, and what children tell.
    "health": Term(
        "person",
        ("health", "health data", "medical data", "medical record", "health condition", "diagnosis"),
        ("user.health_and_medical",),
        ("Health", "MedicalHealth"),
    ),
    "biometric": Term(
        "person", ("biometric", "biometric data", "face scan", "voice print"), ("user.biometric",), ("Biometric",)
    ),
    "genetic": Term("person", ("genetic data", "dna"), ("user.health_and_medical.genetic",), ("Genetic",)),
    "belief": Term(
        "person",
        ("religion", "religious belief", "political opinion", "trade union membership"),
        ("user.demographic.religious_belief", "user.demographic.political_opinion"),
        ("Religion", "PoliticalAffiliation"),
    ),
    "origin": Term(
        "person", ("ethnic origin", "race", "ethnicity"), ("user.demographic.race_ethnicity",), ("EthnicOrigin", "Race")
    ),
    "sexuality": Term(
        "person", ("sexual orientation", "sex life"), ("user.demographic.sexual_orientation",), ("Sexual",)
    ),
}

# Longer words win over shorter ones, so these keep their parts from being taken for data about a person.
NO_DATA = (
    "token count",
    "input token",
    "output token",
    "prompt token",
    "completion token",
    "token per",
    "web search count",
    "content type",
    "content length",
    "content encoding",
    "content security policy",
    "body byte",
    "body size",
    "message count",
    "message id",
    "file count",
    "request count",
    "host name",
    "event name",
    "rule name",
    "model name",
    "service name",
    "ip version",
    "request id",
    "data region",
    "cloud region",
    "data centre location",
    "key name",
    "card type count",
    "legal age",
    "message api",
    "take place",
    "takes place",
    "in place",
    "in place of",
    "email count",
    "service update",
    "api request",
    "name of the service",
    "activity period",
)
"""Phrases that hold a word of the table and mean something else."""

CONNECTION = ("ip_address", "user_agent")
"""What any request tells about who makes it, unless it is taken out."""

HEADERS: dict[str, tuple[str, str]] = {
    "forwarded": ("ip_address", ""),
    "x-forwarded-for": ("ip_address", ""),
    "x-real-ip": ("ip_address", ""),
    "x-client-ip": ("ip_address", ""),
    "true-client-ip": ("ip_address", ""),
    "x-cluster-client-ip": ("ip_address", ""),
    "cf-connecting-ip": ("ip_address", "Cloudflare"),
    "cf-ipcountry": ("country", "Cloudflare"),
    "cf-ipcity": ("city", "Cloudflare"),
    "cf-iplatitude": ("coordinates", "Cloudflare"),
    "cloudfront-viewer-address": ("ip_address", "Amazon Web Services"),
    "cloudfront-viewer-country": ("country", "Amazon Web Services"),
    "fastly-client-ip": ("ip_address", "Fastly"),
    "fly-client-ip": ("ip_address", "Fly.io"),
    "fly-region": ("region", "Fly.io"),
    "akamai-origin-hop": ("ip_address", "Akamai"),
    "x-akamai-edgescape": ("location", "Akamai"),
    "x-vercel-forwarded-for": ("ip_address", "Vercel"),
    "x-vercel-ip-country": ("country", "Vercel"),
    "x-vercel-ip-city": ("city", "Vercel"),
    "x-azure-clientip": ("ip_address", "Microsoft"),
    "x-appengine-country": ("country", "Google"),
    "x-appengine-city": ("city", "Google"),
    "x-appengine-user-ip": ("ip_address", "Google"),
    "x-envoy-external-address": ("ip_address", "Envoy"),
    "user-agent": ("user_agent", ""),
    "sec-ch-ua": ("user_agent", ""),
    "accept-language": ("accept_language", ""),
    "referer": ("browsing", ""),
}
"""Headers that tell something about a person, and the vendor whose edge adds them; none for what anybody may send."""
