// Makes an event of the page a message to the server.

function createEvents({tab, calls, patch, report}) {
  let events = 0;

  return function htagEvent(id, name, event) {
    const isDom = event instanceof Event;
    // a focused element that is replaced says blur, its successor says focus: no person did that
    if (patch.isPatching && isDom && /^(focus|blur|change)/.test(event.type)) return Promise.resolve(null);
    const callback = `${tab}-${++events}`; // all tabs of a session get all answers: unique among them
    return new Promise((resolve) => {
      calls.add(callback, resolve);
      try {
        // as the server will see it: later changes by the caller do not matter, and what is not JSON fails here
        const data = JSON.parse(JSON.stringify({...eventData(name, event), callback_id: callback}));
        if (isDom && /^(input|change)$/.test(event.type)) patch.fields.noteTyped(event.target, callback);
        window.htag_transport({id, event: name, data});
      } catch (error) {
        report('Client JavaScript Error', error);
        calls.settle(callback, null);
      }
    });
  };
}

function eventData(name, event) {
  if (event === undefined) return {};
  if (event === null || typeof event !== 'object') return {value: event};
  if (!(event instanceof Event)) return event;
  const {target, key, pageX, pageY, button, which, newURL, oldURL} = event;
  const data = {key, pageX, pageY, button, which, newURL, oldURL};
  if (!(target instanceof Element)) return data;
  if (isTick(target)) data.checked = target.checked;
  data.value = data.checked ?? target.value;
  if (name === 'submit' && target.tagName === 'FORM') data.value = Object.fromEntries(new FormData(target));
  return data;
}
