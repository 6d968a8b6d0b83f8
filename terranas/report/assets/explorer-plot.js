// The scatter plot: what stands in it, moving about in it, and the box that selects. Apache ECharts draws.
"use strict";
terranas.explorer = terranas.explorer || {};
(() => {
  const { format, points } = terranas.explorer;
  const MARGIN = { left: 74, right: 14, top: 12, bottom: 50 };
  const STEP = 1.25;
  const CLICK = 4;

  // host: element; handlers: view(view, final), pick(place), hover(place), box(box or null)
  const makePlot = (host, handlers) => {
    const chart = echarts.init(host, null, { renderer: "canvas" });
    let axes = null;
    let logs = { x: false, y: false };
    let selecting = false;
    let drawnBox = "";
    chart.setOption({
      animation: false, backgroundColor: "transparent", textStyle: { fontFamily: getComputedStyle(host).fontFamily }, grid: { ...MARGIN, containLabel: false, outerBoundsMode: "none" },
      toolbox: { show: false },
      // no series: ECharts need not look for the points inside, of which it has a part only
      brush: {
        xAxisIndex: 0, yAxisIndex: 0, seriesIndex: [], brushType: "rect", brushMode: "single", removeOnClick: false,
        z: 20, brushStyle: { borderWidth: 1.5, color: "rgba(128,128,128,.15)", borderColor: "#808080" },
      },
    });

    const size = () => [
      Math.max(1, host.clientWidth - MARGIN.left - MARGIN.right),
      Math.max(1, host.clientHeight - MARGIN.top - MARGIN.bottom),
    ];

    const colours = () => {
      const style = getComputedStyle(host);
      const of = (name) => style.getPropertyValue(name).trim();
      return {
        ink: of("--ink"), soft: of("--soft"), line: of("--line"), paper: of("--paper"),
        front: of("--front"), walk: of("--walk"), unknown: of("--unknown"), one: of("--accent"),
        bins: Array.from({ length: points.BINS }, (_, bin) => of(`--bin-${bin}`)),
      };
    };

    const axisOption = (about, log, range, look, vertical) => {
      // of a logarithmic axis ECharts names powers of ten only
      const customValues = log ? points.logTicks(...range) : undefined;
      return {
      type: log ? "log" : "value", min: range[0], max: range[1], name: format.headed(about),
      nameLocation: "middle", nameGap: vertical ? 56 : 30, nameTextStyle: { color: look.ink, fontSize: 13 },
      // the ends are where the view ends, at no round number; of chosen ticks the first and the last are none
      axisLabel: { color: look.soft, showMinLabel: log, showMaxLabel: log, customValues, hideOverlap: true, formatter: (value) => format.short(value, 4) },
      axisLine: { show: true, onZero: false, lineStyle: { color: look.soft } },
      axisTick: { show: true, customValues, lineStyle: { color: look.soft } },
      splitLine: { lineStyle: { color: look.line }, customValues }, splitNumber: vertical ? 6 : Math.max(3, Math.round(size()[0] / 130)),
      };
    };

    const dotSeries = (group, colour, scene) => ({
      type: "scatter", data: group, silent: true, large: scene.square, largeThreshold: 0, progressive: 0,
      symbol: scene.square ? "rect" : "circle", symbolSize: scene.dot, itemStyle: { color: colour, opacity: scene.square ? 1 : 0.85 },
      animation: false,
    });

    // scene: {x, y: columns, log, view, groups, colours: function of the look, dot, square, front, walk, cell, box, text}
    const draw = (scene) => {
      const look = colours();
      logs = scene.log;
      axes = [points.scale(scene.view[0], scene.view[1], logs.x), points.scale(scene.view[2], scene.view[3], logs.y)];
      const series = scene.groups
        .map((group, bin) => (group.length ? dotSeries(group, scene.colour(look, bin), scene) : null))
        .filter(Boolean);
      if (scene.front.length) {
        series.push({
          type: "line", step: scene.frontStep, data: scene.front, silent: true, symbol: "circle", symbolSize: 7, showAllSymbol: true,
          lineStyle: { color: look.front, width: 2 }, itemStyle: { color: look.front, borderColor: look.paper, borderWidth: 1 }, z: 5, animation: false,
        });
      }
      if (scene.walk.length) {
        series.push({
          type: "line", data: scene.walk.map(({ place, step }) => ({ value: place, name: String(step) })), silent: true,
          symbol: "circle", symbolSize: 8, showAllSymbol: true, lineStyle: { color: look.walk, width: 1.5, type: "dashed" },
          itemStyle: { color: look.walk, borderColor: look.paper, borderWidth: 1 }, z: 6, animation: false,
          label: { show: true, formatter: "{b}", color: look.ink, fontSize: 11, textBorderColor: look.paper, textBorderWidth: 3 },
          labelLayout: { hideOverlap: true },
        });
      }
      if (scene.cell) {
        series.push({
          type: "scatter", data: [scene.cell], silent: true, symbol: "circle", symbolSize: 18, z: 7, animation: false,
          itemStyle: { color: "transparent", borderColor: look.ink, borderWidth: 3, shadowColor: look.paper, shadowBlur: 4 },
        });
      }
      chart.setOption({
        aria: { enabled: true, label: { enabled: true, description: scene.text } },
        xAxis: axisOption(scene.x, logs.x, scene.view.slice(0, 2), look, false),
        yAxis: axisOption(scene.y, logs.y, scene.view.slice(2), look, true),
        series,
      }, { replaceMerge: ["series"] });
      setBox(scene.box);
    };

    const setBox = (box) => {
      if (String(box || "") === drawnBox) return;
      drawnBox = String(box || "");
      const areas = box
        ? [{ brushType: "rect", xAxisIndex: 0, yAxisIndex: 0, coordRange: [[box[0], box[1]], [box[2], box[3]]] }]
        : [];
      chart.dispatchAction({ type: "brush", areas });
    };

    const listenForBrush = (on) => {
      chart.dispatchAction({
        type: "takeGlobalCursor", key: "brush",
        brushOption: on ? { brushType: "rect", brushMode: "single" } : { brushType: false },
      });
    };

    chart.on("brushEnd", (event) => {
      const [[x0, x1], [y0, y1]] = event.areas[0].coordRange;
      if (!(x1 > x0 && y1 > y0)) return;
      drawnBox = String([x0, x1, y0, y1]);
      handlers.box([x0, x1, y0, y1]);
    });

    // in shares of the axes; y grows upwards
    const placeOf = (event) => {
      const frame = host.getBoundingClientRect();
      const [width, height] = size();
      return [(event.clientX - frame.left - MARGIN.left) / width, 1 - (event.clientY - frame.top - MARGIN.top) / height];
    };
    const inside = (place) => place.every((share) => share >= 0 && share <= 1);

    const viewOf = (x0, x1, y0, y1) => [axes[0].value(x0), axes[0].value(x1), axes[1].value(y0), axes[1].value(y1)];
    const move = (dx, dy) => handlers.view(viewOf(dx, 1 + dx, dy, 1 + dy));
    const zoom = (factor, [x, y] = [0.5, 0.5]) =>
      handlers.view(viewOf(x - x * factor, x + (1 - x) * factor, y - y * factor, y + (1 - y) * factor));

    host.addEventListener("wheel", (event) => {
      // a page that is scrolled past the plot keeps its wheel
      if (!event.ctrlKey && document.activeElement !== host) return;
      event.preventDefault();
      const place = placeOf(event);
      if (inside(place)) zoom(event.deltaY > 0 ? STEP : 1 / STEP, place);
    }, { passive: false });

    let held = null;
    host.addEventListener("pointerdown", (event) => {
      const place = placeOf(event);
      if (event.button || !inside(place)) return;
      held = { at: [event.clientX, event.clientY], last: place, moved: false };
      if (!selecting) host.setPointerCapture(event.pointerId);
    });
    host.addEventListener("pointermove", (event) => {
      const place = placeOf(event);
      if (!held) return handlers.hover(inside(place) ? place : null);
      if (Math.hypot(event.clientX - held.at[0], event.clientY - held.at[1]) > CLICK) held.moved = true;
      if (held.moved && !selecting) {
        move(held.last[0] - place[0], held.last[1] - place[1]);
        held.last = place;
      }
    });
    host.addEventListener("pointerup", (event) => {
      if (held && !held.moved) handlers.pick(placeOf(event));
      held = null;
    });
    host.addEventListener("pointercancel", () => { held = null; });
    host.addEventListener("pointerleave", () => handlers.hover(null));

    const keys = {
      ArrowLeft: () => move(-0.1, 0), ArrowRight: () => move(0.1, 0), ArrowUp: () => move(0, 0.1), ArrowDown: () => move(0, -0.1),
      "+": () => zoom(1 / STEP), "=": () => zoom(1 / STEP), "-": () => zoom(STEP), 0: () => handlers.view(null),
    };
    host.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });

    return {
      draw, size, zoom,
      get axes() { return axes; },
      select: (on) => {
        selecting = on;
        host.classList.toggle("selecting", on);
        listenForBrush(on);
      },
      resize: () => chart.resize(),
      finished: (listener) => {
        const once = () => {
          chart.off("finished", once);
          listener();
        };
        chart.on("finished", once);
      },
    };
  };

  terranas.explorer.makePlot = makePlot;
})();
