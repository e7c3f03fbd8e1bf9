/* The live page: one stream while it is looked at, nothing while it is not. Text from a plate is set as text, never as markup. */
'use strict';

(() => {
  const root = document.querySelector('[data-live]');
  const find = (selector) => root.querySelector(selector);
  const field = (name) => find(`[data-field="${name}"]`);
  const cards = find('[data-cards]');
  const shape = document.querySelector('template[data-card]');
  const keep = Number(root.dataset.keep);
  const POLL_MS = 3000, PICTURE_MS = 200, RETRY_STREAM_MS = 60000, CARE_MS = 4000;
  let newest = root.dataset.newest;
  let stream = null, pollTimer = 0, retryTimer = 0, careTimer = 0;
  let hasPicture = !find('[data-picture]').hidden, isPictureComing = false, pictureTag = '';

  const element = (name, className, text) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const percent = (confidence) => `${confidence < 1 ? Math.min(99, Math.round(confidence * 100)) : 100} %`;
  const figure = (number) => (number ? number.toFixed(1) : '–');
  const certainty = (confidence) => (confidence >= 0.9 ? 'sure' : confidence >= 0.7 ? 'unsure' : 'doubtful');

  function spoken(event) {
    const name = event.text ? `Plate ${[...event.text].join(' ')}` : 'Plate without text';
    const doubts = event.characters.filter((c) => c.confidence < 0.9).map((c) => `${c.char} ${percent(c.confidence)}`);
    return doubts.length ? `${name}; in doubt: ${doubts.join(', ')}` : name;
  }

  function plate(event) {
    const made = element('span', 'plate');
    made.setAttribute('role', 'img');
    made.setAttribute('aria-label', spoken(event));
    if (event.country) made.append(element('span', 'band', event.country.toUpperCase()));
    const chars = element('span', 'chars');
    for (const c of event.characters) {
      const char = element('span', certainty(c.confidence), c.char);
      char.title = `${c.char}: ${percent(c.confidence)}`;
      chars.append(char);
    }
    made.append(chars);
    for (const part of made.children) part.setAttribute('aria-hidden', 'true');
    return made;
  }

  function card(event) {
    const made = shape.content.firstElementChild.cloneNode(true);
    const path = encodeURIComponent(event.id);
    made.dataset.event = event.id;
    made.querySelector('a').href = `/events/${path}`;
    const picture = made.querySelector('.crop img');
    if (picture) picture.src = `/crops/${path}.jpg`;
    made.querySelector('.plate').replaceWith(plate(event));
    made.querySelector('[data-field="sureness"]').textContent = percent(event.confidence);
    made.querySelector('[data-ago]').dataset.ago = event.last_seen;
    made.querySelector('time').dateTime = event.last_seen;
    made.querySelector('[data-field="looks"]').textContent = `${event.agreeing} of ${event.looks} look${event.looks === 1 ? '' : 's'} · ${event.duration_s.toFixed(1)} s in view`;
    return made;
  }

  function addEvent(event) {
    newest = event.id;
    if ([...cards.children].some((other) => other.dataset.event === event.id)) return;
    const made = card(event);
    made.classList.add('fresh');
    page.clocks(made);
    cards.prepend(made);
    while (cards.children.length > keep) cards.lastElementChild.remove();
    find('[data-empty]').hidden = true;
    page.agos();
    page.say(find('[data-announce]'), `New: ${spoken(event)}`);
  }

  function setSentence(now) {
    const sentence = field('sentence');
    if (now.since) Object.assign(sentence.dataset, { since: now.since, pattern: now.pattern });
    else { delete sentence.dataset.since; delete sentence.dataset.pattern; }
    page.say(sentence, now.sentence);
  }

  function setBar(row, figures, most) {
    const share = (ms) => String(most > 0 ? Math.min(100, (100 * ms) / most) : 0);
    row.querySelector('.core').setAttribute('width', share(figures.median));
    row.querySelector('.tail').setAttribute('width', share(figures.p95));
    page.say(row.querySelector('[data-median]'), figure(figures.median));
    page.say(row.querySelector('[data-p95]'), figure(figures.p95));
  }

  function showStatus(now) {
    const daemon = now.daemon ?? {}, stages = daemon.stages_ms ?? {};
    page.skewMs = Date.now() - Date.parse(now.now);
    find('[data-state]').className = `state ${now.tone}`;
    page.say(field('word'), now.word);
    document.title = `${now.word} · Platewatch`;
    setSentence(now);
    page.say(field('fps'), now.alive ? figure(daemon.fps) : '–');
    page.say(field('events'), String(now.events));
    page.say(field('machine'), now.machine);
    page.say(field('why-blank'), now.alive ? 'It appears here as soon as the camera sends one.' : 'The daemon makes it while it runs and somebody looks.');
    for (const row of root.querySelectorAll('[data-stage]')) {
      setBar(row, stages[row.dataset.stage] ?? { median: 0, p95: 0 }, stages.total?.p95 ?? 0);
    }
    for (const cell of root.querySelectorAll('[data-camera]')) {
      page.say(cell, (daemon.camera?.[cell.dataset.camera] ?? 0).toLocaleString('en-GB'));
    }
    find('[data-inview]').replaceChildren(...(now.alive ? daemon.plates_in_view ?? [] : []).slice(0, 6).map(inView));
    find('[data-reasons]').replaceChildren(...now.reasons.map((item) => {
      const line = element('li');
      line.append(element('b', '', String(item.count)), ' ', element('span', '', item.words));
      return line;
    }));
    find('[data-noreasons]').hidden = now.reasons.length > 0;
    find('[data-view]').classList.toggle('old', !now.alive && !find('[data-picture]').hidden);
    hasPicture = now.picture;
    if (hasPicture) nextPicture();
  }

  function inView(seen) {
    const chip = element('span', 'chip', seen.text || 'unread');
    if (seen.text) chip.append(element('small', '', percent(seen.confidence)));
    return chip;
  }

  async function nextPicture() {
    if (isPictureComing || !hasPicture || document.hidden) return;
    isPictureComing = true;
    try {
      const answer = await fetch('/live.jpg');
      if (answer.ok && answer.headers.get('ETag') !== pictureTag) {
        pictureTag = answer.headers.get('ETag');
        await showPicture(await answer.blob());
      }
      hasPicture = hasPicture && answer.ok;
    } catch { hasPicture = false; }  // the next status says when there is one again
    isPictureComing = false;
    setTimeout(nextPicture, PICTURE_MS);
  }

  function showPicture(blob) {
    const picture = find('[data-picture]'), old = picture.src;
    picture.src = URL.createObjectURL(blob);
    return picture.decode().then(() => {
      picture.hidden = false;
      find('[data-nothing]').hidden = true;
      find('[data-view]').classList.remove('blank');
    }, () => {}).finally(() => { if (old.startsWith('blob:')) URL.revokeObjectURL(old); });
  }

  function lost() {
    find('[data-state]').className = 'state bad';
    page.say(field('word'), 'No connection');
    setSentence({ sentence: 'This page cannot reach the device; it keeps trying.' });
  }

  function heard() { clearTimeout(careTimer); careTimer = 0; }

  function listen() {
    if (!window.EventSource) { poll(); return; }
    stream = new EventSource(`/api/stream?after=${encodeURIComponent(newest)}`);
    stream.addEventListener('status', (message) => { heard(); showStatus(JSON.parse(message.data)); });
    stream.addEventListener('plate', (message) => { heard(); addEvent(JSON.parse(message.data)); });
    stream.onerror = () => {
      if (!careTimer) careTimer = setTimeout(lost, CARE_MS);
      if (stream?.readyState !== EventSource.CLOSED) return;  // the browser tries again by itself
      stream = null;  // refused: every stream is taken, or the session has ended
      poll();
      retryTimer = setTimeout(() => { rest(); listen(); }, RETRY_STREAM_MS * (0.75 + Math.random() / 2));
    };
  }

  async function poll() {
    try {
      const [status, events] = await Promise.all([fetch('/api/status?watching=1'), fetch(`/api/events?limit=${keep}`)]);
      if (status.status === 401) { location.assign('/login?next=/'); return; }
      heard();
      showStatus(await status.json());
      if (events.ok) (await events.json()).events.reverse().forEach(addEvent);
    } catch { if (!careTimer) careTimer = setTimeout(lost, CARE_MS); }
    if (!document.hidden && !stream) pollTimer = setTimeout(poll, POLL_MS);
  }

  function rest() {
    stream?.close();
    stream = null;
    clearTimeout(pollTimer); clearTimeout(retryTimer); heard();
  }

  document.addEventListener('visibilitychange', () => { rest(); if (!document.hidden) listen(); });
  addEventListener('pagehide', rest);
  addEventListener('pageshow', (shown) => { if (shown.persisted) { rest(); listen(); } });
  listen();
  nextPicture();
})();
