/* Areas drawn over a picture by mouse, finger and keys: arrows move a corner (with Shift less), Enter adds one behind it, Delete takes it away. */
'use strict';

/* `svg` is laid over the picture, `buttons` have the values include, exclude, corner, area and undo, `shapes` are [{kind, points}] with corners as
   shares, `label(number, count)` names a corner, `changed()` is called after each change. Gives {shapes, chosen, redraw(size)}. */
page.areas = ({ svg, buttons, shapes, label, changed }) => {
  const fresh = { include: [[0.1, 0.4], [0.9, 0.4], [0.9, 0.95], [0.1, 0.95]], exclude: [[0.3, 0.05], [0.7, 0.05], [0.7, 0.35], [0.3, 0.35]] };
  const past = [], within = (value) => Math.round(1e4 * Math.min(1, Math.max(0, value))) / 1e4;
  let size = [1920, 1080], corner = 0;
  const me = { shapes, chosen: 0, redraw(wanted = size) { size = wanted; draw(); } };
  const points = () => me.shapes[me.chosen].points, keep = () => past.push(JSON.stringify(me.shapes));
  const middle = (i, next = points()[(i + 1) % points().length]) => points()[i].map((value, axis) => within((value + next[axis]) / 2));

  function draw() {
    const [width, height] = size, grain = page.grain(svg, { width, height }), made = [];
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const dot = ([x, y], r, more) => made.push(page.svg('circle', { cx: x * width, cy: y * height, r: r * grain, ...more }));
    me.shapes.forEach((one, i) => made.push(page.svg('polygon', { class: `${one.kind}${i === me.chosen ? ' chosen' : ''}`, points: page.corners(one.points, size), 'data-area': i })));
    if (me.shapes.length) {
      points().forEach((_, i) => dot(middle(i), 7, { class: 'more', 'data-more': i }));
      points().forEach((point, i) => dot(point, 11, { tabindex: 0, role: 'button', 'data-corner': i, 'aria-label': label(i + 1, points().length) }));
    }
    const held = svg.contains(document.activeElement);  // the picture's size may come while somebody draws by keys
    svg.replaceChildren(...made);
    if (held) svg.querySelector(`[data-corner="${corner}"]`)?.focus();
    const may = { undo: past.length, area: me.shapes.length, corner: me.shapes.length && points().length > 3 };
    for (const button of buttons) button.disabled = !(may[button.value] ?? me.shapes.length < 16);
  }
  function done(isFocused = true) {
    draw();
    if (isFocused) svg.querySelector(`[data-corner="${corner}"]`)?.focus();
    changed();
  }
  const acts = {
    undo() { me.shapes = JSON.parse(past.pop()); me.chosen = corner = 0; },
    area() { keep(); me.shapes.splice(me.chosen, 1); me.chosen = corner = 0; },
    corner() { if (points().length > 3) { keep(); points().splice(corner, 1); corner = Math.max(0, corner - 1); } },
    more() { keep(); points().splice(corner + 1, 0, middle(corner)); corner += 1; },
    add(kind) { keep(); me.chosen = me.shapes.push({ kind, points: structuredClone(fresh[kind]) }) - 1; corner = 0; },
  };
  for (const button of buttons) button.addEventListener('click', () => { (acts[button.value] ?? acts.add)(button.value); done(['include', 'exclude'].includes(button.value)); });

  svg.addEventListener('keydown', (happening) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[happening.key];
    corner = Number(happening.target.dataset.corner);
    if (way) { keep(); points()[corner] = points()[corner].map((value, axis) => within(value + way[axis] * (happening.shiftKey ? 0.002 : 0.01))); }
    else if (happening.key === 'Delete') acts.corner();
    else if (happening.key === 'Enter') acts.more();
    else return;
    happening.preventDefault();
    done();
  });
  svg.addEventListener('pointerdown', (happening) => {
    const { area, more, corner: taken } = happening.target.dataset, isArea = area !== undefined;
    if (!isArea && more === undefined && taken === undefined) return;
    happening.preventDefault();
    const turn = svg.getScreenCTM().inverse(), place = ({ clientX, clientY }) => { const at = new DOMPoint(clientX, clientY).matrixTransform(turn); return [at.x / size[0], at.y / size[1]]; };
    const before = JSON.stringify(me.shapes), from = place(happening);
    me.chosen = Number(area ?? me.chosen);
    corner = Number(taken ?? more ?? 0);
    if (more !== undefined) { points().splice(corner + 1, 0, middle(corner)); corner += 1; }
    const were = structuredClone(points());
    svg.setPointerCapture(happening.pointerId);
    svg.onpointermove = (moved) => {
      const [x, y] = place(moved), shift = (point) => [within(point[0] + x - from[0]), within(point[1] + y - from[1])];
      points().forEach((_, i) => { if (isArea || i === corner) points()[i] = shift(were[i]); });
      draw();
    };
    svg.onpointerup = svg.onpointercancel = () => {
      svg.onpointermove = svg.onpointerup = svg.onpointercancel = null;
      if (before !== JSON.stringify(me.shapes)) past.push(before);
      done();
    };
    draw();
  });
  return me;
};
