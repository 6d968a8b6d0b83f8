// Tables that sort and filter; without this script they are plain tables. vendor/sortable.min.js sorts: it moves the rows
// that stand in the page and tells of it by aria-sort, where larger libraries build the table again from strings.
"use strict";
(() => {
  const FILTERED_FROM = 8; // rows

  // the library sorts on clicks in a head; a button in it makes that work by keyboard and tells of it
  const offerSorting = (table) => {
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      head.append(button);
    }
  };

  const offerFilter = (table, place) => {
    const input = document.createElement("input");
    const told = document.createElement("output");
    const label = document.createElement("label");
    input.type = "search";
    input.spellcheck = false;
    input.autocomplete = "off";
    label.append("Filter rows ", input);
    const box = document.createElement("div");
    box.className = "filter";
    box.append(label, told);
    place.before(box);
    const count = table.tBodies[0].rows.length;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      // sorting replaces the body, so it is asked for every time
      for (const row of table.tBodies[0].rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
        shown += row.hidden ? 0 : 1;
      }
      told.textContent = words.length ? `${shown} of ${count} rows` : "";
    });
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    offerSorting(table);
    if (table.tBodies[0].rows.length >= FILTERED_FROM) offerFilter(table, table.closest(".scroll"));
  }
})();
