/* The sheets follow what is typed. It is kept in this browser alone, and only where that is wanted. */
'use strict';
{
  const form = document.querySelector('[data-sheet]'), name = `sheet-${form.dataset.sheet}`, switches = document.querySelector('[data-remember]'), remember = switches.querySelector('input');
  const fields = [...form.elements].filter((one) => one.name && one.type !== 'hidden');
  const paint = () => {
    for (const place of document.querySelectorAll('[data-out]')) page.say(place, form.elements[place.dataset.out].value.trim() || place.dataset.usual || '');
    const paper = document.querySelector('.sign');
    if (paper) paper.className = `paper sign ${form.elements.paper.value}`;
  };
  const keep = () => {
    try {
      if (remember.checked) localStorage.setItem(name, JSON.stringify(fields.map((one) => [one.name, one.type === 'checkbox' ? one.checked : one.value])));
      else localStorage.removeItem(name);
    } catch { /* storage may be forbidden: nothing is kept then */ }
  };
  try {
    const kept = JSON.parse(localStorage.getItem(name) ?? 'null');
    remember.checked = Boolean(kept);
    for (const [one, value] of kept ?? []) {
      const field = form.elements[one];
      if (field && one !== 'language' && one !== 'kept') { if (field.type === 'checkbox') field.checked = value; else field.value = value; }
    }
  } catch { /* what cannot be read is not there */ }
  switches.classList.remove('unseen');
  const print = document.querySelector('[data-print]');
  print.classList.remove('unseen');
  print.addEventListener('click', () => window.print());
  remember.addEventListener('change', keep);
  for (const one of fields) one.addEventListener('input', () => { paint(); keep(); });
  form.elements.language?.addEventListener('change', () => form.requestSubmit());
  if (form.dataset.sheet === 'sign') paint();
}
