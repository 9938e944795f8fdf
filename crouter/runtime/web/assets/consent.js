// Asks before anything is measured, remembers and records the answer, and undoes everything when it is withdrawn.
// What is asked, and what is cleared, is generated from the policy; the dialogs are vanilla-cookieconsent's.
// Leaves out measuring: that is analytics.js, which is loaded only where it is allowed.

import * as dialogs from "./cookieconsent.esm.js";

const ANALYTICS = "analytics";
const REFUSED = "Your browser asks not to be measured, and that holds, whatever you choose here. ";

let measuring = null;

/** Whether the browser refuses for its visitor, by a signal that the policy honours. */
function isRefusedByBrowser(honours) {
  const byControl = honours.includes("global_privacy_control") && navigator.globalPrivacyControl === true;
  return byControl || (honours.includes("do_not_track") && navigator.doNotTrack === "1");
}

function isAllowed(asked) {
  if (isRefusedByBrowser(asked.honours)) {
    return false;
  }
  const mode = asked.modes[ANALYTICS];
  const isUnasked = mode === "always" || (mode === "opt_out" && !dialogs.validConsent());
  return isUnasked || dialogs.acceptedCategory(ANALYTICS);
}

async function follow(asked) {
  if (isAllowed(asked)) {
    const { measure } = await import("./analytics.js");
    measuring ??= measure(asked, () => isAllowed(asked));
    return;
  }
  measuring?.stop();
  measuring = null;
  clear(asked.clears[ANALYTICS]);
}

/** Removes what was kept with consent. The library does so for cookies when consent is withdrawn, and for nothing else. */
function clear(kept) {
  for (const name of kept?.cookies ?? []) {
    document.cookie = `${name}=; path=/; max-age=0`;
  }
  for (const name of kept?.local_storage ?? []) {
    localStorage.removeItem(name);
  }
  for (const name of kept?.session_storage ?? []) {
    sessionStorage.removeItem(name);
  }
}

/** Has the service record what the cookie says. If it cannot, the choice holds all the same. */
function record(asked) {
  if (asked.record_path !== null) {
    fetch(asked.record_path, { method: "POST", keepalive: true }).catch(() => {});
  }
}

function configured(asked) {
  const configuration = structuredClone(asked.configuration);
  // Without a domain the cookie is this host's alone.
  configuration.cookie.domain = "";
  if (isRefusedByBrowser(asked.honours)) {
    configuration.autoShow = false;
    for (const translation of Object.values(configuration.language.translations)) {
      const section = translation.preferencesModal.sections.find(({ linkedCategory }) => linkedCategory === ANALYTICS);
      if (section !== undefined) {
        section.description = REFUSED + section.description;
      }
    }
  }
  return configuration;
}

function followColours() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => document.documentElement.classList.toggle("cc--darkmode", dark.matches);
  dark.addEventListener("change", show);
  show();
}

async function begin() {
  const answer = await fetch("/consent.json");
  if (!answer.ok) {
    return;
  }
  const asked = await answer.json();
  followColours();
  await dialogs.run({
    ...configured(asked),
    onFirstConsent: () => record(asked),
    onConsent: () => follow(asked),
    onChange: () => {
      record(asked);
      follow(asked);
    },
  });
  await follow(asked);
}

await begin();
