/** The teacher's page: how many are there, every few seconds while somebody looks. */

const EVERY = 4000; // ms
const now = document.getElementById("now");

async function look() {
  if (document.hidden) return;
  try {
    const answer = await fetch(now.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const counts = await answer.json();
    for (const place of now.querySelectorAll("[data-count]")) place.textContent = counts[place.dataset.count];
  } catch {
    // The server is away; the last counts stay.
  }
}

setInterval(look, EVERY);
