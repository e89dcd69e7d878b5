// Hash a file in the browser: it never leaves this machine, only its SHA-256 is asked about.

const LIMIT_BYTES = 2 ** 30;
const field = document.querySelector("[data-hash-file]");
const target = document.querySelector("[data-hash-into]");
const status = document.querySelector("[data-hash-status]");

const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");

if (field && target && window.crypto?.subtle) {
  field.closest("[hidden]")?.removeAttribute("hidden");
  field.addEventListener("change", async () => {
    const [file] = field.files;
    if (!file) return;
    if (file.size > LIMIT_BYTES) {
      status.textContent = status.dataset.tooLarge;
      return;
    }
    status.textContent = status.dataset.working;
    target.value = hex(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    status.textContent = status.dataset.done.replace("%s", file.name);
    target.form.requestSubmit();
  });
}
