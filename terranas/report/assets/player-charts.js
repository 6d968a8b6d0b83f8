// The player's charts: objectives of one search, and the hypervolume of all. Apache ECharts draws.
"use strict";
terranas.player = terranas.player || {};
(() => {
  const { format } = terranas.explorer;
  const MANY = 60;
  const SPECK = 3; // below four pixels thousands of points are filled one by one, much faster than as one path
  const CROSS = "path://M4 0h2v4h4v2h-4v4h-2v-4h-4v-2h4z";
  const BAR = "path://M0 4h20v2h-20z";

  // a large series fails to draw no point at all; one that is nowhere it passes over
  const NOWHERE = new Float32Array([NaN, NaN]);

  const dark = () => matchMedia("(prefers-color-scheme: dark)").matches;

  const looks = (host) => {
    const style = getComputedStyle(host);
    const of = (name) => style.getPropertyValue(name).trim();
    return { ink: of("--ink"), soft: of("--soft"), line: of("--line"), paper: of("--paper"), known: of("--known"), centre: of("--centre") };
  };

  // the arms' colours are made for white paper; on a dark one they are mixed with white until they stand out
  const readable = (colour) => {
    if (!dark()) return colour;
    const parts = [1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16));
    const light = (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]) / 255;
    const share = Math.max(0, Math.min(0.75, (0.62 - light) * 1.25));
    return `rgb(${parts.map((part) => Math.round(part + (255 - part) * share)).join(",")})`;
  };

  const axisName = (axis) => format.headed({ name: axis.name, unit: axis.unit });

  const axisOption = (axis, range, look, vertical) => ({
    type: axis.logarithmic ? "log" : "value", min: range[0], max: range[1],
    name: `${axisName(axis)}, ${axis.maximised ? "more" : "less"} is better`, nameLocation: "middle", nameGap: vertical ? 46 : 30,
    nameTextStyle: { color: look.ink, fontSize: 12 },
    axisLabel: { color: look.soft, showMinLabel: false, showMaxLabel: false, hideOverlap: true, formatter: (value) => format.short(value, 4) },
    axisLine: { show: true, onZero: false, lineStyle: { color: look.soft } },
    axisTick: { show: true, lineStyle: { color: look.soft } },
    splitLine: { lineStyle: { color: look.line } }, splitNumber: 5,
  });

  const resized = (host, chart) => new ResizeObserver(() => chart.resize()).observe(host);

  // host: element. Between two objectives what is attained is a staircase; of more, fronts are clouds of points.
  const makeScatter = (host) => {
    const chart = echarts.init(host, null, { renderer: "canvas" });
    resized(host, chart);

    // frame: {x, y: axes, ranges: [x, y], known: points, staircase, colour, points: flat or null}
    const prepare = (frame) => {
      const look = looks(host);
      const colour = readable(frame.colour);
      const step = frame.x.maximised ? "start" : "end";
      const line = (id, more) => ({
        id, type: frame.staircase ? "line" : "scatter", ...(frame.staircase ? { step } : {}), silent: true, ...more,
      });
      const ring = (id, name, symbol, size, border, width, z) => ({
        id, name, type: "scatter", data: [], silent: true, symbol, symbolSize: size, z,
        itemStyle: { color: "transparent", borderColor: border, borderWidth: width },
      });
      const entry = (name, icon, style) => ({ name, icon, itemStyle: style });
      chart.setOption({
        animation: false, backgroundColor: "transparent",
        aria: { enabled: true, label: { enabled: true, description: frame.text } },
        legend: {
          top: 0, left: 0, itemWidth: 14, itemHeight: 10, itemGap: 12, selectedMode: false, textStyle: { color: look.ink, fontSize: 12 },
          data: [
            entry("evaluated", "circle", { color: look.soft, opacity: 0.6 }),
            entry("archive", "circle", { color: colour }),
            ...(frame.queue ? [entry("queue", "circle", { color: "transparent", borderColor: look.ink, borderWidth: 1.5 }),
              entry("its neighbourhood", "diamond", { color: "transparent", borderColor: look.centre, borderWidth: 2 })] : []),
            entry("this evaluation", CROSS, { color: look.centre, borderWidth: 0 }),
            { name: frame.reference, icon: frame.staircase ? BAR : "circle", itemStyle: { color: look.known } },
          ],
        },
        grid: { outerBoundsMode: "none", left: 66, right: 12, top: host.clientWidth < 420 ? 64 : 48, bottom: 46 },
        xAxis: axisOption(frame.x, frame.ranges[0], look, false),
        yAxis: axisOption(frame.y, frame.ranges[1], look, true),
        series: [
          { id: "evaluated", name: "evaluated", type: "scatter", data: NOWHERE, silent: true, large: true, largeThreshold: 0, progressive: 0,
            symbol: "rect", symbolSize: SPECK, itemStyle: { color: look.soft, opacity: 0.5 }, z: 1 },
          line("known", { name: frame.reference, data: frame.known, symbol: frame.staircase ? "none" : "circle", symbolSize: 3,
            lineStyle: { color: look.known, width: 1.5 }, itemStyle: { color: look.known }, z: 2 }),
          line("archive", { name: "archive", data: [], symbol: "circle", symbolSize: 7, showAllSymbol: true,
            lineStyle: { color: colour, width: 2 }, itemStyle: { color: colour, borderColor: look.paper, borderWidth: 1 }, z: 4 }),
          ring("queue", "queue", "circle", 12, look.ink, 1.5, 5),
          ring("centre", "its neighbourhood", "diamond", 19, look.centre, 2.5, 6),
          { id: "now", name: "this evaluation", type: "scatter", data: [], silent: true, symbol: CROSS, symbolSize: 13, z: 7,
            itemStyle: { color: look.centre, borderColor: look.paper, borderWidth: 1 } },
        ],
      }, { notMerge: true });
    };

    // scene: {evaluated: flat array, archive, queue, centre, now: lists of points}
    const show = (scene) => chart.setOption({
      series: Object.entries(scene).map(([id, data]) => ({
        id, data: id === "evaluated" && !data.length ? NOWHERE : data,
        // hundreds of rings, as the published way has, would hide what they surround
        ...(id === "queue" ? { symbolSize: data.length > MANY ? 8 : 12 } : {}),
      })),
    }, { lazyUpdate: true });

    return { prepare, show };
  };

  const makeVolume = (host, pick) => {
    const chart = echarts.init(host, null, { renderer: "canvas" });
    resized(host, chart);
    chart.getZr().on("click", (event) => {
      const place = [event.offsetX, event.offsetY];
      if (chart.containPixel("grid", place)) pick(Math.round(chart.convertFromPixel({ xAxisIndex: 0 }, place[0])));
    });
    let curves = [];
    let low = 0, high = 1;

    // frame: {curves: [{name, colour, dashed, points}], range, reference, label, end}
    const prepare = (frame) => {
      const look = looks(host);
      curves = frame.curves;
      [low, high] = frame.range;
      const curve = (one, place, id, opacity, data) => ({
        id: `${id}-${place}`, name: one.name, type: "line", step: "end", symbol: "none", silent: true, data, z: 3,
        lineStyle: { color: readable(one.colour), width: 2, opacity, type: one.dashed ? "dashed" : "solid" }, itemStyle: { color: readable(one.colour) },
      });
      chart.setOption({
        animation: false, backgroundColor: "transparent",
        aria: { enabled: true, label: { enabled: true, description: frame.text } },
        legend: { top: 0, left: 0, selectedMode: false, textStyle: { color: look.ink, fontSize: 12 }, data: curves.map((one) => ({ name: one.name })) },
        grid: { outerBoundsMode: "none", left: 66, right: 12, top: 34, bottom: 46 },
        xAxis: { ...axisOption({ name: frame.label, unit: "" }, [0, frame.end], look, false), name: frame.label },
        yAxis: { ...axisOption({ name: "hypervolume", unit: "" }, frame.range, look, true), name: "hypervolume" },
        series: [
          ...curves.map((one, place) => curve(one, place, "whole", 0.3, one.points)),
          ...curves.map((one, place) => curve(one, place, "past", 1, [])),
          { id: "reference", type: "line", symbol: "none", silent: true, z: 2, lineStyle: { color: look.known, width: 1.5 },
            data: [[0, frame.reference], [frame.end, frame.reference]] },
          { id: "cursor", type: "line", symbol: "none", silent: true, z: 5, lineStyle: { color: look.ink, width: 1.5 }, data: [] },
        ],
      }, { notMerge: true });
    };

    const show = (position) => chart.setOption({
      series: [
        ...curves.map((one, place) => {
          const past = one.points.filter(([at]) => at <= position);
          // up to the cursor, but no further than the search itself went
          const end = Math.min(position, one.points.length ? one.points[one.points.length - 1][0] : 0);
          if (past.length) past.push([end, past[past.length - 1][1]]);
          return { id: `past-${place}`, data: past };
        }),
        { id: "cursor", data: [[position, low], [position, high]] },
      ],
    }, { lazyUpdate: true });

    return { prepare, show };
  };

  terranas.player.charts = { makeScatter, makeVolume, readable, axisName };
})();
