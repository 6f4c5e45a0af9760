"use strict";
// The page is complete without this script: it adds enlarging, filtering, folding, tips and the choice of colours.
// Text is only ever set as text.

const byId = (id) => document.getElementById(id);

// Colours: those of the system, until the button says otherwise.
const theme = byId("theme");
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (prefersDark.matches ? "dark" : "light")) === "dark";
const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
theme.hidden = false;
theme.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
prefersDark.addEventListener("change", showTheme);
showTheme();

// Lists that show their first entries, and all of them when asked.
for (const button of document.querySelectorAll("[data-more]")) {
  const list = byId(button.dataset.more);
  const rest = [...list.children].slice(Number(list.dataset.first));
  for (const entry of rest) entry.hidden = true;
  button.hidden = false;
  button.addEventListener("click", () => {
    for (const entry of rest) entry.hidden = false;
    button.hidden = true;
    (rest[0].querySelector("button") || rest[0]).focus();
  });
}

// Problems by their reason.
const chips = [...document.querySelectorAll(".chip")];
for (const chip of chips) {
  chip.addEventListener("click", () => {
    for (const other of chips) other.setAttribute("aria-pressed", String(other === chip));
    let shown = 0;
    for (const card of byId("problems").children) {
      card.hidden = chip.dataset.reason !== "" && card.dataset.reason !== chip.dataset.reason;
      shown += card.hidden ? 0 : 1;
    }
    const total = Number(chip.dataset.count);
    const sample = shown === total ? "" : ", a fair sample";
    const noun = total === 1 ? "problem" : "problems";
    byId("problem-status").textContent =
      `Showing ${shown.toLocaleString("en")} of ${total.toLocaleString("en")} ${noun}${sample}`;
  });
}

// Enlarging. The dialog keeps the focus inside and gives it back; Esc closes it without our help.
const viewer = byId("viewer");
let tiles = [];
let current = 0;
const show = (index) => {
  current = (index + tiles.length) % tiles.length;
  const tile = tiles[current];
  const picture = tile.querySelector("img");
  const image = byId("viewer-image");
  image.src = picture.src;
  image.alt = picture.alt;
  image.width = picture.naturalWidth || picture.width;
  image.height = picture.naturalHeight || picture.height;
  for (const part of ["name", "facts", "text", "place"]) byId(`viewer-${part}`).textContent = tile.dataset[part];
  byId("viewer-count").textContent = `${current + 1} of ${tiles.length}`;
};
document.addEventListener("click", (event) => {
  const tile = event.target.closest(".tile");
  if (!tile) return;
  tiles = [...tile.closest("ul").querySelectorAll(".tile")].filter((other) => !other.closest("li").hidden || other === tile);
  show(tiles.indexOf(tile));
  viewer.showModal();
});
byId("viewer-previous").addEventListener("click", () => show(current - 1));
byId("viewer-next").addEventListener("click", () => show(current + 1));
byId("viewer-close").addEventListener("click", () => viewer.close());
viewer.addEventListener("click", (event) => {
  if (event.target === viewer) viewer.close();
});
viewer.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") show(current - 1);
  else if (event.key === "ArrowRight") show(current + 1);
  else return;
  event.preventDefault();
});

// Tips over bars and cells. The same numbers stand in the tables below the drawings.
const tip = byId("tip");
const place = (event) => {
  const target = event.target.closest && event.target.closest("[data-tip]");
  tip.hidden = !target;
  if (!target) return;
  tip.textContent = target.dataset.tip;
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(event.clientX - width / 2, 8), innerWidth - width - 8);
  const top = event.clientY - height - 14;
  tip.style.left = `${left}px`;
  tip.style.top = `${top < 8 ? event.clientY + 18 : top}px`;
};
document.addEventListener("pointermove", place);
document.addEventListener("pointerdown", place);
document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
