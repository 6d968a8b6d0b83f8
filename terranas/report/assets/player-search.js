// One search as the player sees it: what was in archive and queue after any number of evaluations.
// Python wrote the shard (terranas/report/player_shards.py); nothing is computed twice here, only looked up.
"use strict";
terranas.player = terranas.player || {};
(() => {
  const START = 1, PREDICTED = 2, REPEATED = 4;
  const EXPANDED = 0;
  const TYPES = { uint8: Uint8Array, uint32: Uint32Array, float32: Float32Array, float64: Float64Array };

  const unpack = (buffer) => {
    const length = new Uint32Array(buffer, 0, 1)[0];
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    const arrays = {};
    for (const [name, [type, offset, size]] of Object.entries(header.arrays)) {
      arrays[name] = new TYPES[type](buffer, 4 + length + offset, size);
    }
    return { names: header.names, arrays };
  };

  // the number of ascending values that are at most a limit
  const countUpTo = (ascending, limit) => {
    let low = 0, high = ascending.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ascending[middle] <= limit) low = middle + 1; else high = middle;
    }
    return low;
  };

  // Evaluations count from 1; 0 is before the first.
  const makeSearch = (buffer, axes) => {
    const { names, arrays } = unpack(buffer);
    const size = arrays.flags.length;
    const members = names.length;

    // After the last evaluation the search still took from its queue what had nothing new around it.
    const moment = (at) => (at === size ? size + 1 : at);

    const value = (at, axis) => arrays.values[axis * size + at - 1] * axes[axis].scale;
    const memberValue = (member, axis) => arrays.member_values[axis * members + member] * axes[axis].scale;

    // x and y in turns, for as many evaluations as wanted: what a large scatter series takes
    const points = (x, y) => {
      const flat = new Float32Array(2 * size);
      for (let place = 0; place < size; place += 1) {
        flat[2 * place] = arrays.values[x * size + place] * axes[x].scale;
        flat[2 * place + 1] = arrays.values[y * size + place] * axes[y].scale;
      }
      return flat;
    };

    const archive = (at) => {
      const found = [];
      const until = countUpTo(arrays.archive_entered, at);
      for (let place = 0; place < until; place += 1) {
        if (arrays.archive_left[place] > at) found.push({ member: arrays.archive_member[place], entered: arrays.archive_entered[place] });
      }
      return found;
    };

    // members that wait, as often as they do
    const queue = (at) => {
      const found = [], now = moment(at);
      for (let place = 0; place < arrays.queue_member.length; place += 1) {
        if (arrays.queue_joined[place] <= now && arrays.queue_left[place] > now) found.push(arrays.queue_member[place]);
      }
      return found;
    };

    // index of the search of which an evaluation was the start, after restarts; -1 for others
    const restarts = new Map();
    for (let place = 0; place < arrays.queue_search.length; place += 1) {
      const search = arrays.queue_search[place];
      restarts.set(search, Math.min(restarts.get(search) ?? Infinity, arrays.queue_joined[place]));
    }
    const begun = new Map([...restarts].map(([search, at]) => [at, search]));

    // the member whose neighbourhood an evaluation belongs to: what was taken from the queue last; -1 for none
    const centre = (at) => {
      if (at < 1 || arrays.flags[at - 1] & START || (begun.get(at) ?? 0) > 0) return -1;
      let found = -1;
      for (let place = 0; place < arrays.queue_member.length; place += 1) {
        if (arrays.queue_left_by[place] === EXPANDED && arrays.queue_left[place] <= at) found = arrays.queue_member[place];
      }
      return found;
    };

    const volume = (at) => {
      const until = countUpTo(arrays.volume_evaluation, at);
      return until ? arrays.volume[until - 1] : 0;
    };

    return {
      size, names, points, value, memberValue, archive, queue, centre, volume,
      memberPredicted: (member) => arrays.member_predicted[member] === 1,
      isStart: (at) => at > 0 && (arrays.flags[at - 1] & START) !== 0,
      isPredicted: (at) => at > 0 && (arrays.flags[at - 1] & PREDICTED) !== 0,
      isRepeated: (at) => at > 0 && (arrays.flags[at - 1] & REPEATED) !== 0,
      restartAt: (at) => begun.get(at) ?? 0,
      // member that entered with an evaluation; -1 where none did
      enteredAt: (at) => {
        const place = countUpTo(arrays.archive_entered, at) - 1;
        return place >= 0 && arrays.archive_entered[place] === at ? arrays.archive_member[place] : -1;
      },
      // evaluations at which the archive changed: it loses members only to one that enters
      changes: arrays.archive_entered,
      curve: Array.from(arrays.volume_evaluation, (at, place) => [at, arrays.volume[place]]),
    };
  };

  terranas.player.search = { make: makeSearch, countUpTo };
})();
