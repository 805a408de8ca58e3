/** Plotly, fetched once the page has painted and has nothing better to do. */

// plotly.js brings the style sheet of its maps, which no page here shows and the content security
// policy refuses; it leaves it out where an element with this id is already there.
const MAP_STYLES = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";

let loading = null;

/** Plotly if it is here. */
export function plotly() {
  return window.Plotly ?? null;
}

/** Fetch Plotly. @returns {Promise<any>} */
export function loadPlotly(url) {
  loading ??= new Promise((resolve, reject) => {
    if (window.Plotly) return resolve(window.Plotly);
    document.head.append(Object.assign(document.createElement("meta"), { id: MAP_STYLES }));
    const script = document.createElement("script");
    script.src = url;
    script.addEventListener("load", () => resolve(window.Plotly));
    script.addEventListener("error", () => {
      loading = null;
      script.remove();
      reject(new Error("plotly"));
    });
    document.head.append(script);
  });
  return loading;
}
