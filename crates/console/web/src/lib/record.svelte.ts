// A case with its timeline. The stream carries a case but not its timeline, so every change of the case reads it anew.

import { get, Refused } from './api';
import { live } from './live.svelte';
import type { Case } from './types';

export class CaseRecord {
  read = $state.raw<Case | null>(null);
  /** No such case, or not one this login oversees. */
  missing = $state(false);
  readonly known = $derived.by(() => live.cases.get(this.id) ?? live.closed?.get(this.id) ?? null);
  /** Newest first. */
  readonly timeline = $derived([...(this.read?.timeline ?? [])].reverse());
  readonly messages = $derived([...(live.messages?.values() ?? [])].filter((m) => m.case === this.id).sort((a, b) => b.at - a.at));

  /** To be made while a component begins: it reads as long as that lives. */
  constructor(readonly id: string) {
    const stillOpen = $derived(live.cases.has(this.id));
    $effect(() => {
      // Reads again when the case changes, is closed, or the connection comes back.
      void this.known;
      void stillOpen;
      if (live.lost) return;
      let current = true;
      get<Case>(`/api/v1/cases/${encodeURIComponent(this.id)}`).then(
        (answer) => {
          if (!current) return;
          this.read = answer;
          this.missing = false;
        },
        (fault) => {
          if (current && fault instanceof Refused && fault.status === 404) this.missing = true;
        },
      );
      return () => {
        current = false;
      };
    });
    $effect(() => {
      if (live.messages === null) live.readMessages().catch(() => {});
    });
  }
}
