// Waiting: for some time, until it is cut short, or longer after each failure.

const DELAYS = [50, 100, 250, 500, 500, 500, 1000, 2000, 5000]; // ms between attempts: a server restarts in 1-3 s
const STABLE_MS = 5000; // ms a connection must last for the delays to begin anew, else a server that hangs up is hammered

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const jitter = (ms) => ms * (0.5 + Math.random());

// Delays that grow with the tries; setting `tries` to 0 begins anew.
function createBackoff() {
  const backoff = {
    tries: 0,
    next: () => jitter(DELAYS[Math.min(backoff.tries++, DELAYS.length - 1)]),
  };
  return backoff;
}

// The sleep between two attempts. `end` cuts it short: the one under way, or while an attempt is, the next one.
function createPause() {
  let wake = null;
  let isCut = false;
  return {
    begin: () => (isCut = false), // what was said before these attempts is no reason to hurry
    end() {
      if (wake) wake();
      else isCut = true;
    },
    async start(ms) {
      if (!isCut)
        await new Promise((resolve) => {
          wake = resolve;
          setTimeout(resolve, ms);
        });
      wake = null;
      isCut = false;
    },
  };
}
