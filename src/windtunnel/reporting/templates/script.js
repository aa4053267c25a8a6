"use strict";
// Sorting: by the figure, not its text; what failed stays below in either direction.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
    const numeric = head.classList.contains("num");
    const before = head.getAttribute("aria-sort");
    const down = before ? before === "ascending" : numeric;
    const value = (row) => row.cells[column].dataset.value;
    const compare = (a, b) => isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      if (x === "" || y === "") return (x === "") - (y === "");
      return down ? compare(y, x) : compare(x, y);
    });
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    table.tBodies[0].append(...rows);
  }));
}
// Bringing one recipe out in every chart.
const legend = [...document.querySelectorAll(".legend button")];
for (const button of legend) {
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    legend.forEach((other) => other.setAttribute("aria-pressed", String(on && other === button)));
    for (const item of document.querySelectorAll(".series")) {
      item.classList.toggle("dim", on && !item.classList.contains(button.dataset.series));
    }
  });
}
// Tooltips at once, instead of the browser's slow ones.
const tip = document.getElementById("tip");
for (const mark of document.querySelectorAll("g.mark")) {
  const title = mark.querySelector("title");
  mark.dataset.tip = title.textContent;
  title.remove();
}
document.addEventListener("pointerover", (event) => {
  const mark = event.target.closest?.("g.mark");
  tip.hidden = !mark;
  if (!mark) return;
  tip.textContent = mark.dataset.tip;
  const box = mark.getBoundingClientRect();
  const wide = document.documentElement.clientWidth;
  tip.style.left = `${Math.max(8, Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, wide - tip.offsetWidth - 8))}px`;
  const above = box.top - tip.offsetHeight - 8;
  tip.style.top = `${above > 4 ? above : box.bottom + 8}px`;
});
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
// A link to something folded unfolds it; a printed page unfolds what is short.
const unfold = () => {
  let at = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  for (; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
};
addEventListener("hashchange", unfold);
unfold();
