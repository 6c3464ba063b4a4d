// Keeps the events of this page until the server has saved them, so that they can be sent again: a server that counts
// them does each of them once. Their numbers are 1, 2, … per page load, given when they are first sent.

const LOG_EVENTS = 500; // kept at most: what a busy page does in minutes while the server's store is down
const LOG_BYTES = 1 << 18; // of them all; what has no answer yet is kept beyond that
const LOSSES = 3; // connections that break in a row while the server is at one event: that is why, perhaps
const UNSENT_MS = 60000; // ms a click waits to be sent: later it is not expected any more, and perhaps not wanted
const TYPED = ['input', 'change', 'submit']; // what these say is not made again with one press
const UNSAVED_MS = 30000; // ms after which an answered event should be saved: its session may be none that is
const GOING_AWAY = 1001; // close code
const ORDERLY = [1000, GOING_AWAY, 1012, 1013, 4307, 409, 429, 503]; // close codes, and states of HTTP: no event's fault

function createEventLog() {
  const madeAt = new WeakMap(); // message -> when
  const entries = new Map(); // message -> {size, answeredAt: 0 if it was not, isUnderWay, losses}
  let bytes = 0;
  let latest = 0; // number that was given
  let savedTo = 0; // number of the latest event that the server has saved
  let isCut = false;

  // Keeps `message`, and returns the one that is not kept for it, if there is no place: what was typed before in the
  // same field and not sent yet, since the last word counts, or else `message` itself.
  function add(message) {
    const size = JSON.stringify(message).length;
    cut(1, size);
    const last = entries.size < LOG_EVENTS ? null : [...entries.keys()].at(-1);
    const isTypedOver = last && !last.n && last.event === 'input' && message.event === 'input' && last.id === message.id;
    if (last && !isTypedOver) return message;
    forget(last);
    madeAt.set(message, performance.now());
    entries.set(message, {size, answeredAt: 0, isUnderWay: false, losses: 0});
    bytes += size;
    return last;
  }

  // Makes room for so many more. What the server has done goes first: only a crash before it saves that asks for it.
  function cut(more = 0, size = 0) {
    for (const [message, {answeredAt}] of entries) {
      if (!answeredAt || (entries.size + more <= LOG_EVENTS && bytes + size <= LOG_BYTES)) return;
      if (!isCut) console.warn('htag: the server does not save; if it fails, the oldest events are lost');
      isCut = true;
      forget(message);
    }
  }

  // What was never sent, and is too old for that.
  function expired() {
    const since = performance.now() - UNSENT_MS;
    return [...entries.keys()].filter((one) => !one.n && madeAt.get(one) < since && !TYPED.includes(one.event));
  }

  function forget(message) {
    bytes -= entries.get(message)?.size ?? 0;
    entries.delete(message);
  }

  function send(message) {
    message.n ??= ++latest;
    const entry = entries.get(message);
    if (entry) entry.isUnderWay = true;
  }

  // Event `number` has its answer; returns the event, unless that came before. `note`: what the server wants to be told
  // if it gets the event again: then the elements that it made are to have the same ids.
  function answered(number, note) {
    for (const [message, entry] of entries) {
      if (message.n !== number || entry.answeredAt) continue;
      Object.assign(entry, {answeredAt: performance.now(), isUnderWay: false, losses: 0});
      if (note) message.made = note;
      if (number <= savedTo) forget(message);
      cut();
      return message;
    }
  }

  function saved(number) {
    savedTo = number;
    for (const [message, {answeredAt}] of entries) if (answeredAt && message.n <= number) forget(message);
  }

  // The server has taken all events up to number `last`; returns those that it is to get, in order.
  function welcome(last, number) {
    saved(number);
    const unknown = [];
    for (const [message, entry] of entries) {
      const isKnown = message.n <= last;
      entry.isUnderWay = isKnown && !entry.answeredAt; // the answer follows
      if (isKnown) entry.losses = 0;
      else unknown.push(message);
    }
    return unknown;
  }

  // A connection broke. The server does one event after the other, so only the first can be why.
  function lost(code) {
    const first = [...entries.values()].find(({isUnderWay}) => isUnderWay);
    if (first && !ORDERLY.includes(code)) first.losses++;
    for (const entry of entries.values()) entry.isUnderWay = false;
  }

  // `message` becomes one that has the server count on without doing it.
  function skip(message) {
    message.action = 'skip';
    delete message.data;
    const entry = entries.get(message);
    if (entry) entry.answeredAt = performance.now();
  }

  // What must not be lost with this page, for the one that follows.
  function unsaved() {
    for (const message of entries.keys()) message.n ??= ++latest;
    const open = [...entries.values()].filter(({answeredAt}) => !answeredAt).length;
    return {events: [...entries.keys()], open, next: latest + 1};
  }

  // For a server that is to go on: the earliest event that is kept, the next new one, and up to which all are answered.
  function numbers() {
    const next = latest + 1;
    const earliest = (isOne) => [...entries].find(isOne)?.[0].n ?? next;
    return {from: earliest(() => true), next, done: earliest(([, {answeredAt}]) => !answeredAt) - 1};
  }

  return {
    add,
    forget,
    send,
    answered,
    expired,
    secondsOf: (message) => (performance.now() - madeAt.get(message)) / 1000,
    saved,
    welcome,
    lost,
    skip,
    unsaved,
    clear: () => entries.clear(),
    messages: () => [...entries.keys()],
    numbers,
    isHopeless: (message) => message.action !== 'skip' && entries.get(message)?.losses >= LOSSES,
    isWaiting: () => [...entries.values()].some(({isUnderWay}) => isUnderWay),
    isSaved: () => ![...entries.values()].some(({answeredAt}) => answeredAt && performance.now() - answeredAt > UNSAVED_MS),
  };
}
