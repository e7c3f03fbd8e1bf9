/* Before the first paint, so that no wrong colours flash: the viewer's own choice of light or dark. */
try { document.documentElement.dataset.theme = localStorage.getItem('theme') ?? ''; } catch { /* storage may be forbidden */ }
