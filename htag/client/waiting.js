// Waiting: for some time, until it is cut short, or longer after each failure and with more people.

const DELAYS = [50, 100, 250, 500, 500, 500, 1000, 2000, 5000]; // ms between attempts: a server restarts in 1-3 s
const PERSON_MS = 5; // ms in which one person comes again: 200 a second are what the half of a core takes beside its work

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const jitter = (ms) => ms * (0.5 + Math.random());

// Time in which all people of a server that fails can come again, each at another moment.
const spanOf = ({people}) => people * PERSON_MS;

// Delays that grow with the tries, and with the people of `link`; setting `tries` to 0 begins anew.
function createBackoff(link) {
  const backoff = {
    tries: 0,
    next() {
      const delay = DELAYS[Math.min(backoff.tries, DELAYS.length - 1)];
      if (backoff.tries++) return jitter(Math.max(delay, spanOf(link)));
      return jitter(delay) + Math.random() * spanOf(link);
    },
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
