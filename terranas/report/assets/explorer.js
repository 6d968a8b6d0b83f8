// The explorer of a tabular benchmark: state, plot, controls, table and cell put together.
"use strict";
(() => {
  const { data, format, points, state: states, controls, table, cell, makePlot } = terranas.explorer;
  const { manifest, columns } = data;
  const byId = (id) => document.getElementById(id);
  const REACH = 14;
  const DOT = 3;
  const SQUARE = 2;

  let state = states.read(location.hash);
  // what the state means in numbers: made anew when axes, colour or filters change
  let scene = null;
  let chosen = -1;
  let walk = [];
  let turn = 0;
  let cellTurn = 0;
  let tableTurn = 0;
  let frame = 0;
  let begun = false;

  const fail = (error) => { byId("status").textContent = error.message; };
  const linkTo = (name) => states.write({ ...state, cell: name });
  const remember = () => history.replaceState(null, "", states.write(state));

  const prepare = async () => {
    const mine = ++turn;
    const wanted = Object.entries(state.filters);
    const coloured = columns.has(state.colour) ? data.column(state.colour) : null;
    const [x, y, c, ...limited] = await Promise.all([data.column(state.x), data.column(state.y), coloured, ...wanted.map(([key]) => data.column(key))]);
    if (mine !== turn) return false;
    const filters = limited.map((values, place) => ({ values, low: wanted[place][1][0], high: wanted[place][1][1] }));
    const { rows, without } = points.shown(x, y, state.log, filters);
    const directions = { x: columns.get(state.x).direction, y: columns.get(state.y).direction };
    const front = directions.x && directions.y && state.x !== state.y ? points.front(rows, x, y, directions) : null;
    const bins = c ? points.bins(rows, c, columns.get(state.colour).levels) : { bounds: [], levels: [] };
    if (c) bins.unknown = rows.some((row) => Number.isNaN(c[row]));
    scene = { rows, without, x, y, c, front, bins, fit: fitted(rows, x, y) };
    return true;
  };

  const fitted = (rows, x, y) => {
    const padded = (values, log) => {
      const [low, high] = rows.length ? points.extent(rows, values) : [1, 2];
      if (!states.apart(low, high)) return log ? [low / 2, low * 2] : [low - (Math.abs(low) / 10 || 1), low + (Math.abs(low) / 10 || 1)];
      const axis = points.scale(low, high, log);
      return [axis.value(-0.03), axis.value(1.03)];
    };
    return [...padded(x, state.log.x), ...padded(y, state.log.y)];
  };

  const groups = (view) => {
    const { rows, x, y, c, bins } = scene;
    const count = bins.bounds.length + 1;
    const binOf = (row) => points.binOf(c[row], bins.bounds);
    const shadeOf = (bin) => (bin === points.BINS ? bin : controls.shade(bin, count));
    if (rows.length <= states.MANY) return points.grouped(rows, c ? (i) => shadeOf(binOf(rows[i])) : () => 0, x, y);
    const [width, height] = plot.size();
    const axes = [points.scale(view[0], view[1], state.log.x), points.scale(view[2], view[3], state.log.y)];
    const { first, count: behind } = points.dots(rows, x, y, axes, Math.ceil(width / SQUARE), Math.ceil(height / SQUARE));
    const places = [];
    for (let place = 0; place < first.length; place++) if (first[place] >= 0) places.push(place);
    const picked = Uint32Array.from(places, (place) => first[place]);
    const density = (i) => Math.min(points.BINS - 1, 31 - Math.clz32(behind[places[i]]));
    const bin = state.colour === states.DENSITY ? density : c ? (i) => shadeOf(binOf(picked[i])) : () => 0;
    return points.grouped(picked, bin, x, y);
  };

  const point = (row) => [scene.x[row], scene.y[row]];
  const drawable = (row) => row >= 0 && point(row).every(Number.isFinite);

  // an open side has no place on the axis
  const inView = (box, view) => {
    if (!box) return null;
    const cut = box.map((side, place) => (place % 2 ? Math.min(side, view[place]) : Math.max(side, view[place])));
    return cut[0] < cut[1] && cut[2] < cut[3] ? cut : null;
  };

  const statusText = () => {
    const parts = [`${format.counted(scene.rows.length, "architecture")} shown of ${format.count(manifest.rows)}.`];
    if (scene.without) {
      const lack = state.log.x || state.log.y ? "no value that one of the axes can show (a logarithmic one begins above zero)" : "no value on one of the axes";
      parts.push(`${format.count(scene.without)} more ${scene.without === 1 ? "has" : "have"} ${lack}.`);
    }
    if (scene.front) parts.push(`${format.count(scene.front.length)} on the front.`);
    else parts.push("These axes have no front.");
    return parts.join(" ");
  };

  const draw = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => {
      if (!scene) return;
      const view = state.view || scene.fit;
      const one = state.colour === states.NONE || (state.colour === states.DENSITY && scene.rows.length <= states.MANY);
      const many = scene.rows.length > states.MANY;
      if (!begun) plot.finished(firstDrawn);
      begun = true;
      plot.draw({
        x: columns.get(state.x), y: columns.get(state.y), log: state.log, view, groups: groups(view),
        colour: (look, bin) => (one ? look.one : bin === points.BINS ? look.unknown : look.bins[bin]),
        square: many, dot: many ? DOT : scene.rows.length > 500 ? 6 : 9,
        front: (scene.front || []).map(point), frontStep: "end",
        walk: walk.filter(({ row }) => drawable(row)).map(({ step, row }) => ({ step, place: point(row) })),
        cell: drawable(chosen) ? point(chosen) : null, box: inView(state.box, view),
        text: `Scatter plot of ${format.headed(columns.get(state.y))} against ${format.headed(columns.get(state.x))}. ${statusText()}`,
      });
    });
  };

  const firstDrawn = () => {
    performance.mark("explorer drawn");
    // what the first view does not need
    Promise.all([controls.fillWalks().then(() => form.show(state)), showTable(), state.cell ? showCell() : null, showWalk()])
      .then(() => { document.body.dataset.ready = "true"; }, fail);
  };

  const selected = () => {
    const rows = state.front ? Uint32Array.from(scene.front || []).sort() : scene.rows;
    return state.box ? points.inBox(rows, scene.x, scene.y, state.box) : rows;
  };

  const showTable = async () => {
    const mine = ++tableTurn;
    const rows = selected();
    const what = `${state.front ? "of the front " : ""}${state.box ? "selected" : "shown"}`;
    byId("selection").textContent = rows.length > table.LIMIT
      ? `${format.counted(rows.length, "architecture")} ${what}; the table holds the first ${table.LIMIT} in its order, the CSV file all.`
      : `${format.counted(rows.length, "architecture")} ${what}.`;
    byId("csv").disabled = !rows.length;
    const keys = [state.x, state.y, state.colour];
    await table.showTable(byId("table"), rows, keys, state.sort, {
      link: linkTo, current: () => mine === tableTurn,
      onSort: (key) => {
        const again = state.sort && state.sort.key === key;
        const descending = again ? !state.sort.descending : columns.get(key).direction === "maximise";
        change({ sort: { key, descending } }).then(() => byId("table").querySelector(`[data-key="${CSS.escape(key)}"] button`)?.focus(), fail);
      },
    });
  };

  const showAll = async () => {
    if (!(await prepare())) return;
    controls.showLegend(byId("legend"), state.colour, scene.bins);
    byId("status").textContent = statusText();
    draw();
  };

  const showCell = async () => {
    const mine = ++cellTurn;
    const panel = byId("cell");
    panel.hidden = !state.cell;
    chosen = -1;
    if (state.cell) {
      const { row, several } = await data.find(state.cell);
      if (mine !== cellTurn) return;
      byId("search-result").textContent = row >= 0 ? "" : several ? "Several architectures begin so: give more of it." : "This table does not have it.";
      panel.hidden = row < 0;
      if (row >= 0) {
        chosen = row;
        const name = await data.key(row);
        if (mine !== cellTurn) return;
        state.cell = name;
        remember();
        draw();
        const keys = [...new Set([state.x, state.y, state.colour])].filter((key) => columns.has(key));
        const shown = await Promise.all(keys.map(async (key) => ({ column: columns.get(key), values: await data.column(key) })));
        await cell.showCell(panel, row, shown, { link: linkTo, current: () => mine === cellTurn, showWalk: (number) => change({ walk: number }) });
      }
    }
    draw();
  };

  const showWalk = async () => {
    walk = state.walk >= 0 ? (await data.walks()).get(state.walk) || [] : [];
    draw();
  };

  // merges a change into the state and shows what follows from it
  const change = async (part) => {
    const filters = { ...state.filters, ...part.filters };
    for (const key of Object.keys(filters)) if (!filters[key]) delete filters[key];
    state = { ...state, ...part, filters };
    remember();
    form.show(state);
    const anew = ["x", "y", "log", "colour", "filters"].some((name) => name in part);
    if (anew) await showAll();
    else draw();
    if ("cell" in part) await showCell();
    else if ((anew && !("filters" in part)) && state.cell) await showCell();
    if ("walk" in part) await showWalk();
    if (anew || "box" in part || "front" in part || "sort" in part) await showTable();
  };
  const apply = (part) => change(part).catch(fail);

  const plot = makePlot(byId("plot"), {
    view: (view) => {
      if (view && !states.viewable(view, state.log)) return;
      state.view = view;
      draw();
      clearTimeout(plot.saving);
      // browsers refuse many changes of the address a second
      plot.saving = setTimeout(remember, 250);
    },
    pick: (place) => {
      const row = near(place);
      if (row >= 0) data.key(row).then((name) => apply({ cell: name }), fail);
    },
    hover: (place) => {
      const row = place && scene ? near(place) : -1;
      byId("plot").classList.toggle("over", row >= 0);
      if (row < 0) byId("hover").textContent = "";
      else {
        const [x, y] = ["x", "y"].map((axis) => format.withUnit(format.short(scene[axis][row]), columns.get(state[axis]).unit));
        byId("hover").textContent = `${columns.get(state.y).name} ${y}, ${columns.get(state.x).name} ${x}`;
      }
    },
    box: (box) => apply({ box }),
  });
  const near = (place) => (scene && plot.axes ? points.nearest(scene.rows, scene.x, scene.y, plot.axes, plot.size(), place, REACH) : -1);
  const form = controls.makeControls(apply);

  const setMode = (selecting) => {
    byId("mode-move").setAttribute("aria-pressed", String(!selecting));
    byId("mode-select").setAttribute("aria-pressed", String(selecting));
    plot.select(selecting);
  };
  byId("mode-move").addEventListener("click", () => setMode(false));
  byId("mode-select").addEventListener("click", () => setMode(true));
  byId("zoom-in").addEventListener("click", () => plot.zoom(1 / 1.5));
  byId("zoom-out").addEventListener("click", () => plot.zoom(1.5));
  byId("zoom-all").addEventListener("click", () => apply({ view: null }));
  byId("box-off").addEventListener("click", () => apply({ box: null }));
  byId("walk").addEventListener("change", (event) => apply({ walk: Number(event.target.value) }));
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    apply({ cell: byId("search-text").value.trim() }).then(() => byId("cell-heading")?.focus());
  });
  byId("csv").addEventListener("click", () => table.download(selected(), `${manifest.name}.csv`).catch(fail));
  byId("copy").addEventListener("click", () => {
    remember();
    navigator.clipboard.writeText(location.href).then(
      () => { byId("copied").textContent = "Link copied."; },
      () => { byId("copied").textContent = "The browser does not allow that: copy the address of this page."; },
    );
  });

  const showEverything = async () => {
    form.show(state);
    await showAll();
    await Promise.all([showCell(), showWalk(), showTable()]);
  };
  window.addEventListener("hashchange", () => {
    // a link to a part of this page, as the first one is, leaves what is shown as it is
    if (document.getElementById(location.hash.slice(1))) {
      remember();
      return;
    }
    const before = state;
    state = states.read(location.hash);
    const same = states.write({ ...before, cell: "" }) === states.write({ ...state, cell: "" });
    (same ? showCell() : showEverything()).then(() => { if (same && state.cell) byId("cell-heading")?.focus(); }).catch(fail);
  });
  new ResizeObserver(() => {
    plot.resize();
    draw();
  }).observe(byId("plot"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

  form.show(state);
  showAll().catch(fail);
})();
