// Makes sharing nicer where scripts run: copying with feedback, the device's own share sheet, the QR dialog.

/** Copies a field's text; falls back to the selection where the clipboard is not to be had. */
async function copyText(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.select();
    return document.execCommand("copy");
  }
}

/** Reports that the offer was seen here, or passed on by a channel. */
function note(box, channel = "") {
  const { noted, code, placement } = box.dataset;
  const told = new URLSearchParams({ code, placement, channel });
  fetch(noted, { method: "POST", body: told, keepalive: true }).catch(() => {}); // counting is no reason to fail
}

function wireCopy(box) {
  const button = box.querySelector("[data-copy]");
  const field = document.getElementById(button.dataset.copy);
  const status = box.querySelector("[data-copy-status]");
  const label = button.textContent;
  let timer;
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!(await copyText(field))) {
      field.focus();
      field.select();
      return;
    }
    note(box, "copy");
    clearTimeout(timer);
    button.textContent = status.textContent = button.dataset.done;
    button.classList.add("is-done");
    timer = setTimeout(() => {
      button.textContent = label;
      status.textContent = "";
      button.classList.remove("is-done");
    }, 2500);
  });
  field.addEventListener("focus", () => field.select());
}

function wireNative(box) {
  const place = box.querySelector("[data-native]");
  if (!navigator.share) return;
  place.hidden = false;
  place.querySelector("button").addEventListener("click", () => {
    const { url, title, text } = box.dataset;
    navigator.share({ url, title, text }).then(
      () => note(box, "native"),
      () => {}, // the person closed the sheet
    );
  });
}

function wireDialog(box) {
  const opener = box.querySelector("[data-dialog]");
  const dialog = document.getElementById(opener.dataset.dialog);
  if (!dialog.showModal) return;
  opener.setAttribute("aria-haspopup", "dialog");
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
}

for (const box of document.querySelectorAll("[data-share]")) {
  note(box);
  for (const way of box.querySelectorAll("a[data-channel]")) {
    way.addEventListener("click", () => note(box, way.dataset.channel));
  }
  wireCopy(box);
  wireNative(box);
  wireDialog(box);
}
