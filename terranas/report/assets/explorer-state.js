// The state of the explorer as the address's fragment, so that a copied link restores the view.
"use strict";
terranas.explorer = terranas.explorer || {};
(() => {
  const { manifest, columns } = terranas.explorer.data;
  const MANY = 5000;
  const DENSITY = "dots";
  const NONE = "none";

  // what a reader may limit: counts and states with few different values
  const filterable = manifest.columns.filter((column) => column.kind !== "metric" && column.levels.length > 1);
  const colourAtFirst = manifest.rows > MANY ? DENSITY : columns.has("depth") ? "depth" : NONE;
  const initial = () => ({
    x: manifest.axes[0], y: manifest.axes[1], log: { x: false, y: false }, colour: colourAtFirst,
    filters: {}, box: null, view: null, cell: "", walk: -1, front: false, sort: null,
  });

  // a link is input from outside: what does not fit is left out
  const numbers = (text, length) => {
    const parts = (text || "").split(",").map((part) => (part.trim() ? Number(part) : NaN));
    return parts.length === length && parts.every(Number.isFinite) ? parts : null;
  };

  const ascends = ([x0, x1, y0, y1]) => x0 < x1 && y0 < y1;

  // whether values differ by more than rounding does, so that ticks and points find room between them
  const apart = (low, high) => Number.isFinite(high - low) && high - low > 1e-12 * Math.max(Math.abs(low), Math.abs(high));

  // whether a view can be drawn: a logarithmic axis has neither zero nor what is below it
  const viewable = ([x0, x1, y0, y1], log) => apart(x0, x1) && apart(y0, y1) && !(log.x && x0 <= 0) && !(log.y && y0 <= 0);

  // a side without a number is open
  const openBox = (text) => {
    const parts = (text || "").split(",");
    const sides = parts.map((part, place) => (part.trim() ? Number(part) : place % 2 ? Infinity : -Infinity));
    return parts.length === 4 && !sides.some(Number.isNaN) && sides.some(Number.isFinite) ? sides : null;
  };

  const read = (fragment) => {
    const state = initial();
    const given = new URLSearchParams(fragment.replace(/^#/, ""));
    for (const axis of ["x", "y"]) {
      const about = columns.get(given.get(axis));
      if (about && about.known) state[axis] = about.key;
      state.log[axis] = (given.get("log") || "").includes(axis);
    }
    const colour = given.get("colour");
    if (columns.has(colour) || colour === NONE || (colour === DENSITY && manifest.rows > MANY)) state.colour = colour;
    for (const [name, text] of given) {
      const key = name.startsWith("only.") ? name.slice(5) : "";
      const range = numbers(text, 2);
      if (filterable.some((column) => column.key === key) && range && range[0] <= range[1]) state.filters[key] = range;
    }
    const view = numbers(given.get("view"), 4);
    if (view && viewable(view, state.log)) state.view = view;
    const box = openBox(given.get("box"));
    if (box && ascends(box)) state.box = box;
    state.front = given.get("front") === "only";
    const [, mark, key] = /^(-?)(.*)$/s.exec(given.get("sort") || "");
    if (columns.has(key)) state.sort = { key, descending: mark === "-" };
    state.cell = (given.get("cell") || "").slice(0, 500);
    const walk = Number(given.get("walk") || NaN);
    if (Number.isInteger(walk) && walk >= 0) state.walk = walk;
    return state;
  };

  // only what differs from the first view
  const write = (state) => {
    const first = initial();
    const given = new URLSearchParams();
    for (const axis of ["x", "y"]) if (state[axis] !== first[axis]) given.set(axis, state[axis]);
    const log = ["x", "y"].filter((axis) => state.log[axis]).join("");
    if (log) given.set("log", log);
    if (state.colour !== first.colour) given.set("colour", state.colour);
    for (const [key, range] of Object.entries(state.filters)) given.set(`only.${key}`, range.join(","));
    if (state.box) given.set("box", state.box.map((side) => (Number.isFinite(side) ? side : "")).join(","));
    if (state.view) given.set("view", state.view.join(","));
    if (state.front) given.set("front", "only");
    if (state.sort) given.set("sort", `${state.sort.descending ? "-" : ""}${state.sort.key}`);
    if (state.cell) given.set("cell", state.cell);
    if (state.walk >= 0) given.set("walk", state.walk);
    return `#${given}`;
  };

  terranas.explorer.state = { read, write, openBox, ascends, apart, viewable, filterable, MANY, DENSITY, NONE };
  // what the first view needs is on its way before the other scripts have come
  const start = read(location.hash);
  for (const key of [start.x, start.y]) terranas.explorer.data.column(key);
})();
