// Queues messages to the server until they can go, and sends them in order over whatever is connected.

const QUEUE_LIMIT = 1000; // messages kept while nothing is connected: what the server reads in a second

function createOutbox({tab, address, link, session, queue, receive, handlePayload, overlay}) {
  let posting = false; // one request at a time, so that events and answers keep their order

  function enqueue(message) {
    if (session.leaving) return settleUnsent(message);
    if (queue.length >= QUEUE_LIMIT) {
      const last = queue.at(-1);
      const typing = message.event === 'input' && last.event === 'input' && message.id === last.id;
      settleUnsent(typing ? queue.pop() : message); // of what is typed on and on in one field the last value counts
      if (!typing) return;
    }
    queue.push(message);
    pump();
  }

  function pump() {
    if (posting) return;
    while (queue.length && isOpen(link.ws)) link.ws.send(encode(queue.shift()));
    if (queue.length && (isOpen(link.sse) || (link.usePureHttp && link.httpWorks))) exclusively(queue.shift());
  }

  async function exclusively(message) {
    posting = true;
    await post(message);
    posting = false;
    pump();
  }

  // Asks what is new; a request that is on its way brings that as well.
  async function poll() {
    if (!posting) await exclusively({action: 'poll'});
  }

  async function post(message) {
    const headers = {'Content-Type': 'application/json', 'X-HTAG-TOKEN': window.HTAG_CSRF ?? '', 'X-HTAG-TAB': tab};
    const fallback = link.usePureHttp || undefined; // the answer shall come in this very response
    try {
      const url = address('event') + revision();
      const response = await fetch(url, {method: 'POST', headers, body: encode({...message, fallback})});
      const text = await response.text();
      link.httpWorks = response.status < 500;
      // another tab renewed the session's id
      window.HTAG_CSRF = response.headers.get('X-HTAG-TOKEN') ?? window.HTAG_CSRF;
      // the last: the person logged in elsewhere while this tab was cut off, and its token is an old one
      if (/^(Unknown session|No session cookie|CSRF)/.test(text)) return session.lost(text.startsWith('No'));
      if (!response.ok) return failed(message, 'HTTP Error', `${response.status} ${response.statusText}\n${text}`);
      const answer = JSON.parse(text);
      session.works();
      answer.payloads?.forEach(receive);
      if (answer.revision !== undefined) window.HTAG_REVISION = answer.revision;
      if (fallback) settleUnsent(message);
    } catch (error) {
      link.httpWorks = false;
      failed(message, 'Network Error', String(error));
    }
  }

  function failed(message, title, text) {
    if (message.event) overlay.show(title, text); // a poll fails in silence: it is repeated anyway
    settleUnsent(message);
  }

  // Settles a message's promise, after all answers that came before it; one already answered is not there any more.
  function settleUnsent(message) {
    if (message.data) handlePayload({callback_id: message.data.callback_id});
  }

  return {enqueue, pump, poll};
}
