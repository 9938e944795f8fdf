// What the edge does with a request: refuses plain http, takes out what tells who or where the client is, signs the
// request and passes it to the service; bodies stream both ways. What it goes by is declared in worker.js.
// Leaves out routes, keys, limits and pages: those are the service's. Nothing is logged and nothing is cached.

const SIGNATURE_HEADER = "x-crouter-edge";
const SERVICE_REQUEST_ID = "x-crouter-request-id";
const SECRET_CHARS_MIN = 32;
const TLS_VERSIONS = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

// Cloudflare and other networks add these; they hold the client's address or are derived from it.
const CLIENT_ADDRESS = matcher([
  "cf-*", "cdn-loop", "forwarded", "true-client-ip", "via", "x-client-ip", "x-cluster-client-ip", "x-forwarded",
  "x-forwarded-*", "x-original-*", "x-real-ip",
]);
// Ours, between the edge and the service. A client cannot send them.
const INTERNAL = matcher([`${SIGNATURE_HEADER}*`]);
// What pages need for sessions, for the check of where a form came from, and to honour a refusal.
const PAGES_NEED = matcher(["cookie", "origin", "dnt", "sec-gpc", "sec-fetch-*"]);
// Pages are the same for every browser; the API's upstream goes by who calls it.
const PAGES_NEED_NOT = matcher(["user-agent"]);

/** The handlers of a Worker. `declared` is described where it is made, in worker.js. */
export function edge(declared) {
  const dropped = matcher(declared.drops_request_headers);
  return {
    async fetch(request, env) {
      const url = new URL(request.url);
      if (url.protocol !== "https:") {
        return refusedPlainHttp(declared, request, url);
      }
      const answer = await answered(declared, dropped, request, url, env);
      // The headers of an answer that was fetched cannot be changed, those of a copy can; its body is not touched.
      const copy = new Response(answer.body, answer);
      copy.headers.set("strict-transport-security", `max-age=${declared.hsts_seconds}`);
      return copy;
    },
  };
}

async function answered(declared, dropped, request, url, env) {
  if (isOlder(request.cf?.tlsVersion, declared.tls_minimum)) {
    return refusal(403, "permission_error", `${declared.service} is reached with TLS ${declared.tls_minimum} or newer`);
  }
  const origin = usableOrigin(env.ORIGIN_URL);
  if (origin === null || !isUsableSecret(env.EDGE_SECRET)) {
    return refusal(503, "api_error", `${declared.service} is not set up at its edge`, 60);
  }
  const isApi = isBelow(url.pathname, declared.api_prefixes);
  const headers = keptHeaders(request.headers, dropped, isApi);
  // Set part by part: a path that begins with two slashes, resolved against the origin, would name another host.
  origin.pathname = url.pathname;
  origin.search = url.search;
  headers.set(SIGNATURE_HEADER, await signature(env.EDGE_SECRET, request.method, origin.pathname + origin.search));
  return forwarded(declared, origin, request, headers);
}

async function forwarded(declared, target, request, headers) {
  let answer;
  try {
    answer = await fetch(target, {
      method: request.method,
      headers,
      body: request.body,
      redirect: "manual",
      cache: "no-store",
    });
  } catch {
    // The reason is about our machines; a client can do nothing with it but try again.
    return unreachable(declared);
  }
  return fromCloudflare(answer) ? standIn(declared, answer) : answer;
}

/** Whether Cloudflare answered in the place of a service that it could not reach. 529 is Anthropic's own. */
function fromCloudflare(answer) {
  const { status } = answer;
  return status >= 520 && status <= 530 && status !== 529 && !answer.headers.has(SERVICE_REQUEST_ID);
}

function standIn(declared, answer) {
  answer.body?.cancel();
  if (answer.status === 522 || answer.status === 524) {
    return refusal(504, "timeout_error", `${declared.service} did not answer in time`, 5);
  }
  return unreachable(declared);
}

function unreachable(declared) {
  return refusal(502, "api_error", `${declared.service} cannot be reached, try again`, 5);
}

/** An API request has given its key away already, so only pages are ever redirected. */
function refusedPlainHttp(declared, request, url) {
  const isPage = request.method === "GET" || request.method === "HEAD";
  const holdsKey = request.headers.has("x-api-key") || request.headers.has("authorization");
  if (declared.plain_http === "redirect" && isPage && !holdsKey && !isBelow(url.pathname, declared.api_prefixes)) {
    const location = `https://${declared.host}${url.pathname}${url.search}`;
    return new Response(null, { status: 308, headers: { location, "cache-control": "no-store" } });
  }
  return refusal(403, "permission_error", `${declared.service} is reached over https only`);
}

function keptHeaders(headers, dropped, isApi) {
  const kept = new Headers();
  for (const [name, value] of headers) {
    const isDeclaredDropped = dropped(name) && (isApi || !PAGES_NEED(name));
    const isNeedless = isDeclaredDropped || (!isApi && PAGES_NEED_NOT(name));
    if (name !== "host" && !isNeedless && !CLIENT_ADDRESS(name) && !INTERNAL(name)) {
      kept.append(name, value);
    }
  }
  return kept;
}

/** The value of the header that proves to the service that a request came through here. */
async function signature(secret, method, target) {
  const seconds = Math.floor(Date.now() / 1000);
  const id = hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const signed = encoder.encode(["v1", seconds, id, method, target].join("\n"));
  const digest = await crypto.subtle.sign("HMAC", key, signed);
  return `v1 t=${seconds}, id=${id}, sig=${hexadecimal(new Uint8Array(digest))}`;
}

/** An answer of our own, in the shape of Anthropic's errors. */
function refusal(status, type, message, retryAfterSeconds) {
  const id = `req_${hexadecimal(crypto.getRandomValues(new Uint8Array(16)))}`;
  const headers = new Headers({
    "content-type": "application/json",
    "cache-control": "no-store",
    "request-id": id,
    [SERVICE_REQUEST_ID]: id,
  });
  if (retryAfterSeconds !== undefined) {
    headers.set("retry-after", String(retryAfterSeconds));
  }
  const body = { type: "error", error: { type, message }, request_id: id };
  return new Response(JSON.stringify(body), { status, headers });
}

/** The origin as a URL; null unless it is https, or plain http to this machine, and nothing but an origin. */
function usableOrigin(text) {
  if (typeof text !== "string" || !URL.canParse(text)) {
    return null;
  }
  const url = new URL(text);
  const isEncrypted = url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.has(url.hostname));
  const isOriginOnly = url.href === `${url.origin}/`;
  return isEncrypted && isOriginOnly ? url : null;
}

function isUsableSecret(secret) {
  return typeof secret === "string" && secret.length >= SECRET_CHARS_MIN;
}

/** Cloudflare names the version of a connection; where nobody does, there is nothing to compare. */
function isOlder(version, minimum) {
  const rank = TLS_VERSIONS.indexOf(version);
  return rank !== -1 && rank < TLS_VERSIONS.indexOf(`TLSv${minimum}`);
}

function isBelow(path, prefixes) {
  return prefixes.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** Whether a lower-case header name is one of `patterns`; a trailing `*` makes a prefix. */
function matcher(patterns) {
  const names = new Set(patterns.filter((pattern) => !pattern.endsWith("*")));
  const prefixes = patterns.filter((pattern) => pattern.endsWith("*")).map((pattern) => pattern.slice(0, -1));
  return (name) => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

function hexadecimal(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
