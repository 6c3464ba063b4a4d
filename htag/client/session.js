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
      later.call('loadAgain', blocked);
    },
    // For good: what was not saved is no use.
    leave() {
      end();
      log.clear();
    },
    reloadWhenBack() {
      step('leave');
      later.call('reloadWhenBack');
    },
    renew: () => later.call('renew'),
  };
}
