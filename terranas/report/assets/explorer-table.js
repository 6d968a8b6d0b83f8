// The selected architectures as a table and as a CSV file.
"use strict";
terranas.explorer = terranas.explorer || {};
(() => {
  const { data, format, points } = terranas.explorer;
  const { element, headed } = format;
  const LIMIT = 200;
  const FEW_ROWS = 20000;
  const FEW_COLUMNS = 16;

  // all columns where that costs little; else those of the plot and of the graphs
  const columnsFor = (keys) => {
    const listed = data.manifest.columns.filter((column) => column.key !== "id" || !data.namesById);
    if (data.manifest.rows <= FEW_ROWS && listed.length <= FEW_COLUMNS) return listed;
    return listed.filter((column) => keys.includes(column.key) || column.kind !== "metric");
  };

  // drawn into `host`; sort: {key, descending} or null for the order of the keys; onSort(key) when a head is pressed
  const showTable = async (host, rows, keys, sort, { link, onSort, current }) => {
    const columns = columnsFor(keys);
    const values = await Promise.all(columns.map((column) => data.column(column.key)));
    const by = sort ? columns.findIndex((column) => column.key === sort.key) : -1;
    const first = by < 0 ? Array.from(rows.subarray(0, LIMIT)) : points.ordered(rows, values[by], sort.descending, LIMIT);
    const names = await Promise.all(first.map(data.label));
    if (!current()) return;
    const head = element("tr", {}, element("th", { scope: "col" }, data.namesById ? "id" : data.manifest.key));
    columns.forEach((column, place) => {
      const order = place !== by ? "none" : sort.descending ? "descending" : "ascending";
      const mark = place !== by ? "" : sort.descending ? " ↓" : " ↑";
      const button = element("button", { type: "button", class: "head", on: { click: () => onSort(column.key) } }, headed(column) + mark);
      head.append(element("th", { scope: "col", class: "number", "aria-sort": order, "data-key": column.key }, button));
    });
    const body = element("tbody");
    first.forEach((row, place) => {
      const name = names[place];
      const line = element("tr", {}, element("th", { scope: "row" }, element("a", { href: link(name), title: name }, data.manifest.hashes ? name.slice(0, 12) : name)));
      values.forEach((column) => line.append(element("td", { class: "number", title: format.exact(column[row]) }, format.short(column[row]))));
      body.append(line);
    });
    const left = host.scrollLeft;
    host.replaceChildren(element("table", {}, element("thead", {}, head), body));
    host.scrollLeft = left;
    return first.length;
  };

  const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const unknown = (number) => (Number.isNaN(number) ? "" : String(number));

  // all columns of the rows with every digit; units in square brackets behind the names
  const csv = async (rows) => {
    const { columns, key } = data.manifest;
    const values = await Promise.all(columns.map((column) => data.column(column.key)));
    const lines = [[key, ...columns.map((column) => (column.unit ? `${column.key} [${column.unit}]` : column.key))].map(field).join(",")];
    for (const row of rows) {
      lines.push([field(await data.key(row)), ...values.map((column) => unknown(column[row]))].join(","));
    }
    return `${lines.join("\n")}\n`;
  };

  const download = async (rows, file) => {
    const address = URL.createObjectURL(new Blob([await csv(rows)], { type: "text/csv" }));
    const link = element("a", { href: address, download: file });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  };

  terranas.explorer.table = { showTable, download, LIMIT };
})();
