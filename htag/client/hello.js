// What an attempt to connect says of the tab.

const addressOf = (query) => `?${new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined))}`;

const AT_ATTEMPTS = 4; // attempts at the server that another one named, which may be gone by now

// The next attempts go to the server `at`.
const goTo = (link, at) => Object.assign(link, {at, atUntil: link.attempts + AT_ATTEMPTS});

// Returns what an attempt to connect says. The tab says its name on each transport, so that its events keep their order
// when it changes from one to another; `rev` is what the page shows.
function createHello({tab, link, log}) {
  return function hello() {
    if (link.elsewhere) link.elsewhere++; // each time another slot, perhaps
    if (link.attempts > link.atUntil) link.at = undefined;
    const insist = link.attempts > 1 ? 1 : undefined; // so that no other tab keeps the session from this one again
    const elsewhere = link.elsewhere || undefined;
    return {v: 2, tab, rev: window.HTAG_REVISION, session: window.HTAG_SESSION, ...log.numbers(), insist, elsewhere, at: link.at};
  };
}
