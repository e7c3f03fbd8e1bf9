/* What a plate says: forms with data-fix, and the characters that may be exchanged. */
'use strict';

const fix = {
  async save(id, judgement, text = '') {
    const said = await page.ask(`/api/labels/${encodeURIComponent(id)}`, { judgement, text: judgement === 'corrected' ? text : '' }, 'PUT'), { told } = said;
    page.announce(page.t(`common.script.label.${told.judgement.replaceAll(' ', '_')}`, { text: told.text }));
    for (const place of document.querySelectorAll(`[data-event="${CSS.escape(id)}"] [data-said]`)) {
      const plate = page.element('span', 'plate', '', page.element('span', 'chars', '', ...[...told.text].map((char) => page.element('span', '', char))));
      place.replaceChildren(...(told.judgement === 'corrected' ? ['→ ', plate, ' '] : []), page.element('span', told.text ? 'badge good' : 'badge off', page.t(`common.script.kind.${told.judgement.replaceAll(' ', '_')}`)));
    }
    return said;
  },
  alternative(place, other) {
    const button = page.element('button', 'quiet alt', `${other.char} `, page.element('small', '', page.percent(other.confidence)));
    button.type = 'button';
    Object.assign(button.dataset, { place, char: other.char });
    return button;
  },
};

document.addEventListener('submit', async (happening) => {
  const form = happening.target, button = happening.submitter;
  if (!('fix' in form.dataset)) return;
  happening.preventDefault();
  page.fault(form, null);
  try {
    await fix.save(form.dataset.fix, button?.name === 'judgement' ? button.value : 'corrected', button?.name === 'pick' ? button.value : form.elements.text.value);
    if (form.closest('.detail')) location.reload();
    form.closest('dialog')?.close();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    page.fault(form, problem);
  }
});

document.addEventListener('click', (happening) => {
  const button = happening.target.closest?.('[data-place]');
  if (!button) return;
  const input = button.closest('.panel, dialog').querySelector('[data-fix]').elements.text, chars = [...input.value];
  chars[button.dataset.place] = button.dataset.char;
  input.value = chars.join('');
  input.focus();
});
