// A thousand tabs with the client's own connection, its delays and its ladder, in a time that jumps from timer to timer.
// Called with the source of the client's parts. Everything else of a page is pretended; the server is down for a while.

window.storm = async ({source, people, downMs, lastMs, seed}) => {
  let now = 0;
  const timers = []; // the next one last
  function setTimeout(callback, ms = 0) {
    const timer = {when: now + ms, callback};
    let [low, high] = [0, timers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (timers[middle].when > timer.when) low = middle + 1;
      else high = middle;
    }
    timers.splice(low, 0, timer);
    return timer;
  }
  const clearTimeout = (timer) => timer && (timer.callback = null);
  const performance = {now: () => now};
  // the same chances in each run
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const chance = new Proxy(Math, {get: (math, name) => (name === 'random' ? random : math[name])});
  const isUp = () => now >= downMs;
  const handshakes = [];

  class Connection {
    readyState = 0;
    constructor() {
      const welcome = JSON.stringify({action: 'welcome', last: 0, saved: 0, people});
      setTimeout(() => {
        if (!isUp()) return this.onclose?.({code: 1006});
        handshakes.push(now);
        this.readyState = 1;
        this.onmessage?.({data: welcome});
      }, 20);
    }
    close() {
      this.readyState = 3;
    }
  }

  const names = 'createLink, createConnection, createTransports, createPolling, createPause, isServed, sleep, jitter, spanOf';
  const make = new Function('Math, setTimeout, clearTimeout, performance, WebSocket, EventSource', `${source}; return {${names}}`);
  const client = make(chance, setTimeout, clearTimeout, performance, Connection, Connection);
  window.HTAG_TIMEOUT = 3000;

  function tab() {
    const link = client.createLink();
    const step = (event) => connection.step(event);
    const poll = async () => void (isUp() && link.state === 'away' && step('http'));
    const outbox = {greet: () => Object.assign(link, {counts: true, attempts: 0}), isIdle: () => true};
    const posts = {poll, abandon() {}};
    const log = {lost() {}, messages: () => [], isSaved: () => true};
    const pause = client.createPause();
    const transports = client.createTransports({
      address: (name) => `http://localhost/${name}`, link, outbox, hello: () => ({}), receive() {}, step,
    });
    const startPolling = client.createPolling({...client, link, posts, pause});
    const calls = {settleSent() {}};
    const later = {call: startPolling}; // all that it is called for
    const connection = client.createConnection({link, log, session: {}, calls, outbox, posts, transports, later, pause});
    connection.connectLoop();
    return link;
  }

  async function run(until) {
    for (;;) {
      for (let n = 0; n < 10; n++) await Promise.resolve(); // what follows a promise comes before the next timer
      if (!timers.length || timers.at(-1).when > until) break;
      const {when, callback} = timers.pop();
      now = Math.max(now, when);
      callback?.();
    }
    now = until;
  }

  const before = downMs;
  downMs = 0; // at first the server is there
  const tabs = Array.from({length: people}, tab);
  await run(10000);
  const connected = tabs.filter(({state}) => state === 'ws').length;
  handshakes.length = 0;
  downMs = now + before;
  const began = now;
  for (const {ws} of tabs) ws.onclose({code: 1012});
  await run(began + lastMs);
  const seconds = {};
  for (const when of handshakes) seconds[Math.floor((when - began) / 1000)] = (seconds[Math.floor((when - began) / 1000)] ?? 0) + 1;
  const states = {};
  for (const {state} of tabs) states[state] = (states[state] ?? 0) + 1;
  return {connected, seconds, states, last: (Math.max(...handshakes) - began) / 1000};
}
