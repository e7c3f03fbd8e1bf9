/* The live picture and what is drawn over it. The figures come with the very picture, in a header: nothing of another frame is ever shown upon it. */
'use strict';

page.svg = (name, attributes, ...inner) => {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...inner);
  return made;
};

/* Corners as an SVG has them; `size` [width, height] where they are shares of it. */
page.corners = (points, [width, height] = [1, 1]) => points.map(([x, y]) => `${x * width},${y * height}`).join(' ');

/* How many pixels of the frame are one of the screen. */
page.grain = (over, { width, height }) => Math.max(width / (over.clientWidth || width), height / (over.clientHeight || height));

/* Plates, motion and areas over a picture, as far as `layers` has them. `view` are the polygons, `tones` those of the plates. */
page.drawOver = (over, figures, layers, view = {}, tones = []) => {
  const { width, height, plates = [], motion } = figures, size = [width, height], grain = page.grain(over, figures), shapes = [];
  over.setAttribute('viewBox', `0 0 ${width} ${height}`);
  if (layers.motion && motion?.rows) {
    const bits = atob(motion.bits);
    let d = '';
    for (let i = 0; i < motion.rows * motion.columns; i += 1) {
      if (bits.charCodeAt(i >> 3) & (128 >> (i & 7))) d += `M${i % motion.columns} ${Math.floor(i / motion.columns)}h1v1h-1z`;
    }
    shapes.push(page.svg('path', { class: 'motion', d, transform: `scale(${width / motion.columns} ${height / motion.rows})` }));
  }
  for (const kind of layers.areas ? ['include', 'exclude'] : []) {
    for (const area of view[kind] ?? []) shapes.push(page.svg('polygon', { class: kind, points: page.corners(area, size) }));
  }
  for (const [place, plate] of layers.plates ? plates.entries() : []) {
    const xs = plate.quad.map(([x]) => x), top = Math.min(...plate.quad.map(([, y]) => y)), isRight = Math.min(...xs) > 0.7 * width;
    const y = top > 30 * grain ? top - 7 * grain : Math.max(...plate.quad.map(([, low]) => low)) + 24 * grain;
    const label = page.svg('text', { x: isRight ? Math.max(...xs) : Math.min(...xs), y, 'font-size': 20 * grain, 'text-anchor': isRight ? 'end' : 'start' });
    label.textContent = plate.text ? `${plate.text} ${page.percent(plate.confidence)}` : '';
    shapes.push(page.svg('polygon', { class: `found ${plate.text ? tones[place] ?? '' : 'unread'}`, points: page.corners(plate.quad) }), label);
  }
  over.replaceChildren(...shapes);
};

/* The layers that are switched on; kept in this browser. `changed` is called after a switch. */
page.layers = (fields, changed) => {
  const boxes = [...fields.querySelectorAll('input')];
  const told = () => Object.fromEntries(boxes.map((box) => [box.name, box.checked]));
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem('layers')) ?? {}; } catch { /* not ours, or not allowed */ }
  for (const box of boxes) box.checked = kept[box.name] ?? box.checked;
  fields.addEventListener('change', () => { try { localStorage.setItem('layers', JSON.stringify({ ...kept, ...told() })); } catch { /* not allowed */ } changed(); });
  return told;
};

/* Fetches the picture five times a second while it is looked at; `draw(figures)` is called in the very step in which a picture is changed. */
page.watch = (view, draw) => {
  let image = view.querySelector('img'), tag = '', isComing = false, isLive = !image.hidden, timer = 0;
  async function show(source, figures) {
    const fresh = image.cloneNode();
    fresh.src = source;
    fresh.hidden = false;
    await fresh.decode();
    image.replaceWith(fresh);
    if (image.src.startsWith('blob:')) URL.revokeObjectURL(image.src);
    image = fresh;
    view.querySelector('[data-nothing]').hidden = true;
    view.classList.remove('blank');
    draw(figures?.plates ? figures : { width: fresh.naturalWidth, height: fresh.naturalHeight });
  }
  async function next() {
    clearTimeout(timer);
    if (isComing || !isLive || document.hidden) return;
    isComing = true;
    try {
      const answer = await fetch('/live.jpg');
      if (answer.ok && isLive && answer.headers.get('ETag') !== tag) {
        tag = answer.headers.get('ETag');
        await show(URL.createObjectURL(await answer.blob()), JSON.parse(answer.headers.get('X-Figures') || 'null'));
      }
      isLive = isLive && answer.ok;
    } catch { isLive = false; }  // the next status says when there is one again
    isComing = false;
    timer = setTimeout(next, 200);
  }
  document.addEventListener('visibilitychange', next);
  next();
  return { show, live(is) { isLive = is; if (is) next(); } };
};
