// What a panel of the player says in words and numbers about one search at one moment.
"use strict";
terranas.player = terranas.player || {};
(() => {
  const { format } = terranas.explorer;
  const HASH = /^[0-9a-f]{32}$/;

  const ENDS = {
    budget: (allowed) => `Ended: the budget of ${allowed} evaluations was spent.`,
    nothing_left_to_expand: (allowed) => `Ended: nothing was left to look at; ${allowed} evaluations were allowed.`,
    space_exhausted: () => "Ended: every architecture with a value was evaluated.",
  };

  const short = (name) => (HASH.test(name) ? name.slice(0, 10) : name);

  const architecture = (name, explorer) => (explorer
    ? format.element("a", { href: `${explorer}#cell=${encodeURIComponent(name)}`, title: name }, short(name))
    : format.element("span", { title: name }, short(name)));

  // the unit stands in the head of the table
  const valueText = (value, axis) => (axis.unit === "%" ? value.toFixed(2) : format.short(value, 4));

  // parts of a sentence on the evaluation that was just made: texts and elements
  const happened = (arm, search, at, manifest) => {
    if (at < 1) {
      return [arm.charge ? `Nothing yet: the ${format.count(arm.charge)} architectures of the training sample come first.` : "Nothing yet."];
    }
    const member = search.enteredAt(at);
    const parts = [`Evaluation ${format.count(at)}`];
    if (member >= 0) parts.push(", ", architecture(search.names[member], manifest.explorer), ",");
    parts.push(member >= 0 ? " entered the archive" : search.isRepeated(at) ? " repeats an earlier one" : " is dominated");
    const centre = search.centre(at);
    const restart = search.restartAt(at);
    if (arm.restarts && (restart > 0 || search.isStart(at))) parts.push(`. Search ${format.count(restart + 1)} began there`);
    else if (search.isStart(at)) parts.push(". It is a start");
    else if (centre >= 0) parts.push(". It is a neighbour of ", architecture(search.names[centre], manifest.explorer));
    parts.push(search.isPredicted(at) ? ", with a predicted value." : ".");
    return parts;
  };

  const states = (arm, search, run, at, manifest) => {
    const volume = search.volume(at);
    const share = manifest.reference_hypervolume > 0 ? 100 * volume / manifest.reference_hypervolume : NaN;
    const known = manifest.reference === "true front" ? "true front" : "known front";
    const spent = `${format.count(at)} of ${format.count(search.size)}`;
    return {
      evaluations: arm.charge ? `${spent}, and ${format.count(arm.charge)} charged` : spent,
      archive: format.count(search.archive(at).length),
      queue: arm.queue ? format.count(search.queue(at).length) : "none: it has no queue",
      hypervolume: at > 0 ? `${volume.toFixed(5)}, ${share.toFixed(2)}${"\u202f"}% of the ${known}'s` : "–",
      ended: at === search.size ? ENDS[run.stopped_by](format.count(run.budget)) : "",
    };
  };

  // panel: elements of one method, filled by show
  const makePanel = (title) => {
    const numbers = {};
    const list = format.element("dl", { class: "counts" });
    for (const [key, word] of [["evaluations", "Evaluations"], ["archive", "Archive"], ["queue", "Queue"], ["hypervolume", "Hypervolume"]]) {
      numbers[key] = format.element("dd", { "data-count": key });
      list.append(format.element("div", {}, format.element("dt", {}, word), numbers[key]));
    }
    const heading = format.element("h2", {}, title);
    const chart = format.element("div", { class: "player-chart objectives", role: "img" });
    const event = format.element("p", { class: "event" });
    const ended = format.element("p", { class: "ended" });
    const host = format.element("section", { class: "panel" }, heading, chart, list, event, ended);
    const show = (arm, search, run, at, manifest) => {
      const state = states(arm, search, run, at, manifest);
      for (const [key, element] of Object.entries(numbers)) element.textContent = state[key];
      event.replaceChildren(...happened(arm, search, at, manifest));
      ended.textContent = state.ended;
      return state;
    };
    return { host, heading, chart, show };
  };

  const makeTable = () => {
    const caption = format.element("h3");
    const head = format.element("tr");
    const body = format.element("tbody");
    const table = format.element("table", { class: "archive" }, format.element("thead", {}, head), body);
    const scroll = format.element("div", { class: "scroll", tabindex: "0", role: "region" }, table);
    const host = format.element("section", { class: "panel" }, caption, scroll);
    let shown = "";

    const show = (arm, search, at, manifest) => {
      const members = search.archive(at);
      const waiting = arm.queue ? new Set(search.queue(at)) : null;
      const key = [arm.key, members.map(({ member }) => member + (waiting && waiting.has(member) ? "w" : "")).join()].join();
      if (key === shown) return;
      shown = key;
      caption.textContent = arm.name;
      scroll.setAttribute("aria-label", `Archive of ${arm.name}`);
      const cell = (text, tag = "td", number = true) => format.element(tag, { class: number ? "number" : undefined, scope: tag === "th" ? "col" : undefined }, text);
      head.replaceChildren(
        cell("Architecture", "th", false), ...manifest.objectives.map((axis) => cell(format.headed(axis), "th")),
        cell("Since", "th"), ...(waiting ? [cell("Queue", "th", false)] : []),
      );
      const last = manifest.objectives.length - 1;
      members.sort((one, other) => search.memberValue(one.member, last) - search.memberValue(other.member, last));
      body.replaceChildren(...members.map(({ member, entered }) => format.element("tr", {},
        format.element("th", { scope: "row" }, architecture(search.names[member], manifest.explorer), search.memberPredicted(member) ? " (predicted)" : ""),
        ...manifest.objectives.map((axis, place) => cell(valueText(search.memberValue(member, place), axis))),
        cell(format.count(entered)),
        ...(waiting ? [cell(waiting.has(member) ? "waits" : "", "td", false)] : []),
      )));
    };
    return { host, show };
  };

  terranas.player.panel = { makePanel, makeTable };
})();
