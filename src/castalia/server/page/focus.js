// Where the keyboard is when what it was on goes away: on the next thing beside it, not back at the top of the page.
const MAY_HAVE_IT = ":is(a[href], button, input, select, textarea, summary, [tabindex]):not(:disabled)";

/** What had the focus last, and what it lay in, from the inside out; empty once somebody pointed elsewhere. */
let path = [];

addEventListener("focusin", (event) => {
  path = [];
  for (let each = event.target; each; each = each.parentElement) path.push(each);
});
// Not `focusout`, which some browsers tell of what is removed, too.
addEventListener("pointerdown", () => { path = []; }, true);

function keep() {
  if (!path.length || document.activeElement !== document.body) return;
  if (path[0].isConnected) {
    if (path[0].matches(MAY_HAVE_IT)) path[0].focus(); // it was disabled for a moment
    return;
  }
  const around = path.find((each) => each.isConnected && each.closest("main") && each.querySelector(MAY_HAVE_IT));
  around?.querySelector(MAY_HAVE_IT).focus();
}

/** Look after everything within an element. */
export const keepFocus = (within) =>
  new MutationObserver(keep).observe(within, { childList: true, subtree: true, attributes: true, attributeFilter: ["disabled"] });
