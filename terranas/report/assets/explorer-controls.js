// The explorer's controls: they show a state and hand changes of it over.
"use strict";
terranas.explorer = terranas.explorer || {};
(() => {
  const { data, format, points, state: states } = terranas.explorer;
  const { element, headed } = format;
  const GROUPS = [["metric", "Metrics"], ["structure", "Graph"], ["state", "Other"]];
  const SIDES = ["x-low", "x-high", "y-low", "y-high"];
  const byId = (id) => document.getElementById(id);

  const columnOptions = () =>
    GROUPS.map(([kind, label]) => {
      const group = element("optgroup", { label });
      for (const column of data.manifest.columns) {
        if (column.kind === kind && column.known) group.append(element("option", { value: column.key }, headed(column)));
      }
      return group;
    }).filter((group) => group.children.length);

  const levelSelect = (column, end, change) => {
    const id = `only-${end}-${column.key}`;
    const select = element("select", { id, "aria-label": `${column.name}, ${end === "low" ? "at least" : "at most"}`, on: { change } });
    for (const level of column.levels) select.append(element("option", { value: level }, format.short(level)));
    return select;
  };

  // changed(part): merges part into the state
  const makeControls = (changed) => {
    for (const axis of ["x", "y"]) {
      byId(`axis-${axis}`).append(...columnOptions());
      byId(`axis-${axis}`).addEventListener("change", (event) => changed({ [axis]: event.target.value, view: null, box: null }));
      byId(`log-${axis}`).addEventListener("change", () =>
        changed({ log: { x: byId("log-x").checked, y: byId("log-y").checked }, view: null, box: null }));
    }
    const colour = byId("colour");
    if (data.manifest.rows > states.MANY) colour.append(element("option", { value: states.DENSITY }, "how many share a dot"));
    colour.append(element("option", { value: states.NONE }, "one for all"), ...columnOptions());
    colour.addEventListener("change", () => changed({ colour: colour.value }));

    const filters = states.filterable.map((column) => {
      const read = () => {
        let [from, to] = [Number(low.value), Number(high.value)];
        if (from > to) [from, to] = [to, from];
        const all = from === column.levels[0] && to === column.levels[column.levels.length - 1];
        changed({ filters: { [column.key]: all ? undefined : [from, to] }, view: null });
      };
      const [low, high] = [levelSelect(column, "low", read), levelSelect(column, "high", read)];
      byId("filters").append(element("div", { class: "filter", role: "group", "aria-label": column.name }, element("span", {}, column.name), low, "to", high));
      return { column, low, high };
    });
    byId("filter-part").hidden = !filters.length;
    byId("filters-off").addEventListener("click", () =>
      changed({ filters: Object.fromEntries(states.filterable.map((column) => [column.key, undefined])), view: null }));

    const boxChanged = () => {
      const texts = SIDES.map((side) => byId(side).value.trim());
      const box = states.openBox(texts.join(","));
      if (!box || states.ascends(box)) changed({ box });
    };
    for (const side of SIDES) byId(side).addEventListener("change", boxChanged);

    byId("front-only").addEventListener("change", (event) => changed({ front: event.target.checked }));

    const show = (state) => {
      for (const axis of ["x", "y"]) {
        byId(`axis-${axis}`).value = state[axis];
        byId(`log-${axis}`).checked = state.log[axis];
      }
      colour.value = state.colour;
      for (const { column, low, high } of filters) {
        const range = state.filters[column.key] || [column.levels[0], column.levels[column.levels.length - 1]];
        low.value = String(range[0]);
        high.value = String(range[1]);
      }
      byId("filters-off").disabled = !Object.keys(state.filters).length;
      SIDES.forEach((side, place) => {
        byId(side).value = state.box && Number.isFinite(state.box[place]) ? String(state.box[place]) : "";
      });
      for (const axis of ["x", "y"]) byId(`name-${axis}`).textContent = headed(data.columns.get(state[axis]));
      byId("front-only").checked = state.front;
      byId("box-off").disabled = !state.box;
      byId("walk").value = String(state.walk);
    };
    return { show };
  };

  const swatch = (name) => element("span", { class: "swatch", style: `background: var(${name})`, "aria-hidden": "true" });

  // what the colours mean: one for all, numbers of points a dot, or bins of a column
  const showLegend = (host, colour, bins) => {
    const entries = [];
    const add = (name, text) => entries.push(element("li", {}, swatch(name), text));
    if (colour === states.DENSITY) {
      for (let bin = 0; bin < points.BINS; bin++) {
        add(`--bin-${bin}`, bin === 0 ? "1" : bin === 1 ? "2–3" : bin === points.BINS - 1 ? `${2 ** bin} and more` : `${2 ** bin}–${2 ** (bin + 1) - 1}`);
      }
    } else if (colour !== states.NONE) {
      const count = bins.bounds.length + 1;
      for (let bin = 0; bin < count; bin++) {
        const text = bins.levels.length
          ? format.short(bins.levels[bin])
          : bin < count - 1 ? `≤ ${format.short(bins.bounds[bin])}` : `≤ ${format.short(bins.high ?? NaN)}`;
        add(`--bin-${shade(bin, count)}`, text);
      }
      if (bins.unknown) add("--unknown", "not known");
    }
    const title = colour === states.DENSITY ? "Architectures behind a dot" : colour === states.NONE ? "" : headed(data.columns.get(colour));
    host.replaceChildren(...(title ? [element("span", {}, `${title}:`), element("ul", {}, ...entries)] : []));
  };

  // few bins are spread over all shades
  const shade = (bin, count) => (count === 1 ? points.BINS >> 1 : Math.round((bin * (points.BINS - 1)) / (count - 1)));

  const fillWalks = async () => {
    for (const [walk, visits] of await data.walks()) {
      byId("walk").append(element("option", { value: walk }, `walk ${walk} (${format.counted(visits.length, "visit")})`));
    }
  };

  terranas.explorer.controls = { makeControls, showLegend, shade, fillWalks };
})();
