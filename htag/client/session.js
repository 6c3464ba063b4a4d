// This page's session is gone, or cannot be had: what ends at once. What follows is in afresh.js, which is loaded later.

const REQUEST_MS = 10000; // ms for an answer: a request that hangs has one of the six connections of a browser

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
    // An answer was not our server's.
    estranged: () => link.state === 'left' || later('loadForLogin'),
    reloadWhenBack() {
      step('leave');
      later('reloadWhenBack');
    },
    renew: () => later('renew'),
  };
}

// Whether a proxy in front refuses, or leads to where a person can log in.
const isLogin = ({status, type}, text) =>
  status === 401 || type === 'opaqueredirect' || (status === 403 && text.startsWith('<'));

function sessionStorageOrNull() {
  try {
    return window.sessionStorage;
  } catch {
    return null; // forbidden, as cookies are then
  }
}
