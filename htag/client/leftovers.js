// Events that were not saved when the page was left: the page that is loaded in its place sends them again (resend.js), in
// the name of the tab that they were made in.

function createLeftovers({basePath, tab, storage, log, outbox}) {
  const key = `htag_unsaved ${basePath}`; // in sessionStorage
  const kept = () => JSON.parse(storage?.getItem(key) ?? '[]');
  let earlier = []; // of earlier loads of this page, as far as they were taken: {tab, session, events, open, next}

  // Keeps them for the next page, with those of earlier ones.
  function keep({persisted}) {
    const own = {tab, session: window.HTAG_SESSION, ...log.unsaved()};
    const all = [...kept(), ...earlier, own].filter(({events}) => events.length);
    if (!persisted && !own.events.length) outbox.sayLast({action: 'bye'});
    try {
      if (all.length) storage?.setItem(key, JSON.stringify(all));
      else storage?.removeItem(key); // of a visit to this page that was gone back to
    } catch (error) {
      console.warn('htag: events that are not saved are lost if the page is loaded again', error); // too large
    }
  }

  // Returns them, for this page to send again: what is not in `events` any more is not kept any longer.
  function take() {
    earlier = kept();
    storage?.removeItem(key);
    return earlier;
  }

  return {keep, take};
}

function sessionStorageOrNull() {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden, as cookies are then
  }
}
