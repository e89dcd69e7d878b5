// Put a button beside each text that is to be taken elsewhere; without this script one selects it.

for (const source of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button quiet";
  button.textContent = source.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = source.dataset.copied;
  });
  if (navigator.clipboard) source.after(button);
}
