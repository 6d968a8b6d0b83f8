// What the explorer knows, loaded when asked for: columns of all rows; keys, graphs, neighbours and walks of single ones.
"use strict";
terranas.explorer = terranas.explorer || {};
(() => {
  const manifest = terranas.json("explorer-manifest");
  const columns = new Map(manifest.columns.map((column) => [column.key, column]));
  const values = new Map();
  const blocks = new Map();
  let walksPromise = null;

  const decode = (column, buffer) => {
    if (column.width === 8) return terranas.planes(buffer, Float64Array, manifest.rows);
    const levels = new Float64Array(column.different + 1);
    levels.set(terranas.planes(buffer, Float64Array, column.different));
    levels[column.different] = NaN;
    const Codes = column.width === 1 ? Uint8Array : Uint16Array;
    const codes = terranas.planes(buffer, Codes, manifest.rows, 8 * column.different);
    const result = new Float64Array(manifest.rows);
    for (let row = 0; row < codes.length; row++) result[row] = levels[codes[row]];
    return result;
  };

  // a promise of the column's values, NaN where not known
  const column = (key) => {
    if (!values.has(key)) {
      const about = columns.get(key);
      values.set(key, terranas.load(about.shard).then((buffer) => decode(about, buffer)));
      values.get(key).catch(() => values.delete(key));
    }
    return values.get(key);
  };

  const padded = (number, digits) => String(number).padStart(digits, "0");

  const block = (number) => {
    if (!blocks.has(number)) {
      blocks.set(number, terranas.load(`${manifest.folder}/keys-${padded(number, 2)}`).then((buffer) => unpackKeys(number, buffer)));
      blocks.get(number).catch(() => blocks.delete(number));
    }
    return blocks.get(number);
  };

  const unpackKeys = (number, buffer) => {
    const rows = Math.min(manifest.key_rows, manifest.rows - number * manifest.key_rows);
    const length = new DataView(buffer).getUint32(0, true);
    const bytes = new Uint8Array(buffer, 4, length);
    const keys = new Array(rows);
    if (manifest.hashes) {
      const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
      for (let row = 0; row < rows; row++) {
        let key = "";
        for (let place = row; place < length; place += rows) key += digits[bytes[place]];
        keys[row] = key;
      }
    } else {
      new TextDecoder().decode(bytes).split("\n").forEach((key, row) => { keys[row] = key; });
    }
    if (!manifest.graphs) return { keys };
    const edges = terranas.planes(buffer, Uint32Array, rows, 4 + length);
    return { keys, edges, operations: terranas.planes(buffer, Uint16Array, rows, 4 + length + 4 * rows) };
  };

  const blockOf = (row) => Math.floor(row / manifest.key_rows);
  const key = async (row) => (await block(blockOf(row))).keys[row % manifest.key_rows];

  // {vertices, edges: bits, operations: bits}, or null where the table of cells does not have the architecture
  const graph = async (row) => {
    const found = await block(blockOf(row));
    const place = row % manifest.key_rows;
    if (!found.edges || !found.edges[place]) return null;
    return { vertices: found.edges[place] >>> 21, edges: found.edges[place] & 0x1fffff, operations: found.operations[place] };
  };

  // the ids name rows where keys of neighbours would take many shards to look up
  const namesById = columns.has("id") && manifest.heads.length > 1;
  const label = async (row) => (namesById ? String((await column("id"))[row]) : key(row));

  const byId = async (id) => (await column("id")).indexOf(id);

  // the row of a key, of the beginning of one key only, or of an id; {row: -1, several: true} where many begin so
  const find = async (text) => {
    const wanted = manifest.hashes ? text.trim().toLowerCase() : text.trim();
    if (!wanted) return { row: -1, several: false };
    // no id begins with a zero, but keys do
    if (columns.has("id") && /^(0|[1-9]\d{0,5})$/.test(wanted)) {
      const row = await byId(Number(wanted));
      if (row >= 0) return { row, several: false };
    }
    let number = manifest.heads.length - 1;
    while (number > 0 && manifest.heads[number] > wanted) number--;
    const { keys } = await block(number);
    let low = 0;
    for (let high = keys.length; low < high;) {
      const middle = (low + high) >> 1;
      if (keys[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    const row = number * manifest.key_rows + low;
    if (row >= manifest.rows) return { row: -1, several: false };
    const found = await key(row);
    if (!found.startsWith(wanted)) return { row: -1, several: false };
    const next = found !== wanted && row + 1 < manifest.rows ? await key(row + 1) : "";
    return next.startsWith(wanted) ? { row: -1, several: true } : { row, several: false };
  };

  // {inSpace: number of neighbours, rows: those in this table}
  const neighbours = async (row) => {
    const number = Math.floor(row / manifest.neighbour_rows);
    const buffer = await terranas.load(`${manifest.folder}/neighbours-${padded(number, 3)}`);
    const rows = Math.min(manifest.neighbour_rows, manifest.rows - number * manifest.neighbour_rows);
    const inSpace = terranas.planes(buffer, Uint16Array, rows);
    const inside = terranas.planes(buffer, Uint16Array, rows, 2 * rows);
    const differences = terranas.planes(buffer, Uint32Array, (buffer.byteLength - 4 * rows) / 4, 4 * rows);
    const place = row % manifest.neighbour_rows;
    let start = 0;
    for (let before = 0; before < place; before++) start += inside[before];
    const found = new Uint32Array(inside[place]);
    for (let i = 0, at = 0; i < found.length; i++) found[i] = at += differences[start + i];
    return { inSpace: inSpace[place], rows: found };
  };

  // Map from the number of a walk to its visits {step, row}, in order; row is -1 for what is not in this table
  const walks = () => {
    if (!walksPromise) {
      walksPromise = manifest.visits
        ? terranas.load(`${manifest.folder}/walks`).then((buffer) => {
            const [walk, step, row] = [0, 1, 2].map((part) =>
              terranas.planes(buffer, Int32Array, manifest.visits, 4 * part * manifest.visits));
            const found = new Map();
            walk.forEach((number, i) => {
              if (!found.has(number)) found.set(number, []);
              found.get(number).push({ step: step[i], row: row[i] });
            });
            return found;
          })
        : Promise.resolve(new Map());
    }
    return walksPromise;
  };

  terranas.explorer.data = { manifest, columns, column, key, label, namesById, graph, find, neighbours, walks };
})();
