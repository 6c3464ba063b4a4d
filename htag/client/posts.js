// Messages by POST, where there is no WebSocket: one at a time, so that events and answers keep their order.

const HANDLER_MS = 300000; // ms for the answer to an event, whose handler may take long
const GOING_AWAY = 1001; // close code
const GAP = 4400; // close code: the server took an event, and has forgotten it again

function createPosts({link, log, session, receive, handlePayload, overlay, post, hello, silence, step, connection, ...page}) {
  const {later, decode, goTo, attemptMs, sleep} = page;
  const {next, withReceipt, greet, skip, settleUnsent, isReady} = page.outbox;
  let posting = null; // the request under way
  let posted = null; // what it says

  function pump() {
    if (!posting && (isReady('sse') || link.state === 'http')) exclusively(next());
  }

  async function exclusively(message) {
    const request = (posting = new AbortController());
    posted = message;
    silence.expect();
    await deliver(message, request);
    if (posting !== request) return;
    posting = null;
    page.outbox.pump();
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
    const timer = isServing ? null : setTimeout(connection.silent, attemptMs(link));
    await exclusively({action: 'poll'});
    clearTimeout(timer);
  }

  // Says something as the page is left. A stream has ended by then.
  function sayLast(message) {
    if (link.counts) post(message, hello()).catch(() => {}); // who is gone hears of no failure
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
    if (link.state !== 'left') later.loadForLogin();
    failed(message, 'HTTP Error', status, GOING_AWAY);
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
    connection.interrupted(status);
  }

  // Version 1 cannot know whether the event was done, and does not send it again.
  function failed(message, title, text, status) {
    if (link.counts) return connection.interrupted(status);
    if (link.state === 'http' && !(status > 0 && status < 500)) step('lost');
    if (message.event) overlay.show(title, text); // a poll fails in silence: it is repeated anyway
    settleUnsent(message);
  }

  // Whether the server is there, by a request beside the one that is under way. If it brings what that one or the stream
  // owes, or the server does not know of that one, they do not deliver.
  async function ask() {
    const beside = {action: 'poll', fallback: true};
    const {status, answer} = await post(beside, hello(), undefined, SILENCE_MS);
    silence.heard();
    if (status !== 200 || !link.counts) return;
    const shown = () => `${log.numbers().done} ${window.HTAG_REVISION}`;
    const before = shown();
    took(beside, answer, true);
    await sleep(0); // until that is applied
    const isAtWork = link.level === 'http' && posted.n <= answer.last && log.isWaiting();
    const isDead = posting ? !isAtWork : isReady('sse') && shown() !== before;
    if (!isDead) return;
    abandon();
    connection.interrupted(GOING_AWAY);
    if (link.level === 'http') poll();
  }

  return {pump, abandon, poll, sayLast, ask, isBusy: () => Boolean(posting)};
}
