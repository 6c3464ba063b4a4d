// Queues messages to the server until they can go, and sends them in order over whatever is connected.

const GOT_MS = 3000; // ms between two messages which say no more than what the page shows
// So many updates of texts alone no event confirms: the server keeps little for them, and to confirm costs it half a
// click. It keeps a hundred updates, and some are on their way.
const TEXTS = 64;

function createOutbox(page) {
  const {later, link, log, queue, calls, handlePayload, overlay, posts, silence} = page;
  let told; // revision that the server knows this page to show
  let onlyTexts = true; // whether the updates since then changed nothing else
  let telling = null;

  function enqueue(given) {
    if (link.state === 'left') return settleUnsent(given);
    const message = {...given}; // it will have a number
    const unkept = 'event' in message ? log.add(message) : null;
    if (unkept) settleUnsent(unkept);
    if (unkept === message) return later.say('full');
    if (unkept) queue.splice(queue.indexOf(unkept), 1);
    queue.push(message);
    pump();
    if (queue.length) page.connection.hurry();
  }

  const isReady = (kind) => link.state === kind && isOpen(link[kind]);

  function pump() {
    if (posts.isBusy()) return;
    while (queue.length && isReady('ws')) link.ws.send(encode(withReceipt(next())));
    if (queue.length) posts.pump();
  }

  function next() {
    const message = queue.shift();
    if (!link.counts) {
      log.forget(message);
      return message;
    }
    if ('event' in message) log.send(message);
    silence.expect();
    return message;
  }

  // Says with a message what the page shows, unless the server knows, or has little to gain.
  function withReceipt(message) {
    const unsaid = window.HTAG_REVISION - told;
    if (!link.counts || !unsaid || (onlyTexts && unsaid < TEXTS)) return message;
    told = window.HTAG_REVISION;
    onlyTexts = true;
    return {...message, got: told};
  }

  // The page shows something new, by `operations`. The server need not keep what was before it, so it is told, if by no
  // event soon.
  function shows(operations) {
    onlyTexts &&= operations?.every(({length}) => length === 2);
    telling ??= setTimeout(() => {
      telling = null;
      onlyTexts = false;
      if (told !== window.HTAG_REVISION && (isReady('ws') || isReady('sse'))) enqueue({action: 'got'});
    }, GOT_MS);
  }

  // Begins on a new connection: the server has said which events it has, and gets the others; or it said nothing of
  // the kind, and does not count them (version 1).
  function greet({last, saved}) {
    link.counts = last !== undefined;
    if (link.counts) posts.abandon();
    link.attempts = link.elsewhere = 0;
    link.at = undefined;
    told = window.HTAG_REVISION;
    giveUpOld();
    if (!link.counts) for (const message of log.messages()) if (message.n) log.forget(message);
    const events = link.counts ? log.welcome(last, saved) : log.messages();
    const why = `The connection broke each of the ${LOSSES} times that it was sent.`;
    for (const message of events) if (log.isHopeless(message)) skip(message, 'Network Error', why);
    queue.splice(0, queue.length, ...events, ...queue.filter((message) => !('event' in message)));
    calls.settleSent(log.messages());
    pump();
  }

  function giveUpOld() {
    const old = log.expired();
    for (const message of old) {
      log.forget(message);
      settleUnsent(message);
    }
    if (old.length) later.say('unkept', old.length);
  }

  // An event that the server cannot do, and that stands in the way of those after it.
  function skip(message, title, text) {
    overlay.show(title, `"${message.event}" of "${message.id}" was not done. ${text}`);
    settleUnsent({...message});
    log.skip(message);
  }

  // As the page is left.
  function sayLast(message) {
    if (isReady('ws')) link.ws.send(encode(message));
    else posts.sayLast(message);
  }

  const isIdle = () => !posts.isBusy() && !queue.length && !log.isWaiting();

  // Settles a message's promise, after all answers that came before it; one already answered is not there any more.
  function settleUnsent(message) {
    if (message.data) handlePayload({callback_id: message.data.callback_id});
  }

  return {enqueue, pump, next, withReceipt, greet, skip, settleUnsent, shows, sayLast, isReady, isIdle};
}
