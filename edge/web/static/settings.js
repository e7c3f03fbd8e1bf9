/* The settings: what is typed is tried by the daemon's own checks while it is typed; nothing is written before it is saved. */
'use strict';
{
  const form = document.querySelector('[data-settings]'), toml = document.querySelector('[data-toml]');
  const text = (control) => (control.type === 'checkbox' ? (control.checked ? 'on' : 'off') : control.value);
  const before = (control) => {
    if (control.type === 'checkbox') return control.defaultChecked ? 'on' : 'off';
    if (control.options) return [...control.options].find((one) => one.defaultSelected)?.value ?? control.options[0].value;
    return control.defaultValue;
  };
  const later = (act) => { let timer = 0; return () => { clearTimeout(timer); timer = setTimeout(act, 350); }; };
  const say = (line, words) => { line.textContent = words; line.hidden = !words; };

  /* How the saving went stands above the form, where a save without script tells it too. Its place is made at the click, since an answer that comes later may move nothing. */
  const place = document.querySelector('[data-result]');
  const put = (note) => { place.replaceChildren(note); place.scrollIntoView({ block: 'center' }); };
  const told = (done) => {
    const note = page.element('div', `notice ${done.in_force ? 'good' : 'wait'}`);
    const add = (key, names) => { if (names.length) note.append(page.element('p', '', `${page.t(`settings.script.${key}`)} `, page.element('code', '', names.join(', ')))); };
    add('saved', done.changed); add('restart', done.restart); add('page', done.page);
    note.append(page.element('p', 'small', done.sentence));
    note.lastChild.lang = 'en';
    put(note);
    page.announce(page.t(done.changed.length ? 'settings.script.saved' : 'settings.script.nothing'), done.in_force ? 'good' : 'wait');
  };
  const save = async (path, body, button) => {
    button.disabled = true;
    put(page.element('p', 'notice off', page.t('settings.script.saving')));
    try { return await page.ask(path, body, 'PUT'); } catch (problem) {
      if (!(problem instanceof Problem)) { put(''); throw problem; }
      put(Object.assign(page.element('p', 'notice bad', problem.message), { lang: 'en' }));
      page.announce(problem.message, 'bad');
      return null;
    } finally { button.disabled = false; }
  };

  if (form) {
    const target = form.dataset.settings, rows = [...form.querySelectorAll('[data-setting]')];
    const control = (row) => row.querySelector('[name]:not([type="hidden"])');
    const touched = () => rows.filter((row) => control(row) && text(control(row)) !== before(control(row)));
    const changes = () => {
      if (!target) return touched().map((row) => ({ name: control(row).name, value: text(control(row)) }));
      const value = { kind: form.dataset.kind };
      for (const row of rows) if (text(control(row)) !== row.dataset.default) value[control(row).name] = text(control(row));
      return [{ name: target, action: target === 'targets' ? 'add' : 'set', value }];
    };
    const paint = () => {
      for (const row of rows) {
        const one = control(row);
        if (!one) continue;
        row.classList.toggle('touched', text(one) !== before(one));
        const back = row.querySelector('[data-back]');
        if (back) back.hidden = text(one) === row.dataset.default;
      }
      const many = touched().length, count = form.querySelector('[data-count]');
      if (count) { count.textContent = page.t('settings.script.changes', { count: many }); form.querySelector('[data-reset]').hidden = !many; form.querySelector('[data-save]').disabled = !many; }
    };
    const check = later(async () => {
      const found = changes(), { problems } = found.length ? await page.ask('/api/settings/check', { changes: found }) : { problems: [] };
      const left = new Map(problems.map((one) => [one.name.replace(/^targets(\[\d+\])?\.?/, ''), one.sentence]));
      for (const row of rows) {
        const one = control(row);
        if (!one) continue;
        say(row.querySelector('.error'), left.get(one.name) ?? '');
        one.toggleAttribute('aria-invalid', false);
        if (left.has(one.name)) one.setAttribute('aria-invalid', 'true');
        if (left.delete(one.name)) row.closest('details')?.setAttribute('open', '');
      }
      for (const line of form.querySelectorAll('[data-loose]')) say(line, left.get(line.dataset.loose) ?? '');
    });
    form.addEventListener('input', () => { paint(); check(); });
    form.addEventListener('reset', () => setTimeout(() => { paint(); check(); }));
    form.addEventListener('click', (happening) => {
      const row = happening.target.closest('[data-back]')?.closest('[data-setting]');
      if (!row) return;
      const one = control(row);
      if (one.type === 'checkbox') one.checked = row.dataset.default === 'on'; else one.value = row.dataset.default;
      one.focus(); paint(); check();
    });
    if (!target) {
      form.addEventListener('submit', async (happening) => {
        happening.preventDefault();
        const sent = touched(), done = await save('/api/settings', { changes: changes(), etag: form.elements.etag.value }, form.querySelector('[data-save]'));
        if (!done) return;
        form.elements.etag.value = done.etag;
        for (const one of sent.map(control)) {
          if (one.options) for (const option of one.options) option.defaultSelected = option.selected;
          else if (one.type === 'checkbox') one.defaultChecked = one.checked;
          else one.defaultValue = one.value;
        }
        told(done); paint();
      });
      addEventListener('beforeunload', (happening) => { if (touched().length) happening.preventDefault(); });
      const search = document.getElementById('q');
      search.form.addEventListener('submit', (happening) => happening.preventDefault());
      search.addEventListener('input', () => {
        const words = search.value.toLocaleLowerCase(page.locale).split(/\s+/);
        let any = false;
        for (const section of form.querySelectorAll('[data-section]')) {
          const title = section.querySelector('h2').textContent;
          const hits = [...section.querySelectorAll('[data-setting]')].filter((row) => {
            const hay = `${title} ${row.firstElementChild.textContent}`.toLocaleLowerCase(page.locale);
            row.hidden = !words.every((word) => hay.includes(word));
            return !row.hidden;
          });
          section.hidden = !hits.length;
          section.open = Boolean(search.value && hits.length);
          any ||= hits.length > 0;
        }
        form.querySelector('[data-none]').hidden = any;
      });
    }
    paint();
  }

  if (toml) {
    const area = toml.elements.text, faults = toml.querySelector('[data-faults]');
    area.addEventListener('input', later(async () => {
      const { problems } = await page.ask('/api/settings/text/check', { text: area.value });
      area.toggleAttribute('aria-invalid', false);
      if (problems.length) area.setAttribute('aria-invalid', 'true');
      faults.replaceChildren(...problems.map((one) => {
        const words = `${one.line && !one.sentence.startsWith('line ') ? `${one.line}: ` : ''}${one.sentence}`, item = page.element('li', 'error');
        const jump = page.element(one.line ? 'button' : 'span', one.line ? 'link' : '', words);
        jump.type = 'button'; item.lang = 'en'; item.append(jump);
        if (one.line) jump.addEventListener('click', () => {
          const lines = area.value.split('\n'), start = lines.slice(0, one.line - 1).join('\n').length + (one.line > 1 ? 1 : 0);
          area.focus(); area.setSelectionRange(start, start + lines[one.line - 1].length);
          area.scrollTop = Math.max(0, one.line - 6) * Number.parseFloat(getComputedStyle(area).lineHeight);
        });
        return item;
      }));
    }));
    toml.addEventListener('submit', async (happening) => {
      happening.preventDefault();
      const done = await save('/api/settings/text', { text: area.value, etag: toml.elements.etag.value }, toml.querySelector('[data-save]'));
      if (done) { toml.elements.etag.value = done.etag; area.defaultValue = area.value; told(done); }
    });
  }
}
