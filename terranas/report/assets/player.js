// The search player: choices, clock and keys. What is shown follows from the state alone, which the address keeps.
"use strict";
(() => {
  const { search: searches, charts, panel: panels } = terranas.player;
  const { format } = terranas.explorer;
  const manifest = terranas.json("player-data");
  const by = (id) => document.getElementById(id);
  const arms = new Map(manifest.arms.map((arm) => [arm.key, arm]));
  const axes = manifest.objectives;
  const NONE = "none";
  const COSTS = ["charged", "own"], VIEWS = ["front", "all"];
  const SMALL = 10, LARGE = 100;

  // --- state and address ---------------------------------------------------------------------------------------------

  const seedsOf = (key) => Object.keys(arms.get(key)?.runs ?? {}).map(Number);
  const allSeeds = [...new Set(manifest.arms.flatMap((arm) => seedsOf(arm.key)))].sort((one, other) => one - other);

  const state = { a: manifest.arms[0].key, b: manifest.arms[1]?.key ?? NONE, seed: allSeeds[0], x: axes.length > 1 ? 1 : 0, y: 0, cost: "charged", view: "front", at: null };

  // only what is known is taken from an address
  const readAddress = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    const whole = (name, fits) => {
      const text = given.get(name);
      if (text !== null && /^\d{1,9}$/.test(text) && fits(Number(text))) state[name] = Number(text);
    };
    if (arms.has(given.get("a"))) state.a = given.get("a");
    if (arms.has(given.get("b")) || given.get("b") === NONE) state.b = given.get("b");
    whole("seed", (seed) => allSeeds.includes(seed));
    whole("x", (axis) => axis < axes.length);
    whole("y", (axis) => axis < axes.length);
    if (state.x === state.y && axes.length > 1) state.y = state.x ? 0 : 1;
    if (COSTS.includes(given.get("cost"))) state.cost = given.get("cost");
    if (VIEWS.includes(given.get("view"))) state.view = given.get("view");
    whole("at", () => true);
  };

  const writeAddress = () => history.replaceState(null, "", `#${new URLSearchParams(state)}`);

  // --- what is loaded ------------------------------------------------------------------------------------------------

  const sides = ["a", "b"].map((side) => {
    const panel = panels.makePanel("");
    const table = panels.makeTable();
    by("panels").append(panel.host);
    by("members").append(table.host);
    return { side, panel, table, scatter: null, arm: null, run: null, search: null, points: null };
  });
  let volume = null;
  let first = 0, last = 0; // ends of the shared axis
  let playing = false;
  let request = 0;

  const active = () => sides.filter(({ search }) => search);
  const chargeOf = ({ arm }) => (state.cost === "charged" ? arm.charge : 0);
  const evaluationOf = (one) => Math.max(0, Math.min(one.search.size, state.at - chargeOf(one)));

  const said = (text) => { by("said").textContent = text; };
  const failed = (text) => { by("failed").textContent = text; };

  const load = async () => {
    pause();
    const mine = ++request;
    const wanted = sides.map(({ side }) => (state[side] === NONE ? null : arms.get(state[side])));
    const runs = wanted.map((arm) => arm?.runs[state.seed] ?? null);
    let buffers;
    try {
      buffers = await Promise.all(runs.map((run) => (run ? terranas.load(run.shard) : null)));
    } catch (error) {
      if (mine === request) failed(error.message);
      return;
    }
    if (mine !== request) return; // something else was chosen meanwhile
    sides.forEach((one, place) => {
      one.arm = wanted[place];
      one.run = runs[place];
      one.search = buffers[place] ? searches.make(buffers[place], axes) : null;
      one.panel.host.hidden = one.table.host.hidden = !one.search;
    });
    by("panels").classList.toggle("single", active().length < 2);
    by("members").classList.toggle("single", active().length < 2);
    by("player").hidden = false;
    arrange();
  };

  // --- frames of the charts ------------------------------------------------------------------------------------------

  // what an axis shows of both searches: everything, or the fronts at their ends
  const rangeOf = (axis, place) => {
    let low = Infinity, high = -Infinity;
    const take = (value) => { low = Math.min(low, value); high = Math.max(high, value); };
    for (const { search } of active()) {
      for (const { member } of search.archive(search.size)) take(search.memberValue(member, axis));
      if (state.view === "all") for (let at = 1; at <= search.size; at += 1) take(search.value(at, axis));
    }
    for (const point of manifest.front) take(point[axis] * axes[axis].scale);
    if (axes[axis].logarithmic) {
      const pad = Math.max((high / low) ** 0.06, 1.02);
      return [low / pad, high * pad];
    }
    const pad = (high - low) * 0.06 || Math.abs(high) * 0.05 || 1;
    return [low - pad, high + pad];
  };

  const byX = (points) => points.sort((one, other) => one[0] - other[0] || one[1] - other[1]);

  const knownPoints = () => byX(manifest.front.map((point) => [point[state.x] * axes[state.x].scale, point[state.y] * axes[state.y].scale]));

  const arrange = () => {
    const ready = active();
    failed(ready.length ? "" : "There is no search of these methods with this seed.");
    if (!ready.length) return;
    first = Math.min(...ready.map((one) => chargeOf(one))) + (ready.every(({ arm }) => arm.published) ? 0 : 1);
    last = Math.max(...ready.map((one) => chargeOf(one) + one.search.size));
    state.at = state.at === null ? last : Math.max(first, Math.min(last, state.at));
    const slider = by("position");
    slider.min = first;
    slider.max = last;
    const ranges = [rangeOf(state.x), rangeOf(state.y)];
    const known = knownPoints();
    for (const one of ready) {
      one.points = one.search.points(state.x, state.y);
      one.panel.heading.textContent = one.arm.name;
      const text = `${axes[state.y].name} over ${axes[state.x].name} of what ${one.arm.name} evaluated, seed ${state.seed}.`;
      one.panel.chart.setAttribute("aria-label", text);
      one.scatter = one.scatter ?? charts.makeScatter(one.panel.chart);
      one.scatter.prepare({
        x: axes[state.x], y: axes[state.y], ranges, known, staircase: axes.length === 2, colour: one.arm.colour,
        queue: one.arm.queue, reference: manifest.reference, text,
      });
    }
    volume = volume ?? charts.makeVolume(by("volume"), (at) => { pause(); go(at); });
    // early values would press everything else against the top
    const early = ready.map(({ search }) => search.volume(Math.max(1, Math.ceil(search.size * 0.02))));
    const low = Math.max(0, Math.min(...early) - 0.1 * (manifest.reference_hypervolume - Math.min(...early)));
    const high = manifest.reference_hypervolume + 0.06 * (manifest.reference_hypervolume - low || 0.01);
    const label = state.cost === "charged" && ready.some(({ arm }) => arm.charge) ? "evaluations, training samples included" : "evaluations";
    volume.prepare({
      curves: ready.map((one, place) => ({
        name: place && one.arm.key === ready[0].arm.key ? `${one.arm.name} (second)` : one.arm.name, colour: one.arm.colour, dashed: place === 1,
        points: one.search.curve.map(([at, value]) => [at + chargeOf(one), value]),
      })),
      range: [low, high], reference: manifest.reference_hypervolume, label, end: last,
      text: `Hypervolume over ${label}, seed ${state.seed}: ${ready.map(({ arm, search }) => `${arm.name} ends at ${search.volume(search.size).toFixed(5)}`).join("; ")}.`,
    });
    by("volume-explained").textContent = `Of the archive so far; the thin line is that of the ${manifest.reference}. Values before the first fiftieth of a search may lie below the chart. Click into it to go there.`;
    draw();
    settle();
  };

  const draw = () => {
    for (const one of active()) {
      const { search } = one;
      const at = evaluationOf(one);
      const place = (member) => [search.memberValue(member, state.x), search.memberValue(member, state.y)];
      const centre = search.centre(at);
      one.scatter.show({
        evaluated: one.points.subarray(0, 2 * at),
        archive: byX(search.archive(at).map(({ member }) => place(member))),
        queue: search.queue(at).map(place),
        centre: centre < 0 ? [] : [place(centre)],
        now: at < 1 ? [] : [[search.value(at, state.x), search.value(at, state.y)]],
      });
      one.state = one.panel.show(one.arm, search, one.run, at, manifest);
      one.table.show(one.arm, search, at, manifest);
    }
    volume.show(state.at);
    by("position").value = state.at;
    by("position").setAttribute("aria-valuetext", `${format.count(state.at)} of ${format.count(last)} evaluations`);
    by("position-label").textContent = `${format.count(state.at)} of ${format.count(last)}`;
  };

  // when nothing moves any more: the address, and words for those who do not see the charts
  const settle = () => {
    if (playing) return;
    writeAddress();
    said(active().map(({ arm, state: now }) => `${arm.name}: ${now.evaluations} evaluations, archive ${now.archive}, queue ${now.queue}, hypervolume ${now.hypervolume}. ${now.ended}`).join(" "));
  };

  // --- moving --------------------------------------------------------------------------------------------------------

  const go = (at) => {
    const bounded = Math.max(first, Math.min(last, at));
    if (!Number.isFinite(bounded) || !active().length) return;
    state.at = bounded;
    draw();
    settle();
  };

  const changes = () => active().flatMap((one) => Array.from(one.search.changes, (at) => at + chargeOf(one)));
  const goToNext = () => { pause(); go(Math.min(last, ...changes().filter((at) => at > state.at))); };
  const goToPrevious = () => { pause(); go(Math.max(first, ...changes().filter((at) => at < state.at))); };
  const step = (by) => { pause(); go(state.at + by); };

  const play = () => {
    if (!active().length) return;
    if (state.at >= last) state.at = first;
    playing = true;
    by("play").textContent = "Pause";
    said("");
    let exact = state.at, before = null;
    const tick = (now) => {
      if (!playing) return;
      exact += before === null ? 0 : Number(by("speed").value) * Math.min(0.25, (now - before) / 1000);
      before = now;
      const reached = Math.min(last, Math.floor(exact));
      if (reached !== state.at) { state.at = reached; draw(); }
      if (reached >= last) pause(); else requestAnimationFrame(tick);
    };
    draw();
    requestAnimationFrame(tick);
  };

  const pause = () => {
    if (!playing) return;
    playing = false;
    by("play").textContent = "Play";
    settle();
  };

  const toggle = () => (playing ? pause() : play());

  // --- controls ------------------------------------------------------------------------------------------------------

  const fill = (select, options) => select.replaceChildren(...options.map(([value, text]) => format.element("option", { value }, text)));

  const showChoices = () => {
    for (const [id, key] of [["method-a", "a"], ["method-b", "b"], ["seed", "seed"], ["axis-x", "x"], ["axis-y", "y"], ["cost", "cost"], ["view", "view"]]) {
      by(id).value = String(state[key]);
    }
  };

  const chosen = (id, apply) => by(id).addEventListener("change", (event) => { pause(); apply(event.target.value); showChoices(); });

  const methods = manifest.arms.map((arm) => [arm.key, arm.name]);
  fill(by("method-a"), methods);
  fill(by("method-b"), [...methods, [NONE, "none"]]);
  fill(by("seed"), allSeeds.map((seed) => [seed, String(seed)]));
  fill(by("axis-x"), axes.map((axis, place) => [place, axis.name]));
  fill(by("axis-y"), axes.map((axis, place) => [place, axis.name]));
  for (const label of document.querySelectorAll(".axes")) label.hidden = axes.length < 3;
  chosen("method-a", (value) => { state.a = value; load(); });
  chosen("method-b", (value) => { state.b = value; load(); });
  chosen("seed", (value) => { state.seed = Number(value); load(); });
  // the other axis makes room where both would be the same
  for (const [id, own, other] of [["axis-x", "x", "y"], ["axis-y", "y", "x"]]) {
    chosen(id, (value) => {
      if (Number(value) === state[other]) state[other] = state[own];
      state[own] = Number(value);
      arrange();
    });
  }
  chosen("cost", (value) => { state.cost = value; arrange(); });
  chosen("view", (value) => { state.view = value; arrange(); });
  by("play").addEventListener("click", toggle);
  by("back").addEventListener("click", () => step(-1));
  by("forward").addEventListener("click", () => step(1));
  by("previous-change").addEventListener("click", goToPrevious);
  by("next-change").addEventListener("click", goToNext);
  by("position").addEventListener("input", (event) => { pause(); go(Number(event.target.value)); });

  const KEYS = {
    ArrowLeft: (event) => step(event.shiftKey ? -SMALL : -1),
    ArrowRight: (event) => step(event.shiftKey ? SMALL : 1),
    PageUp: () => step(-LARGE),
    PageDown: () => step(LARGE),
    Home: () => step(-Infinity),
    End: () => step(Infinity),
    " ": toggle, n: goToNext, p: goToPrevious,
  };
  by("player").addEventListener("keydown", (event) => {
    const { target, key } = event;
    const action = KEYS[key.length === 1 ? key.toLowerCase() : key];
    if (!action || event.ctrlKey || event.altKey || event.metaKey || target.matches("select")) return;
    if (key === " " && target.matches("button, a")) return; // presses the button itself
    event.preventDefault();
    action(event);
  });

  addEventListener("hashchange", () => { readAddress(); showChoices(); load(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (active().length) arrange(); });

  readAddress();
  showChoices();
  load();
})();
