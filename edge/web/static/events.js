/* The list of events: what comes, what the keys do, and correcting in place. */
'use strict';

(() => {
  const root = document.querySelector('[data-events]'), dialog = document.getElementById('fix');
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.split('; ').includes(`zone=${zone}`)) {  // days and hours are counted on the viewer's clocks
    document.cookie = `zone=${zone}; path=/events; max-age=31536000; samesite=lax`;
  }
  const rows = () => [...root.querySelectorAll('.pass')];
  const here = () => document.activeElement.closest?.('.pass');

  /* The same page anew: its rows are taken over as they are. */
  let asked = 0;
  async function refresh() {
    const log = root.querySelector('[data-log]');
    if (log ? 'older' in log.dataset : root.querySelector('.pager a')) return;
    const mine = ++asked, answer = await fetch(location.pathname + location.search);
    if (!answer.ok || mine !== asked) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-events]');
    if (!fresh) return;
    if (!log) { if (fresh.querySelector('[data-log]')) location.reload(); return; }
    const known = new Set(rows().map((row) => row.dataset.event));
    const news = [...fresh.querySelectorAll('.pass')].filter((row) => !known.has(row.dataset.event)).slice(0, 36);
    for (const row of news.reverse()) { row.classList.add('fresh'); page.clocks(row); log.prepend(row); }
    for (const part of ['[data-head]', '[data-charts]']) {
      const old = root.querySelector(part), made = fresh.querySelector(part);
      if (old && made && old.innerHTML !== made.innerHTML && !old.contains(document.activeElement)) old.replaceChildren(...made.childNodes);
    }
  }
  let soon = 0, newest = rows()[0]?.dataset.event ?? '';
  const news = () => { clearTimeout(soon); soon = setTimeout(refresh, 400); };
  page.stream({
    address: () => '/api/stream',
    on: { plate: news },
    async poll() {
      const id = (await page.ask('/api/events?limit=1')).events[0]?.id ?? '';
      if (id !== newest) { newest = id; news(); }
    },
  });

  async function correct(row) {
    const form = dialog.querySelector('form'), id = row.dataset.event, path = encodeURIComponent(id), image = dialog.querySelector('img');
    const places = dialog.querySelector('[data-places]'), picks = dialog.querySelector('[data-picks]');
    page.fault(form, null);
    form.dataset.fix = id;
    form.elements.text.value = row.dataset.text;
    image.hidden = !row.querySelector('.crop img'); image.src = `/crops/${path}.jpg`;
    places.replaceChildren(); picks.replaceChildren();
    dialog.showModal();
    form.elements.text.select();
    const story = await page.ask(`/api/events/${path}/story`).catch(() => null);
    if (!story || form.dataset.fix !== id) return;
    places.replaceChildren(...story.event.characters.map((c, place) => page.element('div', '', '', page.element('b', 'glyph', c.char),
      ...(story.evidence?.alternatives[place] ?? []).filter((other) => other.char).slice(0, 3).map((other) => fix.alternative(place, other)))));
    picks.replaceChildren(...story.suggestions.map((text) => Object.assign(page.element('button', 'quiet', text), { name: 'pick', value: text, formNoValidate: true })));
  }
  root.addEventListener('click', (happening) => {
    const link = happening.target.closest('[data-fixes]');
    if (!link || !dialog || happening.ctrlKey || happening.metaKey) return;
    happening.preventDefault();
    correct(link.closest('.pass'));
  });

  document.addEventListener('keydown', (happening) => {
    if (happening.ctrlKey || happening.metaKey || happening.altKey || dialog?.open || happening.target.matches('input:not([type=checkbox]), select, textarea')) return;
    const all = rows(), row = here(), at = all.indexOf(row);
    const go = (to) => { const link = all[to]?.querySelector('.open'); link?.focus(); link?.scrollIntoView({ block: 'nearest' }); };
    const keys = {
      j: () => go(at + 1), k: () => go(Math.max(0, at - 1)), '/': () => root.querySelector('[name=text]').focus(),
      c: () => row && dialog && correct(row), x: () => row?.querySelector('[type=checkbox]')?.click(),
      y: () => row && dialog && fix.save(row.dataset.event, 'confirmed').catch((problem) => page.announce(problem.message, 'bad')),
    };
    if (!keys[happening.key]) return;
    happening.preventDefault();
    keys[happening.key]();
  });
})();
