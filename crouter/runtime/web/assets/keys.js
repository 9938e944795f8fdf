// Copies the key that was just made. Without this the key can be selected and copied by hand.
const button = document.getElementById("copy-key");
const key = document.getElementById("new-key");
const told = document.getElementById("copied");
if (button && key && told && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(key.textContent ?? "");
      told.textContent = "Copied.";
    } catch {
      told.textContent = "Your browser does not allow it: select the key and copy it.";
    }
  });
}
