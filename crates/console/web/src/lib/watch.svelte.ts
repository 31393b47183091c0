// The watch a console keeps: what is unanswered here, what it sounds, and what this console has silenced.

import { sendAct } from './api';
import { consoleName } from './keep';
import { live } from './live.svelte';
import { silence, soundLevel, unanswered } from './sound';
import type { Voice } from './speaker.svelte';

class Watch {
  private silenced = $state.raw<ReadonlySet<string>>(new Set());
  /** The last 消音 is on record. */
  owned = $state(false);

  readonly sources = $derived(unanswered(live.cases.values(), live.alarms.values(), live.me?.tier ?? null));
  readonly level = $derived(soundLevel(this.sources, this.silenced));
  /** Nobody here can see alarms: the connection is lost, or the login has ended without anybody asking. */
  readonly blind = $derived(live.ended || (live.me !== null && live.lost));
  /** That has been silenced; it sounds again the next time. */
  blindSilenced = $state(false);
  readonly voice = $derived<Voice | null>(this.blind && !this.blindSilenced ? 'lost' : live.me === null ? null : this.level);
  /** Cases this viewer's tier has not signed. */
  readonly unansweredCases = $derived(live.openCases.filter((c) => !c.answered).length);

  /** 消音: quiet here at once, and the record says by whom. */
  async silence(): Promise<void> {
    this.silenced = silence(this.sources);
    if (this.blind) this.blindSilenced = true;
    // Without a login there is nobody to write down, and nothing left to hear but that.
    if (live.me === null) return;
    this.owned = false;
    const result = await sendAct({ act: 'silence', console: consoleName() });
    this.owned = result.is === 'done';
    if (this.owned) setTimeout(() => (this.owned = false), 4_000);
  }

  /** A new login hears everything again. */
  reset(): void {
    this.silenced = new Set();
  }
}

export const watch = new Watch();
