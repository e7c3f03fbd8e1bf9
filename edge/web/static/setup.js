/* The setup aid: figures of the plates in view, where plates count, camera controls, walk test, lens. */
'use strict';

(() => {
  const { t, say, element } = page;
  const root = document.querySelector('[data-setup]'), find = (selector) => root.querySelector(selector);
  const setup = JSON.parse(root.dataset.setup), over = find('[data-over]'), form = find('[data-areas]'), least = form.elements.least, save = find('[data-save]');
  let figures = { width: 1920, height: 1080 }, tones = [], saved = '', isStill = false, soon = 0;
  const later = (act) => { clearTimeout(soon); soon = setTimeout(act, 250); };
  const layers = page.layers(find('[data-layers]'), draw);
  const editor = page.areas({
    svg: find('[data-edit]'), buttons: form.querySelectorAll('[data-tools] button'), changed: tell,
    shapes: ['include', 'exclude'].flatMap((kind) => setup[kind].map((points) => ({ kind, points }))),
    label: (number, count) => t('setup.script.corner', { number, count }),
  });
  const watch = page.watch(find('[data-view]'), (found) => {
    const isOther = found.width !== figures.width || found.height !== figures.height;
    figures = found;
    draw(isOther);
  });

  function draw(isOther = true) {
    const { width, height } = figures, shown = layers(), wide = Number(least.value), high = wide / 4.7;
    page.drawOver(over, figures, { ...shown, areas: false }, {}, tones);
    if (shown.least) over.append(page.svg('rect', { class: 'wait', x: (width - wide) / 2, y: (height - high) / 2, width: wide, height: high }));
    find('[data-edit]').toggleAttribute('hidden', !shown.areas);
    if (isOther) editor.redraw([width, height]);
  }
  const state = () => JSON.stringify([editor.shapes, least.value]);
  function tell() {
    const one = editor.shapes[editor.chosen];
    say(find('[data-count]'), one ? t(`setup.script.chosen.${one.kind}`, { number: editor.chosen + 1, all: editor.shapes.length }) : t('setup.script.everywhere'));
    say(find('[data-least]'), `${least.value} px`);
    if (save) save.disabled = state() === saved;
  }
  least.addEventListener('input', () => { tell(); draw(false); });
  page.form(form, async () => {
    const of = (kind) => editor.shapes.filter((one) => one.kind === kind).map((one) => one.points);
    const kept = await page.ask('/api/setup/view', { etag: setup.etag, include: of('include'), exclude: of('exclude'), min_plate_px: Number(least.value) }, 'PUT');
    setup.etag = kept.etag;
    saved = state();
    setTimeout(tell);
    page.announce(kept.in_force ? t('setup.script.saved') : kept.sentence, kept.in_force ? 'good' : 'wait');
  });
  find('[data-still]').addEventListener('click', async ({ target }) => {
    isStill = !isStill;
    watch.live(!isStill);
    try {
      if (isStill) { const told = await page.ask('/api/setup/still', {}); await watch.show(told.path, { ...told, plates: [] }); }
    } catch (problem) { isStill = false; watch.live(true); page.announce(problem.message, 'bad'); }
    target.setAttribute('aria-pressed', isStill);
    say(target, isStill ? t('setup.script.live') : t('setup.script.still'));
  });

  /* Figures and walk test. */
  const away = (a, b) => Math.hypot(a.quad[0][0] - b.quad[0][0], a.quad[0][1] - b.quad[0][1]);
  let walk, asked = 0, tracks = '';
  function told(aid) {
    const [plate] = aid.plates, checks = plate?.checks ?? [], badge = find('[data-state]'), line = find('[data-do]');
    const wrong = checks.filter((one) => one.says).sort((a, b) => (a.tone > b.tone) - (a.tone < b.tone))[0];
    tones = (figures.plates ?? []).map((seen) => [...aid.plates].sort((a, b) => away(a, seen) - away(b, seen))[0]?.tone);
    badge.className = `badge ${aid.tone}`;
    say(badge, aid.word);
    watch.live(!isStill);
    say(find('[data-plate]'), plate?.text ?? '');
    say(line, wrong?.says ?? (plate ? t('setup.script.fine') : t('setup.script.none')));
    line.className = `notice do ${plate?.tone ?? 'off'}`;
    for (const meter of root.querySelectorAll('.meter')) {
      const found = checks.find((one) => `need-${one.name}` === meter.id);
      page.meter(meter, found?.percent ?? 0, found?.tone ?? 'off', found?.words ?? '–');
    }
    if (!aid.walk) return;
    const { seconds_left: left, tracks: list, flickers } = aid.walk;
    say(find('[data-left]'), left > 0 ? t('setup.script.left', { seconds: Math.ceil(left) }) : t('setup.script.over'));
    say(find('[data-flickers]'), flickers ? t('setup.script.flickers', { count: flickers }) : '–');
    if (tracks === (tracks = JSON.stringify(list))) return;
    find('[data-tracks]').replaceChildren(...list.map((one) => element('li', '', undefined, element('span', `badge ${one.tone}`, one.words), element('p', '', undefined,
      element('b', '', one.text || t('setup.script.unread')), ` · ${t('setup.script.track', { width: page.number(one.width_px), count: one.frames, seconds: page.number(one.seconds, 1) })} ${one.says}`))));
  }
  async function tend() {
    try {
      if (!document.hidden) {
        const isDue = Date.now() - asked > 7000 || walk, body = { seconds: 12, ...(walk ? { walk } : {}) };
        if (isDue) { asked = Date.now(); walk = 0; }
        told(await page.ask('/api/setup/aid', isDue ? body : undefined));
      }
    } catch (problem) { say(find('[data-do]'), problem.message); }
    setTimeout(tend, 500);
  }
  find('[data-go]').addEventListener('click', () => { walk = 120; tracks = ''; find('[data-tracks]').replaceChildren(element('li', 'small', t('setup.script.waiting'))); });

  /* What the lens gives. */
  const shot = find('[data-shot]'), box = find('[data-found]');
  shot.addEventListener('input', () => later(async () => {
    if (!shot.reportValidity()) return;
    try {
      const found = await page.ask(`/api/setup/shutter?${new URLSearchParams(new FormData(shot))}`);
      page.fault(shot, null);
      box.className = `notice do ${found.tone}`;
      box.replaceChildren(...found.words.map((words) => element('p', '', words)));
    } catch (problem) { page.fault(shot, problem); }
  }));

  /* Camera controls: tried for 30 s at a time, for as long as this page is looked at. */
  const panel = find('[data-camera]');
  if (panel) {
    const controls = find('[data-controls]'), profile = controls.elements.profile, knock = find('[data-knock]');
    let trying = {}, again = 0;
    const send = async () => {
      clearTimeout(again);
      if (Object.keys(trying).length) again = setTimeout(() => { if (!document.hidden) send(); }, 20000);
      try {
        const found = await page.ask('/api/setup/camera', { values: trying, seconds: 30 });
        page.fault(controls, null);
        return found.controls;
      } catch (problem) { page.fault(controls, problem); return null; }
    };
    const knob = (one) => {
      // The eye counts light in doublings: what has a wide range goes by powers.
      const isWide = one.least > 0 && one.most / one.least > 20, label = element('label', '', t(`setup.script.knob.${one.name}`)), shown = element('output'), input = element('input');
      const scale = isWide ? Math.log : Number, back = isWide ? Math.exp : Number, value = setup.profiles[profile.value][one.name];
      const show = (found) => say(shown, found || !one.zero ? `${page.number(found, found < 10 ? 1 : 0)} ${one.unit}` : t('setup.script.automatic'));
      Object.assign(input, { type: 'range', min: scale(one.least), max: scale(one.most), step: 'any', id: `knob-${one.name}`, value: scale(Math.max(one.least, value || one.now || 0)) });
      label.htmlFor = input.id;
      show(value ?? one.now ?? one.least);
      input.addEventListener('input', () => { trying[one.name] = Math.min(one.most, Math.max(one.least, Number(back(input.value).toPrecision(3)))); show(trying[one.name]); later(send); });
      return element('div', 'field knob', undefined, label, shown, input);
    };
    const open = async () => {
      const found = await send();
      if (!found) return;
      find('[data-knobs]').replaceChildren(...found.map(knob));
      for (const button of controls.querySelectorAll('button')) button.hidden = button === knock;
    };
    const back = () => { trying = {}; return open(); };
    knock.addEventListener('click', open);
    find('[data-back]').addEventListener('click', back);
    profile.addEventListener('change', () => { trying = Object.fromEntries(Object.entries(setup.profiles[profile.value]).filter(([, value]) => value)); if (knock.hidden) open(); });
    page.form(controls, async () => {
      const kept = await page.ask('/api/setup/camera', { etag: setup.etag, profile: profile.value, values: trying }, 'PUT');
      setup.etag = kept.etag;
      Object.assign(setup.profiles[profile.value], trying);
      page.announce(kept.in_force ? t('setup.script.kept') : kept.sentence, kept.in_force ? 'good' : 'wait');
      await back();
    });
  }

  saved = state();
  tell();
  draw();
  addEventListener('resize', () => draw());
  tend();
})();
