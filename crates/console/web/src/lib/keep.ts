// What one browser remembers between visits: language, and which console it is. Storage may be forbidden; then nothing is kept.

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`watchfire.${name}`);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(`watchfire.${name}`, value);
  } catch {
    // Works without, for this visit.
  }
}

/** An id nobody else gives. `crypto.randomUUID` needs https, and a control room's first visit is often plain http. */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Names this console in 消音 records. */
export function consoleName(): string {
  let name = kept('console');
  if (name === null) {
    name = `console-${freshId().slice(0, 8)}`;
    keep('console', name);
  }
  return name;
}
