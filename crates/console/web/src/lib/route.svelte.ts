// Which page is shown. A case is named in the query, not the path: its id may hold dots and slashes, and the server gives the
// page only for paths without a dot.

class Route {
  path = $state(location.pathname);
  query = $state(location.search);

  constructor() {
    addEventListener('popstate', () => this.read());
    addEventListener('click', (event) => {
      if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
      const anchor = (event.target as Element | null)?.closest?.('a[href]');
      if (!(anchor instanceof HTMLAnchorElement) || anchor.target !== '' || anchor.origin !== location.origin) return;
      event.preventDefault();
      this.go(anchor.pathname + anchor.search);
    });
  }

  go(to: string): void {
    if (to !== location.pathname + location.search) history.pushState(null, '', to);
    this.read();
    scrollTo(0, 0);
  }

  /** The case the address names, by `/case?id=` or, as messages link it, `/case/{id}`. */
  get caseId(): string | null {
    if (this.path === '/case') return new URLSearchParams(this.query).get('id');
    const rest = /^\/cases?\/(.+)$/.exec(this.path)?.[1];
    if (rest === undefined) return null;
    try {
      return decodeURIComponent(rest);
    } catch {
      return rest;
    }
  }

  /** The tag the address names, by `/tag?id=`. */
  get tagId(): string | null {
    return this.path === '/tag' ? new URLSearchParams(this.query).get('id') : null;
  }

  private read(): void {
    this.path = location.pathname;
    this.query = location.search;
  }
}

export const route = new Route();

export function caseLink(id: string): string {
  return `/case?id=${encodeURIComponent(id)}`;
}

export function tagLink(id: string): string {
  return `/tag?id=${encodeURIComponent(id)}`;
}
