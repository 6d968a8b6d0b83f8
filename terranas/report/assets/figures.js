// Figures in a dialog that zooms and pans (vendor/panzoom.min.js); without this script their link opens the file.
"use strict";
(() => {
  const STEP = 60; // pixels that an arrow key moves the figure

  const dialog = document.createElement("dialog");
  const bar = document.createElement("div");
  const stage = document.createElement("div");
  dialog.className = "zoom-dialog";
  dialog.setAttribute("aria-label", "Enlarged figure");
  bar.className = "bar";
  stage.className = "stage";
  stage.tabIndex = 0;
  dialog.append(bar, stage);
  document.body.append(dialog);

  let panzoom = null;

  const button = (text, name, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", name);
    made.title = name;
    made.addEventListener("click", act);
    bar.append(made);
  };
  button("+", "Zoom in (plus key)", () => panzoom.zoomIn());
  button("−", "Zoom out (minus key)", () => panzoom.zoomOut());
  button("1:1", "Whole figure (0 key)", () => panzoom.reset());
  button("Close", "Close (Escape)", () => dialog.close());

  const KEYS = {
    "+": () => panzoom.zoomIn(),
    "=": () => panzoom.zoomIn(),
    "-": () => panzoom.zoomOut(),
    0: () => panzoom.reset(),
    ArrowLeft: () => panzoom.pan(STEP, 0, { relative: true }),
    ArrowRight: () => panzoom.pan(-STEP, 0, { relative: true }),
    ArrowUp: () => panzoom.pan(0, STEP, { relative: true }),
    ArrowDown: () => panzoom.pan(0, -STEP, { relative: true }),
  };
  dialog.addEventListener("keydown", (event) => {
    const act = KEYS[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });

  dialog.addEventListener("close", () => {
    panzoom.destroy();
    stage.replaceChildren();
  });
  stage.addEventListener("wheel", (event) => panzoom.zoomWithWheel(event), { passive: false });

  const open = (link) => {
    const small = link.querySelector("img");
    const large = document.createElement("img");
    large.src = link.href;
    large.alt = small.alt;
    stage.replaceChildren(large);
    panzoom = Panzoom(large, {
      maxScale: 12,
      minScale: 0.5,
      animate: !window.matchMedia("(prefers-reduced-motion: reduce)").matches,
    });
    dialog.showModal(); // gives the focus back to the link when it closes
    stage.focus();
  };

  for (const link of document.querySelectorAll("a.zoom")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab or window was asked for
      event.preventDefault();
      open(link);
    });
  }
})();
