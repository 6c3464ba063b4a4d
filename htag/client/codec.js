// A message as text: JSON, or in base64 what PARANO conceals of it.

function encode(message) {
  const text = JSON.stringify(message);
  if (!window.PARANO) return text;
  const bytes = exclusiveOr(new TextEncoder().encode(text));
  let binary = '';
  // 32 KiB a piece: as many arguments as every browser takes
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

function decode(text) {
  if (!window.PARANO) return JSON.parse(text);
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(exclusiveOr(bytes)));
}

function exclusiveOr(bytes) {
  const key = new TextEncoder().encode(window.PARANO);
  for (let at = 0; at < bytes.length; at++) bytes[at] ^= key[at % key.length];
  return bytes;
}
