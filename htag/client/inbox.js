// Applies what the server says: one message after the other, also while one waits for a script to load.

const EPOCH = 1 << 12; // where the server lost count, the numbers of updates go on anywhere: so far away at least

function createInbox(page) {
  const {calls, log, patch, later, overlay, scripts, report} = page;
  const inbox = [];
  let applying = false;

  // `hangUp` ends the connection that it came over, if it did.
  async function handlePayload(message, hangUp) {
    inbox.push([message, hangUp]);
    if (applying) return;
    applying = true;
    while (inbox.length) await apply(...inbox.shift()).catch((error) => report('Client JavaScript Error', error));
    applying = false;
  }

  async function apply(message, hangUp) {
    const {action, traceback, result = null, seq, done, made, shown} = message;
    if (shown !== undefined) window.HTAG_REVISION = shown;
    const isNews = isNewsNow(message);
    if (isNews === undefined) return hangUp?.(); // the next connection begins with what was missed
    const event = done && log.answered(done, made);
    const isRepeated = done && !event;
    const id = event?.data?.callback_id ?? message.callback_id;
    const resolve = calls.take(id); // before a snippet runs: a fallback() in there must not settle it
    try {
      if (action === 'error' && !isRepeated) overlay.show('Server Error', traceback);
      patch.answered(id);
      if (isNews && seq !== undefined) {
        window.HTAG_REVISION = seq;
        page.outbox.shows(message.ops);
      }
      if (isNews && (seq !== undefined || !isRepeated)) await change(message);
    } finally {
      resolve?.(result);
      calls.showInteracting();
      if (event) announce('answered', {seconds: log.secondsOf(event)});
    }
  }

  async function change({ops, updates = {}, statics = [], js = []}) {
    const operations = ops ?? Object.entries(updates).map(([id, html]) => ['h', id, html]); // version 1 has HTML only
    if (operations.length && !patch.apply) await later.load();
    const held = operations.length && patch.held(operations);
    if (held) await held;
    if (operations.length) patch.apply(operations);
    for (const html of statics) await scripts.injectStatic(html);
    js.forEach(scripts.run);
  }

  return handlePayload;
}

// What comes over a connection: what is for the page, and what is about the connection itself.
function createReceive({silence, log, handlePayload}) {
  return function receive(message, hangUp) {
    const {action, seq, done, saved} = message;
    silence.heard();
    if (seq && !done) silence.told();
    if (saved && action !== 'welcome') log.saved(saved);
    if (!['saved', 'welcome', 'pong'].includes(action)) handlePayload(message, hangUp);
  };
}

// Whether the page does not show this yet; undefined: that is open, because something before it was missed.
function isNewsNow({seq, ops, updates = {}}) {
  const ahead = seq - window.HTAG_REVISION;
  if (Number.isNaN(ahead) || ahead === 1) return true; // the first is without a number
  const [name, id] = ops?.[0] ?? [];
  const body = tagId(document.body);
  const isWhole = body in updates || (name === 'h' && id === body);
  if (isWhole) return ahead > 0 || ahead < -EPOCH;
  return ahead > 0 ? undefined : false;
}
