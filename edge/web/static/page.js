/* What every room's script may use: words, numbers and times in the viewer's language, questions to the device, notes to the viewer.
   language.py and words.py say the same without script. Text from a plate, a file or the daemon is set as text, never as markup. */
'use strict';

class Problem extends Error {
  constructor(status, message, field) { super(message); this.status = status; this.field = field; }
}

const page = {
  // The device may have no clock of its own: times are counted on the device's clock, wherever the viewer's stands.
  skewMs: Date.now() - Date.parse(document.body.dataset.now),
  language: document.documentElement.lang,
  locale: document.documentElement.lang === 'en' ? 'en-GB' : document.documentElement.lang,
  words: JSON.parse(document.body.dataset.words),

  /* A phrase of `script` in common.toml or in the room's own file: t('room.script.key', {count: 3}). */
  t(key, values = {}) {
    let said = page.words[key] ?? key;
    if (said.other) {
      const count = values.count, isOne = count === 1 || (page.language === 'fr' && count >= 0 && count < 2);
      said = (count === 0 && said.zero) || (isOne && said.one) || said.other;
    }
    return said.replace(/\{([a-z_]+)\}/g, (gap, name) => (typeof values[name] === 'number' ? page.number(values[name], Number.isInteger(values[name]) ? 0 : 1) : values[name] ?? gap));
  },

  number: (value, digits = 0) => new Intl.NumberFormat(page.locale, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value),
  percent: (share) => `${page.number(share < 1 ? Math.min(99, Math.round(share * 100)) : Math.round(share * 100))}\u00a0%`,
  figure: (value) => (value ? page.number(value, 1) : '–'),
  size(count) {
    let step = 0;
    while (Math.abs(count) >= 999.5 && step < 4) { count /= 1000; step += 1; }
    return `${page.number(count, step && Math.abs(count) < 99.95 ? 1 : 0)}\u00a0${['B', 'kB', 'MB', 'GB', 'TB'][step]}`;
  },
  ago(iso) {
    const seconds = Math.max(0, (Date.now() - page.skewMs - Date.parse(iso)) / 1000) || 0;
    if (seconds < 1) return page.t('common.script.ago.now');
    for (const [limit, size, unit] of [[60, 1, 's'], [3600, 60, 'min'], [48 * 3600, 3600, 'h']]) {
      if (seconds < limit) return page.t(`common.script.ago.${unit}`, { count: Math.floor(seconds / size) });
    }
    return page.t('common.script.ago.days', { count: Math.floor(seconds / 86400) });
  },
  /* In the viewer's zone; the day only where it is not today. */
  clock(iso) {
    const moment = new Date(iso);
    if (Number.isNaN(moment.getTime())) return iso;
    const isToday = moment.toDateString() === new Date(Date.now() - page.skewMs).toDateString();
    const parts = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' };
    return new Intl.DateTimeFormat(page.locale, isToday ? parts : { ...parts, day: 'numeric', month: 'short' }).format(moment);
  },

  say(element, text) { if (element && element.textContent !== text) element.textContent = text; },
  clocks(root) { for (const time of root.querySelectorAll('time[data-clock]')) page.say(time, page.clock(time.dateTime)); },
  agos() {
    for (const element of document.querySelectorAll('[data-ago]')) page.say(element, page.ago(element.dataset.ago));
    for (const element of document.querySelectorAll('[data-since]')) page.say(element, element.dataset.pattern.replace('{ago}', page.ago(element.dataset.since)));
  },
  element(name, className, text, ...inner) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    made.append(...inner);
    return made;
  },

  spoken(event) {
    const plate = event.text ? page.t('common.script.plate', { text: [...event.text].join(' ') }) : page.t('common.script.plate_empty');
    const doubts = event.characters.filter((c) => c.confidence < 0.9).map((c) => `${c.char} ${page.percent(c.confidence)}`);
    return doubts.length ? page.t('common.script.plate_doubts', { plate, doubts: doubts.join(', ') }) : plate;
  },
  /* As the macro `plate` of kit.html. */
  plate(event) {
    const made = page.element('span', 'plate');
    made.setAttribute('role', 'img');
    made.setAttribute('aria-label', page.spoken(event));
    if (event.country) made.append(page.element('span', 'band', event.country.toUpperCase()));
    made.append(page.element('span', 'chars', '', ...event.characters.map((c) => {
      const char = page.element('span', c.confidence >= 0.9 ? 'sure' : c.confidence >= 0.7 ? 'unsure' : 'doubtful', c.char);
      char.title = `${c.char}: ${page.percent(c.confidence)}`;
      return char;
    })));
    for (const part of made.children) part.setAttribute('aria-hidden', 'true');
    return made;
  },

  /* The API's answer; a Problem with a sentence for the viewer where it is none. A body makes it a POST. */
  async ask(path, body, method = body === undefined ? 'GET' : 'POST') {
    const headers = { Accept: 'application/json', 'X-CSRF-Token': document.body.dataset.csrf };
    const isJson = body !== undefined && !(body instanceof Blob || body instanceof FormData);
    if (isJson) headers['Content-Type'] = 'application/json';
    const answer = await fetch(path, { method, headers, body: isJson ? JSON.stringify(body) : body }).catch(() => { throw new Problem(0, page.t('common.script.unreachable')); });
    if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
    const said = answer.status === 204 ? null : await answer.json().catch(() => null);
    if (!answer.ok) throw new Problem(answer.status, said?.error?.message ?? answer.statusText, said?.error?.field);
    return said;
  },
  /* `act(values, form)` instead of a submit; its Problem is shown beside the field that it names, else in the form's notice. */
  form(form, act) {
    form.addEventListener('submit', async (happening) => {
      happening.preventDefault();
      const button = happening.submitter;
      if (button) button.disabled = true;
      page.fault(form, null);
      try { await act(Object.fromEntries(new FormData(form)), form); } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        page.fault(form, problem);
      } finally { if (button) button.disabled = false; }
    });
  },
  fault(form, problem) {
    for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
    for (const line of form.querySelectorAll('.error, [data-fault]')) { line.hidden = true; line.textContent = ''; }
    if (!problem) return;
    const input = [...form.elements].find((one) => one.name && (problem.field ? one.name === problem.field : problem.message.startsWith(`${one.name} `)));
    const line = (input && document.getElementById(`${input.id}-error`)) ?? form.querySelector('[data-fault]');
    if (!line) { page.announce(problem.message, 'bad'); return; }
    line.textContent = problem.message;
    line.lang = problem.status ? 'en' : page.language;
    line.hidden = false;
    if (input) { input.setAttribute('aria-invalid', 'true'); input.focus(); }
  },

  /* Sets what the macro `meter` made. */
  meter(element, percent, tone, words) {
    const badge = element.querySelector('b');
    element.className = `meter ${tone}`; badge.className = `badge ${tone}`;
    page.say(badge, words);
    element.querySelector('.core').setAttribute('width', String(Math.min(100, Math.max(0, percent))));
    element.setAttribute('aria-valuenow', String(Math.round(percent)));
    element.setAttribute('aria-valuetext', words);
  },

  /* A short note that is also read out; it goes by itself. */
  announce(text, tone = 'good') {
    const note = page.element('p', `toast ${tone}`, text);
    document.querySelector('[data-toasts]').append(note);
    setTimeout(() => note.remove(), tone === 'bad' ? 12000 : 6000);
  },
  /* Whether the viewer means it. `danger` reddens the button and gives the focus to the other one. */
  confirm({ title, text = '', action = page.t('common.script.ok'), danger = false }) {
    const dialog = page.element('dialog', 'ask'), head = page.element('h2', '', title), form = page.element('form', 'actions');
    const [no, yes] = [page.element('button', 'quiet', page.t('common.script.cancel')), page.element('button', danger ? 'danger' : '', action)];
    form.method = 'dialog'; head.id = 'ask-title'; yes.value = 'yes'; (danger ? no : yes).autofocus = true;
    dialog.setAttribute('aria-labelledby', head.id);
    form.append(no, yes);
    dialog.append(head, ...(text ? [page.element('p', '', text)] : []), form);
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => dialog.addEventListener('close', () => { dialog.remove(); resolve(dialog.returnValue === 'yes'); }));
  },

  /* One stream while the page is looked at, nothing while it is not. `on` is {event name: what is done with its data}; `address()` is asked
     anew each time. Where every place is taken `poll()` is awaited every 3 s instead. `lost()` is called when nothing comes. */
  stream({ address, on, poll, lost = () => {} }) {
    let source = null, pollTimer = 0, retryTimer = 0, careTimer = 0;
    const heard = () => { clearTimeout(careTimer); careTimer = 0; };
    const care = () => { if (!careTimer) careTimer = setTimeout(lost, 4000); };
    const again = async () => {
      try { await poll(); heard(); } catch { care(); }
      if (!document.hidden && !source) pollTimer = setTimeout(again, 3000);
    };
    const rest = () => { source?.close(); source = null; clearTimeout(pollTimer); clearTimeout(retryTimer); heard(); };
    const listen = () => {
      if (document.hidden) return;
      source = new EventSource(address());
      for (const [name, act] of Object.entries(on)) source.addEventListener(name, (message) => { heard(); act(JSON.parse(message.data)); });
      source.onerror = () => {
        care();
        if (source?.readyState !== EventSource.CLOSED) return;  // the browser tries again by itself
        source = null;  // refused: every stream is taken, or the session has ended
        again();
        retryTimer = setTimeout(() => { rest(); listen(); }, 60000 * (0.75 + Math.random() / 2));
      };
    };
    document.addEventListener('visibilitychange', () => { rest(); listen(); });
    addEventListener('pagehide', rest);
    // A form that leads elsewhere, as the log-out: what ends the session must find no stream that it would end. A download leaves the page where it is.
    addEventListener('submit', (happening) => {
      if (happening.defaultPrevented) return;
      rest();
      retryTimer = setTimeout(() => { rest(); listen(); }, 10000);
    });
    addEventListener('pageshow', (shown) => { if (shown.persisted) { rest(); listen(); } });
    listen();
  },
};

page.clocks(document);
page.agos();
setInterval(() => { if (!document.hidden) page.agos(); }, 1000);

// A crop may be gone by the time it is asked for; its frame then stays, without a broken picture in it.
document.addEventListener('error', (happening) => { if (happening.target.matches?.('.crop img')) happening.target.hidden = true; }, true);

// <form data-confirm="Delete this?" data-action="Delete">: asked before it is sent, and before a room's script hears of it.
document.addEventListener('submit', async (happening) => {
  const form = happening.target, button = happening.submitter;
  if (!form.dataset.confirm || form.dataset.confirmed) { delete form.dataset.confirmed; return; }
  happening.preventDefault();
  happening.stopImmediatePropagation();
  if (!await page.confirm({ title: form.dataset.confirm, text: form.dataset.text, action: form.dataset.action, danger: true })) return;
  form.dataset.confirmed = 'yes';
  form.requestSubmit(button);
}, true);

// <button type="button" data-opens="ID"> opens a dialog, <button type="button" data-closes> in it closes it.
document.addEventListener('click', (happening) => {
  const button = happening.target.closest?.('[data-opens], [data-closes]');
  if (button) button.dataset.opens ? document.getElementById(button.dataset.opens).showModal() : button.closest('dialog').close();
});

// Menus close on Escape and when something else is touched.
for (const kind of ['keydown', 'pointerdown']) {
  document.addEventListener(kind, (happening) => {
    for (const menu of document.querySelectorAll('[data-menu][open]')) {
      if (kind === 'keydown' ? happening.key !== 'Escape' : menu.contains(happening.target)) continue;
      menu.open = false;
      if (kind === 'keydown') menu.querySelector('summary').focus();
    }
  });
}

for (const choice of document.querySelectorAll('[data-theme-choice]')) {
  choice.value = document.documentElement.dataset.theme ?? '';
  choice.parentElement.hidden = false;
  choice.addEventListener('change', () => {
    document.documentElement.dataset.theme = choice.value;
    try { localStorage.setItem('theme', choice.value); } catch { /* storage may be forbidden: the choice then holds for this page */ }
  });
}
