// What people filed, what is being commissioned and what is suppressed by design, for the page that shows it.

import { get } from './api';
import { live } from './live.svelte';
import type { Beside } from './types';

/** Reads it for as long as the page stands, and again with each change of it. */
export class BesideNow {
  known = $state.raw<Beside | null>(null);
  /** The newest change could not be read. */
  failed = $state(false);

  private readonly seq = $derived(live.overview?.windows?.seq ?? 0);

  constructor() {
    $effect(() => {
      void this.seq;
      get<Beside>('/api/v1/windows').then(
        (answer) => {
          this.known = answer;
          this.failed = false;
        },
        () => {
          this.failed = true;
        },
      );
    });
  }
}
