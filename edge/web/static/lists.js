/* One list: times of the week without typing them, and the odds while the tolerance is moved. */
'use strict';
{
  const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
  const list = document.querySelector('[data-list]'), words = list.dataset.days.split(' ');
  const week = document.querySelector('[data-week]');

  if (week) {
    const text = week.closest('form').elements.times, spans = week.querySelector('[data-spans]');
    const boxes = [...week.querySelectorAll('input[type=checkbox]')], [start, end] = ['start', 'end'].map((name) => week.querySelector(`[data-${name}]`));
    const parts = () => text.value.split(';').map((part) => part.trim()).filter(Boolean);
    const spoken = (part) => part.replace(/[A-Za-z]{3}/g, (day) => words[DAYS.findIndex((one) => one.toLowerCase() === day.toLowerCase())] ?? day).replaceAll('-', '–');
    const set = (found) => { text.value = found.join('; '); paint(); };
    const paint = () => spans.replaceChildren(...parts().map((part, place) => {
      const button = page.element('button', 'quiet', '×');
      button.type = 'button';
      button.setAttribute('aria-label', page.t('lists.script.take_out', { span: spoken(part) }));
      button.onclick = () => { set(parts().filter((_, other) => other !== place)); text.focus(); };
      return page.element('li', '', spoken(part), button);
    }));
    /* Days that follow one another become one span; a week's end runs on. */
    const runs = (on) => {
      if (on.every(Boolean) || !on.some(Boolean)) return [''];
      return DAYS.flatMap((day, first) => {
        if (!on[first] || on[(first + 6) % 7]) return [];
        let last = first;
        while (on[(last + 1) % 7]) last = (last + 1) % 7;
        return [first === last ? day : `${day}-${DAYS[last]}`];
      });
    };
    week.querySelector('[data-put]').onclick = () => {
      const on = boxes.map((box) => box.checked), clock = start.value || end.value ? `${start.value || '00:00'}-${end.value || '24:00'}` : '';
      if (!clock && !on.some(Boolean)) { boxes[0].focus(); return; }
      const whole = on.every(Boolean) && !clock;
      set([...parts(), ...(whole ? ['Mon-Sun'] : runs(on).map((days) => `${days} ${clock}`.trim()))]);
      for (const box of boxes) box.checked = false;
    };
    text.addEventListener('input', paint);
    paint();
  }

  const tolerance = document.querySelector('[data-tolerance]');
  if (tolerance) {
    const slider = tolerance.elements.tolerance, odds = tolerance.querySelector('[data-odds]'), keep = document.getElementById('keep');
    let waits = 0, asked = 0;
    tolerance.querySelector('[data-count]').hidden = true;
    slider.addEventListener('input', () => {
      page.say(tolerance.querySelector('[data-is]'), page.number(+slider.value, 1));
      if (keep) keep.elements.tolerance.value = slider.value;
      clearTimeout(waits);
      waits = setTimeout(async () => {
        const mine = asked += 1;
        odds.classList.add('dim');
        const found = await page.ask(`/api/lists/${encodeURIComponent(list.dataset.list)}/reach?tolerance=${slider.value}`).catch((problem) => page.announce(problem.message, 'bad'));
        if (mine !== asked) return;
        odds.classList.remove('dim');
        const { one_in: count, at_least: fewer } = found?.odds ?? {};
        if (found) page.say(odds, count === null ? page.t('lists.script.never') : page.t(fewer ? 'lists.script.fewer' : 'lists.script.one_in', { count }));
      }, 200);
    });
  }
}
