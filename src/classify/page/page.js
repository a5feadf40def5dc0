"use strict";
(() => {
  document.documentElement.classList.add("js");
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const { classes, tags, path, url, ranked, labels, seconds, note, x, y, components } = data;
  const count = path.length;
  const NARROW = "\u202f";
  if (tags) document.documentElement.classList.add("tags");

  // Tracks: a track is an index. They come in the order of their paths.
  const best = (i) => ranked[i][1] ?? 0;
  const labelsOf = (i) => Array.from({ length: labels[i] }, (_, k) => ranked[i][2 * k]);
  const group = path.map((_, i) => (labels[i] ? ranked[i][0] : "none"));
  const percent = (p) => `${Math.round(p / 100)} %`;
  const grouped = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, NARROW);
  const clock = (s) => {
    const whole = Math.round(s);
    const [h, m, r] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
    const two = (n) => String(n).padStart(2, "0");
    return h ? `${h}:${two(m)}:${two(r)}` : `${m}:${two(r)}`;
  };
  const slash = path.map((p) => p.lastIndexOf("/") + 1);
  const nameOf = (i) => path[i].slice(slash[i]);
  const labelText = (i) => {
    const shown = ranked[i].length / 2;
    const first = labels[i] ? labels[i] : Math.min(shown, 2);
    const all = [];
    for (let k = 0; k < first; k++) all.push(`${classes[ranked[i][2 * k]]} ${percent(ranked[i][2 * k + 1])}`);
    return labels[i] ? all.join(", ") : `${tags ? "no tag" : "unsure"}: ${all.join(", ")}`;
  };
  const haystack = path.map((p, i) => `${p}\n${labelsOf(i).map((c) => classes[c]).join("\n")}`.toLowerCase());

  // Labels: their check boxes are the legend of the map.
  const boxes = new Map([...document.querySelectorAll("[data-label]")].map((box) => {
    const id = box.dataset.label;
    return [id === "none" ? id : Number(id), box];
  }));
  const mark = (i) => {
    const box = boxes.get(group[i]);
    return box ? box.parentElement.querySelector(".mark").cloneNode(true) : document.createTextNode("");
  };

  // What is shown, in which order, and what is selected.
  let on = new Set(boxes.keys());
  let words = "";
  let sort = { by: "name", down: false };
  let shown = [];
  let isShown = new Uint8Array(count);
  let selected = -1;
  let near = [];

  const matches = (i) => {
    const labeled = labels[i] ? labelsOf(i).some((c) => on.has(c)) : on.has("none");
    return labeled && words.split(/\s+/).every((w) => haystack[i].includes(w));
  };
  const names = classes.map((name, c) => [name, c]).sort((a, b) => (a[0] < b[0] ? -1 : 1));
  const place = new Map(names.map(([, c], k) => [c, k]));
  const placeOf = (c) => place.get(c) ?? classes.length;
  // For tags, the next one is the first that is not given.
  const next = (i) => 2 * Math.max(labels[i], tags ? 0 : 1);
  const key = {
    name: (i) => i,
    label: (i) => (labels[i] ? placeOf(ranked[i][0]) : classes.length) * 1e5 - best(i),
    confidence: (i) => best(i),
    next: (i) => placeOf(ranked[i][next(i)]) * 1e5 - (ranked[i][next(i) + 1] ?? 0),
    length: (i) => seconds[i],
    note: (i) => (note[i] ? 0 : 1),
  };

  const update = () => {
    shown = [];
    isShown.fill(0);
    for (let i = 0; i < count; i++) if (matches(i)) { shown.push(i); isShown[i] = 1; }
    const keys = Float64Array.from({ length: count }, (_, i) => key[sort.by](i));
    const sign = sort.down ? -1 : 1;
    shown.sort((a, b) => sign * (keys[a] - keys[b]) || a - b);
    const all = shown.length === count;
    $("state").textContent = all ? `${grouped(count)} tracks.` : `${grouped(shown.length)} of ${grouped(count)} tracks match.`;
    rows.scrollTop = 0;
    drawRows(true);
    map?.draw();
  };

  // The table: only the rows in view exist.
  const ROW = 44;
  const rows = $("rows");
  const body = $("body");
  let first = -1;
  const element = (tag, text, name) => {
    const e = document.createElement(tag);
    if (text !== undefined) e.textContent = text;
    if (name) e.className = name;
    return e;
  };
  const cell = (name, ...parts) => {
    const td = element("td", undefined, name);
    td.append(...parts);
    return td;
  };
  const rowOf = (i, index) => {
    const tr = document.createElement("tr");
    tr.dataset.track = i;
    tr.setAttribute("aria-rowindex", index + 2);
    tr.setAttribute("aria-selected", i === selected);
    const file = cell("", element("bdi", nameOf(i)), element("bdi", slash[i] ? ` ${path[i].slice(0, slash[i])}` : "", "folder"));
    file.title = path[i];
    const text = labels[i] ? labelsOf(i).map((c) => classes[c]).join(", ") : tags ? "no tag" : "unsure";
    const label = cell("", mark(i), element("bdi", text, labels[i] ? "" : "soft"));
    label.title = labelText(i);
    const meter = element("span", undefined, "meter");
    meter.append(element("span"));
    meter.firstChild.style.width = `${best(i) / 100}%`;
    const k = next(i);
    const after = k < ranked[i].length ? `${classes[ranked[i][k]]} ${percent(ranked[i][k + 1])}` : "";
    const odd = cell("soft", note[i] ?? "");
    odd.title = note[i] ?? "";
    tr.append(file, label, cell("", meter, percent(best(i))), cell("soft", element("bdi", after)), cell("", clock(seconds[i])), odd);
    return tr;
  };
  const space = (n) => {
    const tr = element("tr", undefined, "space");
    const td = element("td");
    td.colSpan = 6;
    td.style.height = `${n * ROW}px`;
    tr.setAttribute("aria-hidden", "true");
    tr.append(td);
    return tr;
  };
  const drawRows = (force) => {
    const from = Math.max(0, Math.floor(rows.scrollTop / ROW) - 10);
    if (!force && Math.abs(from - first) < 5) return;
    first = from;
    const to = Math.min(shown.length, from + Math.ceil(rows.clientHeight / ROW) + 20);
    const all = [];
    if (from > 0) all.push(space(from));
    for (let k = from; k < to; k++) all.push(rowOf(shown[k], k));
    if (to < shown.length) all.push(space(shown.length - to));
    body.replaceChildren(...all);
    $("table").setAttribute("aria-rowcount", shown.length + 1);
  };
  const reveal = (i) => {
    const k = shown.indexOf(i);
    if (k < 0) return;
    const [top, height] = [k * ROW, rows.clientHeight - ROW];
    if (top < rows.scrollTop || top + ROW > rows.scrollTop + height) rows.scrollTop = Math.max(0, top - height / 2);
    drawRows(true);
  };
  rows.addEventListener("scroll", () => requestAnimationFrame(() => drawRows(false)), { passive: true });
  body.addEventListener("click", (e) => {
    const tr = e.target.closest("tr[data-track]");
    if (tr) select(Number(tr.dataset.track), true);
  });
  rows.addEventListener("keydown", (e) => {
    if (e.target.closest("thead")) return;
    const page = Math.max(1, Math.floor(rows.clientHeight / ROW) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -count, End: count }[e.key];
    if (step && shown.length) {
      const k = shown.indexOf(selected);
      const to = k < 0 ? (step === count ? shown.length - 1 : 0) : Math.min(shown.length - 1, Math.max(0, k + step));
      select(shown[to], false);
      e.preventDefault();
    } else if ((e.key === "Enter" || e.key === " ") && selected >= 0) {
      if (audio.paused) play(); else audio.pause();
      e.preventDefault();
    }
  });
  for (const th of document.querySelectorAll("[data-sort]")) {
    const button = element("button", th.textContent);
    button.type = "button";
    const arrow = element("span", "");
    arrow.setAttribute("aria-hidden", "true");
    button.append(arrow);
    th.replaceChildren(button);
    const by = th.dataset.sort;
    button.addEventListener("click", () => {
      // Numbers are most interesting from the top.
      const down = sort.by === by ? !sort.down : by === "confidence" || by === "length";
      sort = { by, down };
      showSort();
      update();
    });
  }
  const showSort = () => {
    for (const th of document.querySelectorAll("[data-sort]")) {
      const mine = th.dataset.sort === sort.by;
      th.querySelector("button span").textContent = mine ? (sort.down ? " \u25be" : " \u25b4") : "";
      if (mine) th.setAttribute("aria-sort", sort.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    }
  };

  // The player follows the selection.
  const audio = $("audio");
  let wanted = -1;
  const play = () => {
    if (wanted !== selected) {
      wanted = selected;
      audio.src = url[selected];
      $("trouble").hidden = true;
    }
    audio.play().catch(() => {});
  };
  audio.addEventListener("error", () => {
    $("trouble").textContent = "This file cannot be played: it is not where it was when the results were made, or this browser does not decode its format.";
    $("trouble").hidden = false;
  });
  $("close").addEventListener("click", () => {
    audio.pause();
    select(-1, false);
  });

  // Tracks are compared by their distance in the space of the principal components.
  const vectors = Int8Array.from(atob(data.vectors), (c) => c.charCodeAt(0));
  const nearest = (i, n) => {
    if (!components || x[i] === null) return [];
    const far = [];
    for (let j = 0; j < count; j++) {
      if (j === i || x[j] === null) continue;
      let sum = 0;
      for (let k = 0; k < components; k++) sum += (vectors[i * components + k] - vectors[j * components + k]) ** 2;
      far.push([sum, j]);
    }
    return far.sort((a, b) => a[0] - b[0] || a[1] - b[1]).slice(0, n).map(([, j]) => j);
  };

  const select = (i, sound) => {
    const playing = !audio.paused;
    selected = i;
    $("player").hidden = i < 0;
    if (i >= 0) {
      $("now-mark").replaceChildren(mark(i));
      $("now-name").textContent = nameOf(i);
      $("now-name").title = path[i];
      $("now-labels").textContent = labelText(i);
      near = nearest(i, 6);
      $("near").hidden = near.length === 0;
      $("near").replaceChildren($("near").firstElementChild, ...near.map((j) => {
        const button = element("button");
        button.type = "button";
        button.title = path[j];
        button.append(mark(j), element("bdi", nameOf(j)));
        button.addEventListener("click", () => select(j, true));
        return button;
      }));
      if (sound || playing) play();
      else if (wanted !== i) { wanted = i; $("trouble").hidden = true; audio.src = url[i]; }
      reveal(i);
    } else {
      near = [];
      drawRows(true);
    }
    map?.draw();
  };

  // Filters.
  for (const [id, box] of boxes) {
    box.addEventListener("change", () => {
      if (box.checked) on.add(id); else on.delete(id);
      update();
    });
  }
  const setAll = (value) => {
    for (const box of boxes.values()) box.checked = value;
    on = new Set(value ? boxes.keys() : []);
    update();
  };
  $("all-on").addEventListener("click", () => setAll(true));
  $("all-off").addEventListener("click", () => setAll(false));
  $("filter").addEventListener("input", (e) => {
    words = e.target.value.trim().toLowerCase();
    update();
  });
  $("export").addEventListener("click", () => {
    const lines = shown.map((i) => `#EXTINF:${Math.round(seconds[i])},${nameOf(i).replace(/\s+/g, " ")}\n${new URL(url[i], document.baseURI).href}\n`);
    const link = document.createElement("a");
    link.download = "tracks.m3u8";
    link.href = URL.createObjectURL(new Blob(["#EXTM3U\n", ...lines], { type: "audio/x-mpegurl" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });

  // The map.
  const makeMap = (canvas) => {
    const pen = canvas.getContext("2d");
    const tip = $("tip");
    let view = { x: 0, y: 0, zoom: 1 };
    let sprites = new Map();
    let [width, height, unit] = [0, 0, 1];
    let middle = [0, 0];
    const placed = path.map((_, i) => i).filter((i) => x[i] !== null);
    const range = (v) => placed.reduce(([a, b], i) => [Math.min(a, v[i]), Math.max(b, v[i])], [Infinity, -Infinity]);
    const [[left, right], [bottom, top]] = [range(x), range(y)];
    const size = count > 3000 ? 7 : count > 500 ? 9 : 13;

    const prepare = () => {
      const box = canvas.getBoundingClientRect();
      const ratio = devicePixelRatio || 1;
      [width, height] = [box.width, box.height];
      [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
      const pad = 24;
      unit = Math.min((width - 2 * pad) / (right - left || 1), (height - 2 * pad) / (top - bottom || 1));
      middle = [(left + right) / 2, (top + bottom) / 2];
      const style = getComputedStyle(document.documentElement);
      sprites = new Map();
      for (const [id, box] of boxes) {
        const s = document.createElement("canvas");
        const side = Math.ceil((size + 4) * ratio);
        s.width = s.height = side;
        const p = s.getContext("2d");
        const scale = (size * ratio) / 16;
        p.translate(side / 2 - 8 * scale, side / 2 - 8 * scale);
        p.scale(scale, scale);
        const outline = new Path2D(box.dataset.shape);
        p.lineWidth = 2.5;
        p.strokeStyle = style.getPropertyValue("--ground");
        p.fillStyle = style.getPropertyValue(`--${box.dataset.color}`);
        p.stroke(outline);
        p.fill(outline);
        sprites.set(id, s);
      }
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    };
    const at = (i) => [
      width / 2 + ((x[i] - middle[0]) * unit + view.x) * view.zoom,
      height / 2 - ((y[i] - middle[1]) * unit + view.y) * view.zoom,
    ];
    let asked = false;
    const draw = () => {
      if (asked) return;
      asked = true;
      requestAnimationFrame(() => {
        asked = false;
        pen.clearRect(0, 0, width, height);
        const side = size + 4;
        for (const i of placed) {
          const sprite = isShown[i] && sprites.get(group[i]);
          if (!sprite) continue;
          const [px, py] = at(i);
          pen.drawImage(sprite, px - side / 2, py - side / 2, side, side);
        }
        if (selected >= 0 && x[selected] !== null) {
          const [px, py] = at(selected);
          const style = getComputedStyle(document.documentElement);
          const sprite = sprites.get(group[selected]);
          if (sprite) pen.drawImage(sprite, px - side, py - side, 2 * side, 2 * side);
          const ring = (px, py, radius, width) => {
            for (const [color, line] of [["--card", width + 3], ["--ink", width]]) {
              pen.beginPath();
              pen.arc(px, py, radius, 0, 2 * Math.PI);
              pen.lineWidth = line;
              pen.strokeStyle = style.getPropertyValue(color);
              pen.stroke();
            }
          };
          for (const i of near) if (isShown[i]) ring(...at(i), size * 0.75 + 1, 1);
          ring(px, py, size + 5, 2.5);
        }
      });
    };
    const hit = (px, py, reach) => {
      let [found, least] = [-1, reach * reach];
      for (const i of placed) {
        if (!isShown[i]) continue;
        const [a, b] = at(i);
        const far = (a - px) ** 2 + (b - py) ** 2;
        if (far < least) [found, least] = [i, far];
      }
      return found;
    };
    const spot = (e) => {
      const box = canvas.getBoundingClientRect();
      return [e.clientX - box.left, e.clientY - box.top];
    };
    const zoom = (factor) => {
      view.zoom = Math.min(40, Math.max(1, view.zoom * factor));
      if (view.zoom === 1) [view.x, view.y] = [0, 0];
      canvas.style.touchAction = view.zoom > 1 ? "none" : "pan-y";
      tip.hidden = true;
      draw();
    };
    let drag = null;
    canvas.addEventListener("pointerdown", (e) => {
      drag = { at: spot(e), from: { ...view }, moved: false };
      canvas.setPointerCapture(e.pointerId);
    });
    canvas.addEventListener("pointermove", (e) => {
      const [px, py] = spot(e);
      if (drag) {
        const [dx, dy] = [px - drag.at[0], py - drag.at[1]];
        if (Math.hypot(dx, dy) > 5) drag.moved = true;
        if (drag.moved && view.zoom > 1) {
          view.x = drag.from.x + dx / view.zoom;
          view.y = drag.from.y - dy / view.zoom;
          draw();
        }
        return;
      }
      const i = hit(px, py, 14);
      tip.hidden = i < 0;
      if (i < 0) return;
      tip.replaceChildren(element("bdi", nameOf(i)), element("br"), labelText(i));
      const [a, b] = at(i);
      tip.style.left = `${Math.max(0, Math.min(a + 14, width - tip.offsetWidth))}px`;
      tip.style.top = `${b + 18 + tip.offsetHeight > height ? b - 14 - tip.offsetHeight : b + 14}px`;
    });
    canvas.addEventListener("pointerup", (e) => {
      if (drag && !drag.moved) {
        const i = hit(...spot(e), e.pointerType === "mouse" ? 14 : 24);
        if (i >= 0) select(i, true);
      }
      drag = null;
    });
    canvas.addEventListener("pointercancel", () => { drag = null; });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
    canvas.addEventListener("wheel", (e) => {
      // Without Ctrl, the wheel scrolls the page. Trackpads send pinches as Ctrl and wheel.
      if (!e.ctrlKey) return;
      e.preventDefault();
      zoom(Math.exp(-e.deltaY / 200));
    }, { passive: false });
    canvas.addEventListener("keydown", (e) => {
      const to = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[e.key];
      if (to) {
        e.preventDefault();
        const from = selected >= 0 && x[selected] !== null ? at(selected) : [width / 2, height / 2];
        let [found, least] = [-1, Infinity];
        for (const i of placed) {
          if (!isShown[i] || i === selected) continue;
          const [a, b] = at(i);
          const ahead = (a - from[0]) * to[0] + (b - from[1]) * to[1];
          const aside = Math.abs((a - from[0]) * to[1]) + Math.abs((b - from[1]) * to[0]);
          // Within 45 degrees of the direction.
          if (ahead > 0.5 && aside <= ahead && ahead + aside < least) [found, least] = [i, ahead + aside];
        }
        if (found >= 0) select(found, false);
      } else if ((e.key === "Enter" || e.key === " ") && selected >= 0) {
        e.preventDefault();
        if (audio.paused) play(); else audio.pause();
      } else if (e.key === "+" || e.key === "-") {
        zoom(e.key === "+" ? 1.5 : 1 / 1.5);
      }
    });
    $("zoom-in").addEventListener("click", () => zoom(1.5));
    $("zoom-out").addEventListener("click", () => zoom(1 / 1.5));
    $("zoom-reset").addEventListener("click", () => zoom(0));
    const again = () => { prepare(); draw(); };
    new ResizeObserver(again).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    prepare();
    return { draw, at };
  };
  const map = $("map") ? makeMap($("map")) : null;
  if (!map) $("zoom").hidden = true;

  const sideways = () => {
    $("hint").hidden = rows.scrollWidth <= rows.clientWidth;
    drawRows(true);
  };
  new ResizeObserver(sideways).observe(rows);
  $("table").setAttribute("role", "grid");
  showSort();
  update();
})();
