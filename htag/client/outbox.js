// Queues messages to the server until they can go, and sends them in order over whatever is connected.

const GOT_MS = 3000; // ms between two messages which say no more than what the page shows

function createOutbox({say, link, log, session, queue, calls, receive, handlePayload, overlay, post, hello, silence, step, lost}) {
  let posting = null; // the request under way: one at a time, so that events and answers keep their order
  let told; // revision that the server knows this page to show
  let telling = null;

  function enqueue(given) {
    if (link.state === 'left') return settleUnsent(given);
    const message = {...given}; // it will have a number
    const unkept = 'event' in message ? log.add(message) : null;
    if (unkept) settleUnsent(unkept);
    if (unkept === message) return say('full');
    if (unkept) queue.splice(queue.indexOf(unkept), 1);
    queue.push(message);
    pump();
    if (queue.length) lost.waits();
  }

  const isReady = (kind) => link.state === kind && isOpen(link[kind]);

  function pump() {
    if (posting) return;
    while (queue.length && isReady('ws')) link.ws.send(encode(withReceipt(next())));
    if (queue.length && (isReady('sse') || link.state === 'http')) exclusively(next());
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

  // Says with a message what the page shows, unless the server knows.
  function withReceipt(message) {
    if (!link.counts || told === window.HTAG_REVISION) return message;
    told = window.HTAG_REVISION;
    return {...message, got: told};
  }

  // The page shows something new. The server need not keep what was before it, so it is told, if by no event soon.
  function shows() {
    telling ??= setTimeout(() => {
      telling = null;
      if (told !== window.HTAG_REVISION && (isReady('ws') || isReady('sse'))) enqueue({action: 'got'});
    }, GOT_MS);
  }

  // Begins on a new connection: the server has said which events it has, and gets the others; or it said nothing of
  // the kind, and does not count them (version 1).
  function greet({last, saved}) {
    link.counts = last !== undefined;
    if (link.counts) abandon();
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
    if (old.length) say('unkept', old.length);
  }

  // An event that the server cannot do, and that stands in the way of those after it.
  function skip(message, title, text) {
    overlay.show(title, `"${message.event}" of "${message.id}" was not done. ${text}`);
    settleUnsent({...message});
    log.skip(message);
  }

  async function exclusively(message) {
    const request = (posting = new AbortController());
    silence.expect();
    await deliver(message, request);
    if (posting !== request) return;
    posting = null;
    pump();
  }

  // Gives up the request that is under way, if there is one.
  function abandon() {
    posting?.abort();
    posting = null;
  }

  // Asks what is new; a request that is on its way brings that as well.
  async function poll() {
    if (posting) return;
    const isServing = link.state === 'http';
    if (!isServing) link.attempts++;
    const timer = isServing ? null : setTimeout(lost.silent, attemptMs(link));
    await exclusively({action: 'poll'});
    clearTimeout(timer);
  }

  // Says something as the page is left. A stream has ended by then.
  function sayLast(message) {
    if (isReady('ws')) link.ws.send(encode(message));
    else if (link.counts) post(message, hello()).catch(() => {}); // who is gone hears of no failure
  }

  async function deliver(message, request) {
    const fallback = link.level === 'http' || undefined; // the answer shall come in this very response
    try {
      const ms = message.event && HANDLER_MS;
      const {status, text, answer, isOurs} = await post({...withReceipt(message), fallback}, hello(), request, ms);
      silence.heard();
      // the last: the person logged in elsewhere while this tab was cut off, and its token is an old one
      if (/^(Unknown session|No session cookie|CSRF)/.test(text)) session.lost(text.startsWith('No'));
      else if (!isOurs) estranged(message, status);
      else if (status < 300) took(message, answer, fallback);
      else refused(message, status, text, answer);
    } catch (error) {
      if (posting === request) failed(message, 'Network Error', String(error), request.signal.aborted ? GOING_AWAY : 0);
    }
  }

  function estranged(message, status) {
    session.estranged();
    failed(message, 'HTTP Error', status, GOING_AWAY);
  }

  // Whether the server is there. A stream cannot be asked: if a POST brings what it owes, it does not deliver.
  async function ask() {
    const message = isReady('sse') ? {action: 'poll', fallback: true} : {action: 'ping'};
    const {status, answer} = await post(message, hello(), undefined, SILENCE_MS);
    silence.heard();
    if (status !== 200 || !isReady('sse')) return;
    const shown = () => `${log.numbers().done} ${window.HTAG_REVISION}`;
    const before = shown();
    took(message, answer, true);
    await sleep(0); // until that is applied
    if (shown() !== before) lost.interrupted(GOING_AWAY);
  }

  function took(message, answer, fallback) {
    const {payloads, revision, last, saved} = answer;
    const begins = fallback && link.state === 'away' && step('http');
    payloads?.forEach((text) => receive(decode(text)));
    if (fallback && revision !== undefined) handlePayload({shown: revision}); // after these payloads
    if (last !== undefined) log.saved(saved);
    else if (fallback) settleUnsent(message);
    if (begins) greet(answer);
  }

  function refused(message, status, text, {at}) {
    if (at) goTo(link, at);
    const why = `${status}: ${text}`;
    if (!link.counts || !message.n || status === 409 || status === 429 || status >= 500)
      return failed(message, 'HTTP Error', why, status === 409 && !at ? GAP : status);
    if (message.action !== 'skip') skip(message, 'HTTP Error', why);
    lost.interrupted(status);
  }

  // Version 1 cannot know whether the event was done, and does not send it again.
  function failed(message, title, text, status) {
    if (link.counts) return lost.interrupted(status);
    if (link.state === 'http' && !(status > 0 && status < 500)) step('lost');
    if (message.event) overlay.show(title, text); // a poll fails in silence: it is repeated anyway
    settleUnsent(message);
  }

  const isBusy = () => Boolean(posting);
  const isIdle = () => !posting && !queue.length && !log.isWaiting();

  // Settles a message's promise, after all answers that came before it; one already answered is not there any more.
  function settleUnsent(message) {
    if (message.data) handlePayload({callback_id: message.data.callback_id});
  }

  return {enqueue, pump, poll, greet, shows, abandon, sayLast, isReady, ask, isBusy, isIdle};
}
