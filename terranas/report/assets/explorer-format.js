// Elements of the explorer's page and numbers as a reader sees them (terranas/core/formats.py does the same in Python).
"use strict";
terranas.explorer = terranas.explorer || {};
(() => {
  const NARROW = "\u202f";
  const MISSING = "–";
  const PREFIXES = [[1e9, 1e9, "G"], [1e6, 1e6, "M"], [1e4, 1e3, "k"]];

  // texts become text nodes, whatever stands in them
  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") for (const [event, listener] of Object.entries(value)) made.addEventListener(event, listener);
      else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  };

  const grouped = (text) => {
    const [whole, rest] = text.split(".");
    const grown = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return rest === undefined ? grown : `${grown}.${rest}`;
  };

  const count = (number) => grouped(String(number));

  const counted = (number, noun) => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

  const significant = (number, digits = 4) => {
    if (Number.isNaN(number)) return MISSING;
    if (number === 0) return "0";
    const size = Math.abs(number);
    if (!(size >= 1e-4 && size < 1e7)) return number.toExponential(digits - 1).replace("-", "−");
    const rounded = Number(number.toPrecision(digits));
    const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded))));
    return grouped(String(Number(rounded.toFixed(decimals)))).replace("-", "−");
  };

  // with a decimal prefix from ten thousand on
  const short = (number, digits = 4) => {
    // rounded first: 999,968 is 1 M, not 1,000 k
    const rounded = Math.abs(Number(number.toPrecision(digits)));
    const found = PREFIXES.find(([from]) => rounded >= from);
    return found ? `${significant(number / found[1], digits)}${NARROW}${found[2]}` : significant(number, digits);
  };

  const withUnit = (text, unit) => (unit && text !== MISSING ? `${text}${NARROW}${unit}` : text);

  // every digit that the table has
  const exact = (number) => (Number.isNaN(number) ? MISSING : grouped(String(number)).replace("-", "−"));

  // whole numbers as they are, others rounded as far as a reader compares them
  const rounded = (number) => (Number.isInteger(number) ? exact(number) : significant(number, 6));

  // MACs are not said twice
  const headed = ({ name, unit }) => (unit && !name.startsWith(unit) ? `${name} (${unit})` : name);

  terranas.explorer.format = { element, count, counted, short, withUnit, exact, rounded, headed };
})();
