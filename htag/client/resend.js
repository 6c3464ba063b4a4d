// What earlier loads of the page have left is sent again, each in the name of the tab that it was made in. So a server that
// has done it knows it, also where a duplicated tab does the same.

const LEFTOVER_TRIES = 60; // requests in vain, or questions whether all is saved: a minute or more

function createResend({link, later, post, sleep, jitter, LOSSES, ORDERLY}) {
  function send(leftovers) {
    const isUseful = ({session}) => session === window.HTAG_SESSION;
    leftovers.filter(isUseful).forEach(deliver);
    const others = leftovers.filter((one) => !isUseful(one)); // what another session was asked to do is no use here
    for (const other of others) other.events = [];
    const lost = others.reduce((sum, {open}) => sum + open, 0);
    if (lost) later.say('unkept', lost);
  }

  // Until all is saved: until then, this page may be left as well.
  async function deliver(leftover) {
    let last; // number of the latest that the server has; it is asked first
    const query = {v: 2, tab: leftover.tab, rev: window.HTAG_REVISION, session: leftover.session, next: leftover.next};
    for (let tries = 0; leftover.events.length && tries < LEFTOVER_TRIES && link.state !== 'left';) {
      const event = leftover.events.find(({n}) => n > last);
      const before = last ?? -1;
      const {code, answer} = await attempt(event ?? {action: 'poll'}, {...query, from: leftover.events[0].n});
      last = answer.last;
      if (code === 200 && last === undefined) break; // the server does not count them
      if (event && last === undefined && !ORDERLY.includes(code)) countLoss(event);
      Object.assign(query, {at: answer.at, insist: last === undefined ? 1 : undefined});
      leftover.events = leftover.events.filter(({n}) => !(n <= answer.saved));
      if (last > before && leftover.events.some(({n}) => n > last)) continue;
      tries++;
      await sleep(jitter(POLL));
    }
    if (!leftover.events.length) attempt({action: 'bye'}, query);
    if (link.state !== 'left') leftover.events = [];
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
      const {status, answer, isOurs} = await post(message, query);
      return {code: isOurs ? status : 503, answer}; // a proxy in front is no event's fault
    } catch {
      return {code: 0, answer: {}}; // it is tried again
    }
  }

  return send;
}
