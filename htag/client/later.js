/* What a page needs later than its first click, and so is loaded after it: what is shown and kept while the connection is
 * away, and what follows when the page has to be loaded again. */

// The last part makes the others' objects. What the client script hands over is a property of the script element.
function main() {
  const {page} = document.currentScript?.page ? document.currentScript : window._error_overlay;
  const {events, patch} = page;
  createOperations(page);
  events.holding = createHolding({send: events.send, noteTyped: patch.noteTyped});
  const typed = createTyped(page);
  page.later = createAfresh({...page, typed});
  const begin = () => {
    setIndeterminate(document);
    if (page.external) return;
    notify(page);
    createResend(page)(page.leftovers.take());
    typed.restore();
    measure(page);
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
  else begin();
}

// Shows how the connection is, and what is said to the person.
function notify(page) {
  const notice = createNotice();
  const marks = createMarks(page);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheetOf(WAITING_STYLE)];

  function wait(ms) {
    notice.away(ms);
    marks.begin();
  }

  document.addEventListener('htag-disconnected', () => wait(NOTICE_MS));
  document.addEventListener('htag-connected', () => {
    notice.back();
    marks.end();
  });
  document.addEventListener('htag-notice', ({defaultPrevented, detail}) => {
    if (!defaultPrevented) notice.say(detail.text, detail.n);
  });
  if (!isServed()) wait(FIRST_MS);
}

main();
