// Measures page views and interactions with OpenPanel's script, pointed at our own relay. Loaded only where it may.
// Sends declared events with declared properties; what that script would add, full addresses and titles, stays here.

import { OpenPanel } from "./openpanel-web.js";

/** OpenPanel's client with another idea of what an event holds. */
class Declared extends OpenPanel {
  constructor(options, events) {
    super(options);
    this.events = events;
  }

  track(name, properties) {
    const declared = this.events[name];
    if (declared === undefined) {
      return Promise.resolve();
    }
    const kept = Object.fromEntries(Object.entries(properties).filter(([key, value]) => declared.includes(key) && value));
    return this.send({ type: "track", payload: { name, properties: kept } });
  }
}

/** Begins to measure; `stop` ends it. `isAllowed` is asked before every event. */
export function measure(asked, isAllowed) {
  const options = { clientId: "", apiUrl: asked.relay_path, filter: () => isAllowed() };
  const client = new Declared(options, asked.events);
  const path = location.pathname;
  const onClick = ({ target }) => {
    const element = target.closest?.("[data-measure]")?.dataset.measure;
    if (element !== undefined) {
      client.track("interaction", { path, element });
    }
  };
  document.addEventListener("click", onClick);
  client.track("page_view", { path, referrer_host: referrerHost() });
  return {
    stop() {
      document.removeEventListener("click", onClick);
      client.clear();
    },
  };
}

/** The host that linked here; nothing for our own pages. */
function referrerHost() {
  if (!document.referrer) {
    return "";
  }
  const { host, hostname } = new URL(document.referrer);
  return host === location.host ? "" : hostname;
}
