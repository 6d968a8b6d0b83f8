// Charts of plain numbers that stand in the page as JSON (terranas/report/charts.py), drawn by ECharts.
"use strict";
(() => {
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const common = () => ({
    animation: false,
    color: [colour("--series-1"), colour("--series-2")],
    textStyle: { color: colour("--ink"), fontFamily: getComputedStyle(document.body).fontFamily },
    legend: { top: 0, left: 0, textStyle: { color: colour("--ink") } },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: colour("--paper"),
      borderColor: colour("--line"),
      textStyle: { color: colour("--ink") },
    },
  });

  const axis = (more) => ({
    nameLocation: "middle",
    nameTextStyle: { color: colour("--soft") },
    axisLabel: { color: colour("--soft"), hideOverlap: true },
    axisLine: { lineStyle: { color: colour("--line") } },
    splitLine: { lineStyle: { color: colour("--line") } },
    ...more,
  });

  const bars = (content) => ({
    ...common(),
    grid: { left: 8, right: 24, top: 36, bottom: 36, containLabel: true },
    xAxis: axis({ type: "value", name: content.unit, nameGap: 26 }),
    yAxis: axis({ type: "category", data: content.categories, inverse: true, splitLine: { show: false } }),
    series: content.series.map((one) => ({ name: one.name, type: "bar", data: one.values })),
  });

  // a band is an invisible line with the difference stacked on it
  const band = (one, low, high, opacity, place) => {
    const stack = `${one.name} ${low}`;
    const shared = { type: "line", stack, stackStrategy: "all", symbol: "none", silent: true, lineStyle: { opacity: 0 } };
    const hidden = { ...shared, tooltip: { show: false }, color: colour(`--series-${place + 1}`) };
    return [
      { ...hidden, data: one[low] },
      { ...hidden, data: one[high].map((value, index) => value - one[low][index]), areaStyle: { opacity } },
    ];
  };

  const percent = (value) => `${(100 * value).toFixed(1)} %`;

  const bands = (content) => {
    const base = common();
    return {
      ...base,
      tooltip: { ...base.tooltip, valueFormatter: percent },
      legend: { ...base.legend, data: content.bands.map((one) => one.name) },
      grid: { left: 8, right: 24, top: 36, bottom: 36, containLabel: true },
      xAxis: axis({ type: "category", data: content.x, name: content.x_name, nameGap: 26, boundaryGap: false }),
      yAxis: axis({ type: "value", axisLabel: { color: colour("--soft"), formatter: (value) => `${Math.round(100 * value)} %` } }),
      series: content.bands.flatMap((one, place) => [
        ...band(one, "smallest", "largest", 0.12, place),
        ...band(one, "lower quartile", "upper quartile", 0.25, place),
        {
          name: one.name,
          type: "line",
          data: one.median,
          color: colour(`--series-${place + 1}`),
          symbol: place ? "rect" : "circle",
          symbolSize: 7,
          lineStyle: { width: 2, type: place ? "dashed" : "solid" },
        },
      ]),
    };
  };

  const NARROW = 520; // pixels; below, the legend takes a line a series

  const OPTIONS = { bars, bands };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  for (const place of document.querySelectorAll(".chart")) {
    const content = terranas.json(place.dataset.content);
    if (content.categories) place.style.height = `${70 + 44 * content.categories.length}px`;
    place.replaceChildren(); // the words that stand there without scripts
    const chart = echarts.init(place);
    const draw = () => {
      const option = OPTIONS[place.dataset.kind](content);
      if (place.clientWidth < NARROW) {
        option.legend.orient = "vertical";
        option.grid.top = 14 + 22 * (content.series || content.bands).length;
      }
      chart.setOption(option, true);
    };
    dark.addEventListener("change", draw);
    new ResizeObserver(() => {
      chart.resize();
      draw();
    }).observe(place);
  }
})();
