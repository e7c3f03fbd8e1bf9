/* Times on every page: the viewer's own zone, and how long ago, which runs on. words.py says the same without script. */
'use strict';

const page = {
  // The device may have no clock of its own: times are counted on the device's clock, wherever the viewer's stands.
  skewMs: Date.now() - Date.parse(document.body.dataset.now),

  ago(iso) {
    const seconds = Math.max(0, (Date.now() - page.skewMs - Date.parse(iso)) / 1000) || 0;
    if (seconds < 1) return 'just now';
    for (const [limit, size, unit] of [[60, 1, 's'], [3600, 60, 'min'], [48 * 3600, 3600, 'h']]) {
      if (seconds < limit) return `${Math.floor(seconds / size)} ${unit} ago`;
    }
    return `${Math.floor(seconds / 86400)} days ago`;
  },

  clock(iso) {
    const moment = new Date(iso);
    if (Number.isNaN(moment.getTime())) return iso;
    const time = moment.toLocaleTimeString('en-GB');
    const isToday = moment.toDateString() === new Date(Date.now() - page.skewMs).toDateString();
    return isToday ? time : `${moment.getDate()} ${moment.toLocaleString('en-GB', { month: 'short' })}, ${time}`;
  },

  say(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  },

  clocks(root) {
    for (const time of root.querySelectorAll('time[data-clock]')) page.say(time, page.clock(time.dateTime));
  },

  agos() {
    for (const element of document.querySelectorAll('[data-ago]')) page.say(element, page.ago(element.dataset.ago));
    for (const element of document.querySelectorAll('[data-since]')) {
      page.say(element, element.dataset.pattern.replace('{ago}', page.ago(element.dataset.since)));
    }
  },
};

page.clocks(document);
page.agos();
setInterval(() => { if (!document.hidden) page.agos(); }, 1000);
// A crop may be gone by the time it is asked for; its frame then stays, without a broken picture in it.
document.addEventListener('error', (happening) => {
  if (happening.target.matches?.('.crop img')) happening.target.hidden = true;
}, true);
