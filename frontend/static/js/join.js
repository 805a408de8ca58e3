/** The door: a link may carry the code behind its #, where no log and no other site sees it. */

const code = document.getElementById("code");
const next = document.querySelector('input[name="next"]');

let behind = location.hash.slice(1);
try {
  behind = decodeURIComponent(behind);
} catch {
  // Not a code then.
}
if (/\/join$/.test(location.pathname)) {
  if (behind && behind.length <= code.maxLength && !code.value) code.value = behind;
} else if (next.value) {
  next.value += location.hash; // the door stands in a page's place: what it was opened at comes back
}
