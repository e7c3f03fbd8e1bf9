/* The live room. */
'use strict';

(() => {
  const { t, say, element } = page;
  const root = document.querySelector('[data-live]');
  const find = (selector) => root.querySelector(selector);
  const field = (name) => find(`[data-field="${name}"]`);
  const cards = find('[data-cards]');
  const shape = document.querySelector('template[data-card]');
  const keep = Number(root.dataset.keep);
  const over = find('[data-over]'), form = find('[data-detect]');
  let newest = root.dataset.newest, figures = null, view = {};

  const layers = page.layers(find('[data-layers]'), draw);
  const watch = page.watch(find('[data-view]'), (found) => { figures = found; draw(); });
  function draw() { if (figures) page.drawOver(over, figures, layers(), view); }

  function card(event) {
    const made = shape.content.firstElementChild.cloneNode(true), path = encodeURIComponent(event.id);
    made.dataset.event = event.id;
    made.querySelector('a').href = `/events/${path}`;
    const picture = made.querySelector('.crop img');
    if (picture) picture.src = `/crops/${path}.jpg`;
    made.querySelector('.plate').replaceWith(page.plate(event));
    made.querySelector('[data-field="sureness"]').textContent = page.percent(event.confidence);
    made.querySelector('[data-ago]').dataset.ago = event.last_seen;
    made.querySelector('time').dateTime = event.last_seen;
    made.querySelector('[data-field="looks"]').textContent =
      `${t('common.script.looks', { agreeing: event.agreeing, count: event.looks })} · ${t('common.script.in_view', { seconds: page.number(event.duration_s, 1) })}`;
    return made;
  }

  /* The others glide to their new places instead of jumping there. */
  function prepend(made) {
    const places = [...cards.children].map((other) => [other, other.offsetLeft, other.offsetTop]);
    cards.prepend(made);
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    for (const [other, left, top] of places) {
      other.animate({ transform: [`translate(${left - other.offsetLeft}px, ${top - other.offsetTop}px)`, 'none'] }, { duration: 250, easing: 'ease-out' });
    }
  }

  function addEvent(event) {
    newest = event.id;
    if ([...cards.children].some((other) => other.dataset.event === event.id)) return;
    const made = card(event);
    made.classList.add('fresh');
    page.clocks(made);
    prepend(made);
    while (cards.children.length > keep) cards.lastElementChild.remove();
    find('[data-empty]').hidden = true;
    page.agos();
    say(find('[data-announce]'), t('live.script.new', { plate: page.spoken(event) }));
  }

  function setSentence(now) {
    const sentence = field('sentence');
    if (now.since) Object.assign(sentence.dataset, { since: now.since, pattern: now.pattern });
    else { delete sentence.dataset.since; delete sentence.dataset.pattern; }
    sentence.lang = now.quoted ? 'en' : page.language;
    say(sentence, now.sentence);
  }

  function setBar(row, figures, most) {
    const share = (ms) => String(most > 0 ? Math.min(100, (100 * ms) / most) : 0);
    row.querySelector('.core').setAttribute('width', share(figures.median));
    row.querySelector('.tail').setAttribute('width', share(figures.p95));
    say(row.querySelector('[data-median]'), page.figure(figures.median));
    say(row.querySelector('[data-p95]'), page.figure(figures.p95));
  }

  function showStatus(now) {
    const daemon = now.daemon ?? {}, stages = daemon.stages_ms ?? {};
    page.skewMs = Date.now() - Date.parse(now.now);
    find('[data-state]').className = `state ${now.tone}`;
    say(field('word'), now.word);
    document.title = `${now.word} · Platewatch`;
    setSentence(now);
    say(field('also'), now.also);
    field('also').hidden = !now.also;
    say(field('fps'), now.alive ? page.figure(daemon.fps) : '–');
    say(field('events'), t('live.script.all', { count: now.events }));
    say(field('machine'), now.machine);
    say(field('why-blank'), t(now.alive ? 'live.script.blank_alive' : 'live.script.blank_dead'));
    for (const row of root.querySelectorAll('[data-stage]')) setBar(row, stages[row.dataset.stage] ?? { median: 0, p95: 0 }, stages.total?.p95 ?? 0);
    for (const cell of root.querySelectorAll('[data-camera]')) say(cell, page.number(daemon.camera?.[cell.dataset.camera] ?? 0));
    find('[data-inview]').replaceChildren(...(now.alive ? daemon.plates_in_view ?? [] : []).slice(0, 6).map(inView));
    find('[data-reasons]').replaceChildren(...now.reasons.map((item) => element('li', '', '', element('b', '', page.number(item.count)), ' ', element('span', '', item.words))));
    find('[data-noreasons]').hidden = now.reasons.length > 0;
    find('[data-view]').classList.toggle('old', !now.alive && !find('[data-picture]').hidden);
    over.toggleAttribute('hidden', !now.alive);
    view = daemon.view ?? {};
    showSwitch(daemon.detecting !== false, now.alive);
    watch.live(now.picture);
  }

  const inView = (seen) => element('li', '', seen.text ? `${seen.text} ${page.percent(seen.confidence)}` : t('live.script.unread'));

  function showSwitch(isOn, isAlive = true) {
    if (!form) return;
    const button = form.querySelector('button');
    form.elements.on.value = isOn ? '0' : '1';
    button.disabled = !isAlive;
    say(button, isOn ? t('live.script.switch_off') : t('live.script.switch_on'));
  }

  page.stream({
    address: () => `/api/stream?after=${encodeURIComponent(newest)}`,
    on: { status: showStatus, plate: addEvent },
    async poll() {
      const [status, events] = await Promise.all([page.ask('/api/status?watching=1'), page.ask(`/api/events?limit=${keep}`).catch(() => ({ events: [] }))]);
      showStatus(status);
      events.events.reverse().forEach(addEvent);
    },
    lost() {
      find('[data-state]').className = 'state bad';
      say(field('word'), t('common.script.lost'));
      setSentence({ sentence: t('common.script.lost_why') });
    },
  });
  if (form) page.form(form, async (values) => { showSwitch((await page.ask('/api/detect', { on: values.on === '1' })).detecting); });
})();
