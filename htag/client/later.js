/* What a page needs later than its first click, and so is loaded after it: what is shown and kept while the connection is
 * away, and what follows when the page has to be loaded again. */

// The last part makes the others' objects. What the client script hands over is a property of the script element.
function main() {
  const {page} = document.currentScript?.page ? document.currentScript : document.querySelector('htag-error');
  const {events, outbox, patch} = page;
  createOperations(page);
  events.holding = createHolding({send: events.send, noteTyped: patch.noteTyped});
  const typed = createTyped(page);
  const afresh = createAfresh({...page, typed});
  const post = createPost(page);
  Object.assign(page.silence, createSilence(whomToAsk(page)));
  Object.assign(page.posts, createPosts({...page, afresh, post}));
  page.later = {...afresh, startPolling: createPolling(page)};
  outbox.pump(); // what waited for that
  const begin = () => {
    setIndeterminate(document);
    if (page.external) return;
    notify(page);
    createResend({...page, post})(page.leftovers.take());
    typed.restore();
    measure(page);
    createSiblings(page);
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', begin);
  else begin();
}

// What a silent server is told by, and given up by.
function whomToAsk({link, log, outbox, posts, connection, encode}) {
  const mayAsk = () => link.counts && !window.HTAG_RELOAD; // a developer may have stopped the server at a line
  return {
    isWaiting: () => mayAsk() && (posts.isBusy() || log.isWaiting()),
    isConnected: () => mayAsk() && (outbox.isReady('ws') || outbox.isReady('sse')),
    ask() {
      if (outbox.isReady('ws')) link.ws.send(encode({action: 'ping'}));
      else posts.ask().catch(() => {}); // then it goes on being silent
    },
    giveUp: connection.silent,
  };
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
  if (!isConnected()) wait(FIRST_MS);
}

main();
