/* What carries `data-fresh` (where to ask; empty: this page) and an id is painted anew every 3 s by the server, while the page is looked at. */
'use strict';
{
  const freshen = async () => {
    const answer = document.hidden ? null : await fetch(document.querySelector('[data-fresh]').dataset.fresh || location.href.split('#')[0]).catch(() => null);
    if (answer?.ok) {
      for (const part of new DOMParser().parseFromString(await answer.text(), 'text/html').querySelectorAll('[data-fresh]')) {
        const here = document.getElementById(part.id);
        page.clocks(part);
        // Nothing is taken from under a hand or a cursor.
        if (!here || here.innerHTML === part.innerHTML || here.contains(document.activeElement)) continue;
        here.className = part.className;
        here.replaceChildren(...part.childNodes);
      }
    }
    setTimeout(freshen, 3000);
  };
  setTimeout(freshen, 1000);
}
