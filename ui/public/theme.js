// Runs before the first paint so that the window never flashes in the other theme.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem('flowglass.theme');
  } catch {
    // Storage may be blocked; the system's theme is used then.
  }
  var light = chosen ? chosen === 'light' : matchMedia('(prefers-color-scheme: light)').matches;
  document.documentElement.dataset.theme = light ? 'light' : 'dark';
})();
