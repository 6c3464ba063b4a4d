// Events that were not saved when the page was left: the page that is loaded in its place sends them again, in the name
// of the tab that they were made in. So a server that has done them knows them, also where a duplicated tab does the same.

const LEFTOVER_TRIES = 60; // requests in vain, or questions whether all is saved: a minute or more

function createLeftovers({basePath, tab, link, say, log, post, bye}) {
  const key = `htag_unsaved ${basePath}`; // in sessionStorage
  const storage = sessionStorageOrNull();
  let leftovers = []; // of earlier loads of this page: {tab, session, events, open, next}

  function keep({persisted}) {
    const own = {tab, session: window.HTAG_SESSION, ...log.unsaved()};
    const all = [...leftovers, own].filter(({events}) => events.length);
    if (!persisted && !own.events.length) bye();
    try {
      if (all.length) storage?.setItem(key, JSON.stringify(all));
      else storage?.removeItem(key); // of a visit to this page that was gone back to
    } catch (error) {
      console.warn('htag: events that are not saved are lost if the page is loaded again', error); // too large
    }
  }

  function send() {
    const kept = JSON.parse(storage?.getItem(key) ?? '[]');
    storage?.removeItem(key);
    const isUseful = (one) => one.session === window.HTAG_SESSION;
    leftovers = kept.filter(isUseful); // those of another one are no use here
    const lost = kept.filter((one) => !isUseful(one)).reduce((sum, {open}) => sum + open, 0);
    if (lost) say('unkept', lost);
    for (const leftover of leftovers) deliver(leftover);
  }

  // Until all is saved: until then, this page may be left as well.
  async function deliver(leftover) {
    let last; // number of the latest that the server has; it is asked first
    const say = {v: 2, tab: leftover.tab, rev: window.HTAG_REVISION, session: leftover.session, next: leftover.next};
    for (let tries = 0; leftover.events.length && tries < LEFTOVER_TRIES && link.state !== 'left';) {
      const event = leftover.events.find(({n}) => n > last);
      const before = last ?? -1;
      const {code, answer} = await attempt(event ?? {action: 'poll'}, {...say, from: leftover.events[0].n});
      last = answer.last;
      if (code === 200 && last === undefined) break; // the server does not count them
      if (event && last === undefined && !ORDERLY.includes(code)) countLoss(event);
      Object.assign(say, {at: answer.at, insist: last === undefined ? 1 : undefined});
      leftover.events = leftover.events.filter(({n}) => !(n <= answer.saved));
      if (last > before && leftover.events.some(({n}) => n > last)) continue;
      tries++;
      await sleep(jitter(POLL));
    }
    if (!leftover.events.length) attempt({action: 'bye'}, say);
    leftover.events = [];
  }

  // One that the server cannot do stands in the way of those after it.
  function countLoss(event) {
    event.losses = (event.losses ?? 0) + 1;
    if (event.losses < LOSSES) return;
    event.action = 'skip';
    delete event.data;
  }

  async function attempt(event, query) {
    const message = {...event};
    delete message.losses; // the server is not told
    try {
      const {status, answer} = await post(message, query);
      return {code: status, answer};
    } catch {
      return {code: 0, answer: {}}; // it is tried again
    }
  }

  return {keep, send};
}
