/* What a page needs later than its first click, and so is loaded after it: what is shown and kept while the connection is
 * away, and what follows when the page has to be loaded again. */

// The last part makes the others' objects. What the client script hands over is a property of the script element.
function main() {
  const {page} = document.currentScript?.page ? document.currentScript : document.querySelector('htag-error');
  const {events, external, later, leftovers, outbox, posts, silence} = page;
  createOperations(page);
  events.holding = createHolding(page);
  page.typed = createTyped(page);
  page.post = createPost(page);
  Object.assign(later, createAfresh(page), {startPolling: createPolling(page)});
  Object.assign(silence, createSilence(page));
  Object.assign(posts, createPosts(page));
  outbox.pump(); // what waited for that
  const begin = () => {
    setIndeterminate(document);
    if (external) return;
    notify(page);
    createResend(page)(leftovers.take());
    page.typed.restore();
    measure(page);
    createSiblings(page);
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
  else begin();
}

// Shows how the connection is, and what is said to the person.
function notify(page) {
  const notice = createNotice(page);
  const marks = createMarks(page);
  document.adoptedStyleSheets.push(sheetOf(WAITING_STYLE));

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
  if (!page.isServed(page.link)) wait(FIRST_MS);
}

main();
