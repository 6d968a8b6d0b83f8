// One cell: its graph as terranas/space/drawing.py draws it, what is known of it, its neighbours and its walks.
"use strict";
terranas.explorer = terranas.explorer || {};
(() => {
  const { data, format, points } = terranas.explorer;
  const { element, headed } = format;
  const SVG = "http://www.w3.org/2000/svg";
  const [WIDTH, HEIGHT, PITCH, RISE] = [30, 20, 46, 11];
  const OPERATIONS = ["conv3x3", "conv1x1", "maxpool3x3"];
  const LOOKS = {
    input: ["in", "input"], conv3x3: ["3×3", "3×3 convolution"], conv1x1: ["1×1", "1×1 convolution"],
    maxpool3x3: ["max", "3×3 max-pooling"], output: ["out", "output"],
  };

  // {operations: names, edges: [source, target]} of a packed graph (terranas/report/explorer_cells.py)
  const unpack = ({ vertices, edges, operations }) => {
    const found = [];
    for (let source = 0, bit = 0; source < 7; source++) {
      for (let target = source + 1; target < 7; target++, bit++) if ((edges >> bit) & 1) found.push([source, target]);
    }
    const inner = Array.from({ length: vertices - 2 }, (_, vertex) => OPERATIONS[(operations >> (2 * vertex)) & 3]);
    return { operations: ["input", ...inner, "output"], edges: found };
  };

  const describe = ({ operations, edges }) => {
    const parts = operations.map((name, vertex) => {
      const targets = edges.filter(([source]) => source === vertex).map(([, target]) => target);
      return `${vertex} ${LOOKS[name][1]}${targets.length ? ` to ${targets.join(", ")}` : ""}`;
    });
    return `Cell of ${operations.length} vertices: ${parts.join("; ")}.`;
  };

  const crossings = ([source, target], others) =>
    others.filter(([a, b]) => (a < source && source < b && b < target) || (source < a && a < target && target < b)).length;

  // longest first, each on the side where it crosses fewer others
  const sides = (edges) => {
    const above = [];
    const below = [];
    const order = [...edges].sort((a, b) => a[0] - a[1] - (b[0] - b[1]) || a[0] - b[0] || a[1] - b[1]);
    for (const edge of order) (crossings(edge, above) <= crossings(edge, below) ? above : below).push(edge);
    return [above, below];
  };

  const rise = ([source, target]) => HEIGHT / 2 + RISE * (target - source - 1) + 1;
  const room = (edges) => Math.max(0, ...edges.map((edge) => rise(edge) - HEIGHT / 2 + 1));
  const centre = (position) => position * PITCH + WIDTH / 2 + 1;
  // six digits, as Python's :g
  const number = (value) => String(Number(value.toPrecision(6)));

  const arc = (edge, middle, side) => {
    const [start, end] = [centre(edge[0]) + WIDTH / 5, centre(edge[1]) - WIDTH / 5];
    const rim = (side * HEIGHT) / 2;
    const control = rim + (side * (rise(edge) - HEIGHT / 2) * 4) / 3;
    const [first, ...rest] = [[start, rim], [start, control], [end, control], [end, rim]].map(([x, y]) => `${number(x)} ${number(middle + y)}`);
    return `M${first}C${rest.join(" ")}`;
  };

  const shape = (tag, attributes, text) => {
    const made = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (text) made.textContent = text;
    return made;
  };

  const drawGraph = (packed) => {
    const graph = unpack(packed);
    const [above, below] = sides(graph.edges.filter(([source, target]) => target - source > 1));
    const [top, bottom] = [room(above), room(below)];
    const [width, height] = [(graph.operations.length - 1) * PITCH + WIDTH + 2, top + HEIGHT + bottom + 2];
    const middle = top + HEIGHT / 2 + 1;
    const straight = graph.edges
      .filter(([source, target]) => target - source === 1)
      .map(([source, target]) => `M${number(centre(source) + WIDTH / 2)} ${number(middle)}H${number(centre(target) - WIDTH / 2)}`);
    const arcs = [...above.map((edge) => arc(edge, middle, -1)), ...below.map((edge) => arc(edge, middle, 1))];
    const svg = shape("svg", { class: "cell", role: "img", "aria-label": describe(graph), width, height, viewBox: `0 0 ${width} ${height}` });
    svg.append(shape("path", { d: straight.join("") + arcs.join(""), fill: "none", stroke: "currentColor", "stroke-width": 1.3 }));
    graph.operations.forEach((name, vertex) => {
      const x = centre(vertex);
      const group = shape("g", { class: `vertex ${name}` });
      group.append(shape("rect", { x: x - WIDTH / 2, y: middle - HEIGHT / 2, width: WIDTH, height: HEIGHT, rx: 5 }));
      group.append(shape("text", { x, y: middle + 4, "text-anchor": "middle", "font-size": 11 }, LOOKS[name][0]));
      svg.append(group);
    });
    return svg;
  };

  // filled when the column has come: not every column is loaded by then
  const valueEntry = (column, row) => {
    const entry = element("td", { class: "number" }, "…");
    data.column(column.key).then(
      (values) => {
        entry.textContent = format.withUnit(format.rounded(values[row]), column.unit);
        entry.title = format.exact(values[row]);
      },
      () => { entry.textContent = "cannot be read"; },
    );
    return entry;
  };

  const valueTable = (row) => {
    const body = element("tbody");
    for (const column of data.manifest.columns) {
      body.append(element("tr", {}, element("th", { scope: "row", title: column.meaning || undefined }, column.name), valueEntry(column, row)));
    }
    return element("table", { class: "values" }, element("caption", {}, "All that the table knows of it"), body);
  };

  // shown: [{column, values}] of the axes and the colour
  const neighbourTable = async (found, shown, link) => {
    const head = element("tr", {}, element("th", { scope: "col" }, data.namesById ? "neighbour (id)" : "neighbour"));
    for (const { column } of shown) head.append(element("th", { scope: "col", class: "number" }, headed(column)));
    const body = element("tbody");
    // the best by the vertical axis first
    const { column, values } = shown[Math.min(1, shown.length - 1)];
    for (const row of points.ordered(found.rows, values, column.direction !== "minimise", found.rows.length)) {
      const name = await data.label(row);
      const line = element("tr", {}, element("th", { scope: "row" }, element("a", { href: link(name), title: name }, name.slice(0, 12))));
      for (const { column, values } of shown) line.append(element("td", { class: "number", title: format.exact(values[row]) }, format.short(values[row])));
      body.append(line);
    }
    return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), body));
  };

  const neighbourText = (found) => {
    const total = format.counted(found.inSpace, "neighbour");
    const where = found.inSpace === found.rows.length ? "all of them" : format.count(found.rows.length);
    return found.inSpace ? `${total} in the space (${data.manifest.neighbourhood_words}), ${where} in this table.` : "It has no neighbours.";
  };

  const walkList = async (row, showWalk) => {
    const list = element("ul", { class: "walks" });
    for (const [walk, visits] of await data.walks()) {
      const steps = visits.filter((visit) => visit.row === row).map((visit) => visit.step);
      if (!steps.length) continue;
      const button = element("button", { type: "button", on: { click: () => showWalk(walk) } }, `Show walk ${walk}`);
      list.append(element("li", {}, `step ${steps.join(", ")} of walk ${walk} (${format.counted(visits.length, "visit")}) `, button));
    }
    return list.children.length ? list : element("p", {}, "No walk visits it.");
  };

  // fills the panel; `current` says whether the reader still wants this cell
  const showCell = async (panel, row, shown, { link, showWalk, current }) => {
    const [key, packed] = await Promise.all([data.key(row), data.graph(row)]);
    if (!current()) return;
    const graph = element("div", { class: "graph" }, packed ? drawGraph(packed) : "");
    const near = element("div", { class: "near" });
    const walks = element("div");
    panel.replaceChildren(
      element("h2", { id: "cell-heading", tabindex: "-1" }, "Cell ", element("code", {}, key)), graph,
      element("div", { class: "facts" }, element("div", { class: "scroll" }, valueTable(row)), near),
    );
    if (data.manifest.neighbourhood) {
      const found = await data.neighbours(row);
      near.append(element("h3", {}, "Neighbours"), element("p", {}, neighbourText(found)));
      if (found.rows.length) near.append(await neighbourTable(found, shown, link));
    }
    if (data.manifest.visits) {
      near.append(element("h3", {}, "Walks"), walks);
      walks.append(await walkList(row, showWalk));
    }
  };

  terranas.explorer.cell = { showCell, drawGraph };
})();
