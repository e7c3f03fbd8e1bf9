/* The first start: the picture of the camera that was just chosen, and the test of what the device reads. */
'use strict';
{
  const root = document.querySelector('[data-start]'), camera = root.querySelector('[data-camera] img'), test = root.querySelector('[data-test]');
  if (camera) {
    const network = root.querySelector('[data-stream]'), choices = [...root.querySelectorAll('[name="camera"]')];
    const show = () => { network.hidden = choices.find((one) => one.checked)?.value !== 'stream'; };
    for (const one of choices) one.addEventListener('change', show);
    show();
    setInterval(async () => {
      if (document.hidden || !(await page.ask('/api/status?watching=1').catch(() => ({}))).picture) return;
      camera.src = `/live.jpg?at=${Date.now()}`;
      camera.className = '';
    }, 1500);
  }
  if (test) {
    const told = root.querySelector('[data-read]');
    const say = (words, plates = []) => told.replaceChildren(page.element('b', '', words), ...plates.map((plate) => {
      const made = page.plate({ ...plate, characters: plate.characters });
      made.classList.add('large');
      return made;
    }));
    const read = async (picture) => {
      say(page.t('start.script.reading'));
      try {
        const { plates } = await page.ask('/api/read', picture);
        say(page.t(plates.length ? 'start.script.success' : 'start.script.nothing'), plates);
      } catch (problem) {
        if (!(problem instanceof Problem)) throw problem;
        say(problem.message);
      }
    };
    test.hidden = false;
    test.querySelector('input').addEventListener('change', (happening) => { if (happening.target.files[0]) read(happening.target.files[0]); });
    test.querySelector('[data-example]').addEventListener('click', async () => read(await (await fetch('/start/example.jpg')).blob()));
    // What passes the camera meanwhile counts just as well.
    const newest = async () => (await page.ask('/api/events?limit=1')).events[0];
    let known;
    const look = async () => {
      try {
        const event = await newest();
        if (known !== undefined && event && event.id !== known) say(page.t('start.script.seen'), [event]);
        known = event?.id ?? '';
      } catch { /* no store yet: the daemon makes it */ known ??= ''; }
    };
    look();
    setInterval(() => { if (!document.hidden) look(); }, 2000);
  }
}
