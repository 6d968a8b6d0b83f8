// Loads data shards (terranas/report/shards.py): terranas.load(name) gives a promise of an ArrayBuffer, once a name.
"use strict";
window.terranas = window.terranas || {};
(() => {
  const FOLDER = "data";
  const BITS = 15;
  const FIRST = 0x3000;
  const promises = new Map();
  const receivers = new Map();

  // 15 bits a character, see shards.py
  const bytesOf = (text, length) => {
    const bytes = new Uint8Array(length);
    let held = 0;
    let bits = 0;
    let at = 0;
    for (let i = 0; i < text.length; i++) {
      held = (held << BITS) | (text.charCodeAt(i) - FIRST);
      bits += BITS;
      while (bits >= 8 && at < length) {
        bits -= 8;
        bytes[at++] = held >>> bits;
      }
      held &= (1 << bits) - 1;
    }
    return bytes;
  };

  const unpack = (text, length) => {
    const stream = new Blob([bytesOf(text, length)]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  };

  // what every shard calls
  terranas.shard = (name, length, text) => {
    const receiver = receivers.get(name);
    receivers.delete(name);
    if (receiver) receiver.resolve(unpack(text, length));
  };

  terranas.load = (name) => {
    if (promises.has(name)) return promises.get(name);
    const promise = new Promise((resolve, reject) => {
      receivers.set(name, { resolve });
      const script = document.createElement("script");
      script.src = `${FOLDER}/${name}.js`;
      script.async = true;
      const fail = () => {
        promises.delete(name);
        script.remove();
        reject(new Error(`The file ${script.getAttribute("src")} of this report cannot be read. Is the whole folder there?`));
      };
      script.onerror = fail;
      // a file that was cut off loads without handing anything over
      script.onload = () => (receivers.delete(name) ? fail() : script.remove());
      document.head.append(script);
    });
    promises.set(name, promise);
    return promise;
  };

  // what plane_bytes of shards.py wrote: `count` values of a typed array from byte `start` on
  terranas.planes = (buffer, Type, count, start = 0) => {
    const width = Type.BYTES_PER_ELEMENT;
    const planes = new Uint8Array(buffer, start, count * width);
    const values = new Type(count);
    const bytes = new Uint8Array(values.buffer);
    for (let plane = 0; plane < width; plane++) {
      const from = plane * count;
      for (let i = 0, to = plane; i < count; i++, to += width) bytes[to] = planes[from + i];
    }
    return values;
  };

  // JSON that stands in the page itself, which is data and never runs
  terranas.json = (id) => JSON.parse(document.getElementById(id).textContent);
})();
