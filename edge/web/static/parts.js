/* Parts of a page that the server paints anew: <div data-part="NAME" data-every="5">, in seconds; without data-every it is left alone.
   A part whose data-told changes says it. <form data-wait="Being done…">: its button says so until the answer comes. */
'use strict';
{
  const parts = () => [...document.querySelectorAll('[data-part]')];
  let timer = 0, isBusy = false;
  const plan = () => {
    const every = Math.min(...parts().map((part) => Number(part.dataset.every) || Infinity));
    clearTimeout(timer);
    if (every < Infinity && !isBusy) timer = setTimeout(paint, every * 1000);
  };
  const paint = async () => {
    if (!document.hidden) {
      const answer = await fetch(`${location.pathname}?quiet=1`, { headers: { Accept: 'text/html' } }).catch(() => null);
      if (answer?.redirected) { location.reload(); return; }
      if (answer?.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
        for (const part of parts()) {
          const found = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
          if (!found || isBusy || (part.contains(document.activeElement) && !found.dataset.told)) continue;
          if (found.dataset.told && found.dataset.told !== part.dataset.told) page.announce(found.dataset.told, found.dataset.tone);
          for (const name of ['told', 'every', 'tone']) found.dataset[name] ? part.dataset[name] = found.dataset[name] : delete part.dataset[name];
          part.replaceChildren(...found.childNodes);
        }
        page.clocks(document);
        page.agos();
      }
    }
    plan();
  };
  document.addEventListener('submit', (happening) => {
    const form = happening.target, button = happening.submitter;
    if (happening.defaultPrevented || !form.dataset.wait || !button) return;
    isBusy = true;
    clearTimeout(timer);
    setTimeout(() => { button.disabled = true; page.say(button, form.dataset.wait); });
    if (form.dataset.download === undefined) return;
    const said = button.textContent;  // a download leaves the page where it is
    setTimeout(() => { isBusy = false; button.disabled = false; page.say(button, said); plan(); }, 8000);
  });
  addEventListener('pageshow', (shown) => { if (shown.persisted) location.reload(); });
  page.paint = paint;
  plan();
}
