/* Model: how far an upload is. Everything else works by forms and by parts.js. */
'use strict';
document.addEventListener('submit', (happening) => {
  const form = happening.target, file = form.elements.bundle?.files[0];
  if (!file) return;
  happening.preventDefault();
  happening.stopImmediatePropagation();
  const bar = document.getElementById('sent'), button = happening.submitter;
  const fail = (sentence) => { button.disabled = false; bar.parentElement.hidden = true; page.fault(form, new Problem(1, sentence)); };
  page.fault(form, null);
  if (file.size > Number(form.dataset.most)) { fail(form.dataset.large); return; }
  const sending = new XMLHttpRequest();
  sending.open('POST', `/api/models?file=${encodeURIComponent(file.name.slice(0, 150))}`);
  sending.setRequestHeader('X-CSRF-Token', document.body.dataset.csrf);
  sending.setRequestHeader('Content-Type', 'application/octet-stream');
  sending.upload.onprogress = (sent) => page.meter(bar, 100 * sent.loaded / sent.total, 'off', `${page.size(sent.loaded)} / ${page.size(sent.total)}`);
  sending.onerror = () => fail(page.t('common.script.unreachable'));
  sending.onload = () => {
    let said = {};
    try { said = JSON.parse(sending.response); } catch { /* no answer of ours */ }
    if (sending.status !== 202) { fail(said.error?.message ?? sending.statusText); return; }
    button.disabled = false; bar.parentElement.hidden = true;
    form.reset();
    page.paint();
  };
  button.disabled = true; bar.parentElement.hidden = false;
  sending.send(file);
}, true);
