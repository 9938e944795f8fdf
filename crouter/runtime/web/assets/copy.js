// Puts a button to copy it beside every text that is there to be pasted.

for (const text of document.querySelectorAll("pre > code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "second copy";
  button.textContent = "Copy";
  const told = document.createElement("span");
  told.className = "spoken";
  told.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      told.textContent = button.textContent = "Copied";
    } catch {
      // Not every browser lets a page write: then the text is selected, for the keyboard to copy.
      getSelection().selectAllChildren(text);
      told.textContent = button.textContent = "Selected";
    }
    setTimeout(() => {
      button.textContent = "Copy";
      told.textContent = "";
    }, 2000);
  });
  text.parentElement.after(button, told);
}
