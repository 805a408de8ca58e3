// Runs before the first paint, so that no page flashes in the wrong theme. Not a module on purpose:
// modules are deferred.
(() => {
  const root = document.documentElement;
  let chosen = null;
  try {
    chosen = localStorage.getItem("theme");
  } catch {
    // Storage may be closed to us; the system's wish is then all there is.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => (root.dataset.theme = chosen ?? (dark.matches ? "dark" : "light"));
  apply();
  if (!chosen) dark.addEventListener("change", apply);
  if (new URLSearchParams(location.search).has("present")) root.dataset.present = "";
})();
