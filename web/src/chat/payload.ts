// When two payloads count as the same: their JSON text is, and the bytes of their binary parts.

/** A number of 53 bits that stands for a payload: equal payloads have equal ones, others hardly ever. */
export function keyOf(payload: unknown): number {
  let json: string;
  try {
    json = JSON.stringify(payload, (_key, part) => (isBinary(part) ? `bytes ${hexOf(part)}` : part)) ?? 'undefined';
  } catch {
    json = 'unreadable'; // too deep a nesting
  }
  return hash(json);
}

/** Two rounds of a multiplicative hash with different factors, put together. */
function hash(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return (low >>> 11) * 2 ** 32 + (high >>> 0);
}

function isBinary(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

function hexOf(value: ArrayBuffer | ArrayBufferView): string {
  const bytes = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
