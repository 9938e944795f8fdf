// Shows today's figures as they happen. The page is complete without it.

const state = document.getElementById("live-state");
const shown = new Map();
for (const element of document.querySelectorAll("[data-live]")) {
  shown.set(element.dataset.live, element);
}

function tell(tone, words) {
  state.hidden = false;
  if (state.textContent !== words) {
    state.className = `state ${tone}`;
    state.textContent = words;
  }
}

const source = new EventSource("/dashboard/events");

source.addEventListener("open", () => tell("good", "Live"));
source.addEventListener("usage", (event) => {
  tell("good", "Live");
  const told = JSON.parse(event.data);
  for (const [name, element] of shown) {
    // A key that made no request in the last minute is not told of.
    const text = told[name] ?? (name.startsWith("minute_") ? "0" : element.textContent);
    if (element.textContent !== text) {
      element.textContent = text;
      const meter = element.closest("div").querySelector("meter");
      if (meter !== null) {
        meter.value = Number(text.replaceAll(",", ""));
      }
    }
  }
});
source.addEventListener("away", () => tell("warn", "Paused: the database does not answer"));
source.addEventListener("end", () => {
  source.close();
  tell("", "You are signed out");
});
source.addEventListener("error", () => {
  if (source.readyState === EventSource.CLOSED) {
    tell("warn", "Not live: load the page again, or close other tabs of it");
  } else {
    tell("warn", "Connecting again");
  }
});

// A page that is put aside needs no figures; the browser may bring it back as it was.
addEventListener("pagehide", () => source.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});
