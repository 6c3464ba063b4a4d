// This page's session is gone, or cannot be had: what ends at once. What follows is in afresh.js, which is loaded later.

function createSession({link, step, log, queue, calls, later}) {
  function end() {
    step('leave');
    queue.length = 0;
    calls.settleSent([]);
  }

  return {
    // The server has said so; `blocked`: there is no cookie.
    lost(blocked) {
      if (link.state === 'left') return;
      end();
      later('loadAgain', blocked);
    },
    // For good: what was not saved is no use.
    leave() {
      end();
      log.clear();
    },
    reloadWhenBack() {
      step('leave');
      later('reloadWhenBack');
    },
    renew: () => later('renew'),
  };
}

function sessionStorageOrNull() {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden, as cookies are then
  }
}
