// Arithmetic on columns of up to some hundred thousand points: which are shown, their front, their colours, their dots.
"use strict";
terranas.explorer = terranas.explorer || {};
(() => {
  const BINS = 8;
  const STRIPS = 4096;

  // rows with both values that pass all filters; `without` counts those that pass, but lack a value
  // (or have one that a logarithmic axis cannot show)
  const shown = (x, y, logs, filters) => {
    const rows = new Uint32Array(x.length);
    let kept = 0;
    let without = 0;
    next: for (let row = 0; row < x.length; row++) {
      for (const { values, low, high } of filters) {
        // a value that is not known passes no filter
        if (!(values[row] >= low && values[row] <= high)) continue next;
      }
      const a = x[row];
      const b = y[row];
      if (Number.isFinite(a) && Number.isFinite(b) && !(logs.x && a <= 0) && !(logs.y && b <= 0)) rows[kept++] = row;
      else without++;
    }
    return { rows: rows.subarray(0, kept), without };
  };

  // rows that no other one dominates, by ascending x (descending where more is better); equal ones are all kept
  const front = (rows, x, y, directions) => {
    if (!rows.length) return [];
    const sx = directions.x === "maximise" ? -1 : 1;
    const sy = directions.y === "maximise" ? -1 : 1;
    // what the best of all better strips of x dominates is left out first: few are left to sort
    const [low, high] = extent(rows, x);
    const strip = (row) => Math.floor(((sx > 0 ? x[row] - low : high - x[row]) / (high - low || 1)) * (STRIPS - 1));
    const best = new Float64Array(STRIPS + 1).fill(Infinity);
    for (const row of rows) {
      const after = strip(row) + 1;
      if (sy * y[row] < best[after]) best[after] = sy * y[row];
    }
    for (let i = 1; i <= STRIPS; i++) best[i] = Math.min(best[i], best[i - 1]);
    const left = [];
    for (const row of rows) if (sy * y[row] < best[strip(row)]) left.push(row);
    left.sort((a, b) => sx * (x[a] - x[b]) || sy * (y[a] - y[b]));
    const found = [];
    let last = -1;
    for (const row of left) {
      const better = last < 0 || sy * y[row] < sy * y[last];
      if (better || (x[row] === x[last] && y[row] === y[last])) {
        found.push(row);
        last = row;
      }
    }
    return found;
  };

  const extent = (rows, values) => {
    let low = Infinity;
    let high = -Infinity;
    for (const row of rows) {
      if (values[row] < low) low = values[row];
      if (values[row] > high) high = values[row];
    }
    return [low, high];
  };

  // {bounds: ascending upper bounds of the bins but the last, levels: their values where there are as few}
  const bins = (rows, values, levels) => {
    if (levels.length && levels.length <= BINS) return { bounds: levels.slice(0, -1), levels };
    const known = new Float64Array(rows.length);
    let count = 0;
    for (const row of rows) if (!Number.isNaN(values[row])) known[count++] = values[row];
    const sorted = known.subarray(0, count).sort();
    const bounds = [];
    for (let bin = 1; bin < BINS; bin++) {
      const bound = sorted[Math.floor((bin * count) / BINS)];
      // many equal values share a bin
      if (count && bound < sorted[count - 1] && !(bound <= bounds[bounds.length - 1])) bounds.push(bound);
    }
    return { bounds, levels: [], low: sorted[0], high: sorted[count - 1] };
  };

  const binOf = (value, bounds) => {
    if (Number.isNaN(value)) return BINS;
    let bin = 0;
    while (bin < bounds.length && value > bounds[bin]) bin++;
    return bin;
  };

  // from a value to a share of the axis and back
  const scale = (low, high, log) => {
    const a = log ? Math.log10(low) : low;
    const b = log ? Math.log10(high) : high;
    return {
      share: (value) => ((log ? Math.log10(value) : value) - a) / (b - a),
      value: (share) => (log ? 10 ** (a + share * (b - a)) : a + share * (b - a)),
    };
  };

  // 1, 2, 5, 10, 20, ... inside a range of a logarithmic axis; round steps where these are too few
  const logTicks = (low, high) => {
    const decades = Math.log10(high / low);
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      for (const digit of decades > 4 ? [1] : decades > 2.5 ? [1, 3] : [1, 2, 5]) found.push(Number(`${digit}e${power}`));
    }
    const inside = found.filter((tick) => tick >= low && tick <= high);
    if (inside.length > 2) return inside;
    const rough = (high - low) / 5;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((digit) => digit * unit >= rough);
    const even = [];
    for (let i = Math.ceil(low / step); i * step <= high; i++) even.push(Number((i * step).toPrecision(12)));
    return even;
  };

  // One dot for each small square of the plot that holds a point, with the number of points behind it. Rows ascend by
  // hash, so that the one that lends its colour and place to a dot is as good as drawn by lot.
  const dots = (rows, x, y, axes, columns, lines) => {
    const first = new Int32Array(columns * lines).fill(-1);
    const count = new Uint32Array(columns * lines);
    const [ax, ay] = axes;
    const [x0, y0] = [ax.value(0), ay.value(0)];
    const [x1, y1] = [ax.value(1), ay.value(1)];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      const a = x[row];
      const b = y[row];
      if (a < x0 || a > x1 || b < y0 || b > y1) continue;
      const column = Math.min(columns - 1, Math.floor(ax.share(a) * columns));
      const line = Math.min(lines - 1, Math.floor(ay.share(b) * lines));
      const place = line * columns + column;
      if (count[place]++ === 0) first[place] = row;
    }
    return { first, count };
  };

  // points of each bin as [x0, y0, x1, y1, ...]; the last bin is of values that are not known
  const grouped = (picked, bin, x, y) => {
    const sizes = new Uint32Array(BINS + 1);
    const of = new Uint8Array(picked.length);
    for (let i = 0; i < picked.length; i++) sizes[(of[i] = bin(i))]++;
    const groups = Array.from(sizes, (size) => new Float64Array(2 * size));
    const ends = new Uint32Array(BINS + 1);
    for (let i = 0; i < picked.length; i++) {
      const group = of[i];
      groups[group][ends[group]++] = x[picked[i]];
      groups[group][ends[group]++] = y[picked[i]];
    }
    return groups;
  };

  // the row whose point is nearest to a place (in shares of the axes), at most `reach` pixels away; -1 where there is none
  const nearest = (rows, x, y, axes, size, place, reach) => {
    let best = -1;
    let least = reach * reach;
    const low = [0, 1].map((i) => axes[i].value(place[i] - reach / size[i]));
    const high = [0, 1].map((i) => axes[i].value(place[i] + reach / size[i]));
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      if (x[row] < low[0] || x[row] > high[0] || y[row] < low[1] || y[row] > high[1]) continue;
      const dx = (axes[0].share(x[row]) - place[0]) * size[0];
      const dy = (axes[1].share(y[row]) - place[1]) * size[1];
      if (dx * dx + dy * dy < least) {
        least = dx * dx + dy * dy;
        best = row;
      }
    }
    return best;
  };

  const inBox = (rows, x, y, box) =>
    rows.filter((row) => x[row] >= box[0] && x[row] <= box[1] && y[row] >= box[2] && y[row] <= box[3]);

  // the first `limit` rows by a column; not known values come last in both orders
  const ordered = (rows, values, descending, limit) => {
    const known = rows.filter((row) => !Number.isNaN(values[row]));
    const sign = descending ? -1 : 1;
    let kept = known;
    if (known.length > limit) {
      // sorting plain numbers is several times as fast as sorting rows by them
      const sorted = Float64Array.from(known, (row) => values[row]).sort();
      const last = descending ? sorted[sorted.length - limit] : sorted[limit - 1];
      kept = known.filter((row) => sign * values[row] <= sign * last);
    }
    const result = Array.from(kept).sort((a, b) => sign * (values[a] - values[b]) || a - b).slice(0, limit);
    if (result.length < limit) result.push(...rows.filter((row) => Number.isNaN(values[row])).slice(0, limit - result.length));
    return result;
  };

  terranas.explorer.points = { BINS, shown, front, extent, bins, binOf, scale, logTicks, dots, grouped, nearest, inBox, ordered };
})();
