// A word of the consent sentence closes when one looks elsewhere, presses Escape, or has chosen
// with the pointer. Without this script the words still open, close and send.

const openWords = () => document.querySelectorAll("details.word[open]");

document.addEventListener("click", (event) => {
  for (const word of openWords()) {
    if (!word.contains(event.target)) word.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" && event.key !== "Enter") return;
  for (const word of openWords()) {
    if (event.key === "Enter" && !event.target.matches("details.word input")) continue;
    event.preventDefault();
    word.open = false;
    word.querySelector("summary").focus();
  }
});

// A choice made by pointer has no arrow keys before it: detail counts the clicks.
document.addEventListener("click", (event) => {
  const label = event.target.closest("details.word label");
  if (!label || event.detail === 0 || event.target.matches("input")) return;
  const word = label.closest("details.word");
  setTimeout(() => {
    word.open = false;
    word.querySelector("summary").focus();
  }, 120);
});

// Tick or untick all rows of a table at once.
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-ticks-all]")) return;
  for (const tick of document.querySelectorAll(`input[name="${event.target.dataset.ticksAll}"]`)) {
    tick.checked = event.target.checked;
  }
});
