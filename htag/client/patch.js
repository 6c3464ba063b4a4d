// Makes the page what the server says. How is loaded later (operations.js); what that has to know is kept until then.

function createPatch() {
  const early = []; // [name of a function that is not there yet, what it is given]
  const keep = (name) => (...given) => void early.push([name, given]);
  return {isPatching: false, early, noteTyped: keep('noteTyped'), answered: keep('answered')};
}
