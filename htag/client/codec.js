// A message as text: JSON, or in base64 what PARANO conceals of it.

function encode(message) {
  const text = JSON.stringify(message);
  if (!window.PARANO) return text;
  const bytes = exclusiveOr(new TextEncoder().encode(text));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function decode(text) {
  if (!window.PARANO) return JSON.parse(text);
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(exclusiveOr(bytes)));
}

function exclusiveOr(bytes) {
  const key = new TextEncoder().encode(window.PARANO);
  return bytes.map((byte, at) => byte ^ key[at % key.length]);
}
