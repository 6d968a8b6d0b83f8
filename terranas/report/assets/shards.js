// Loads data shards (terranas/report/shards.py): terranas.load(name) gives a promise of an ArrayBuffer, once a name.
"use strict";
window.terranas = window.terranas || {};
(() => {
  const FOLDER = "data";
  const promises = new Map();
  const receivers = new Map();

  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  };

  // what every shard calls
  terranas.shard = (name, text) => {
    const receiver = receivers.get(name);
    if (receiver) receiver.resolve(unpack(text));
  };

  terranas.load = (name) => {
    if (promises.has(name)) return promises.get(name);
    const promise = new Promise((resolve, reject) => {
      receivers.set(name, { resolve });
      const script = document.createElement("script");
      script.src = `${FOLDER}/${name}.js`;
      script.async = true;
      script.onload = () => script.remove();
      script.onerror = () => {
        promises.delete(name);
        script.remove();
        reject(new Error(`The file ${script.getAttribute("src")} of this report cannot be read. Is the whole folder there?`));
      };
      document.head.append(script);
    });
    promises.set(name, promise);
    return promise;
  };

  // JSON that stands in the page itself, which is data and never runs
  terranas.json = (id) => JSON.parse(document.getElementById(id).textContent);
})();
