// One act from press to answer. Until the engine answers, the control shows that it is pending and nothing else changes.

import { type ActResult, sendAct } from './api';
import { freshId } from './keep';
import type { ActBody, Reason } from './types';

export class Acting {
  state = $state<'idle' | 'pending' | 'retrying' | 'done' | 'refused' | 'unreachable'>('idle');
  reasons = $state.raw<Reason[]>([]);
  /** The act's name while it is under way and after. */
  act = $state<string | null>(null);
  private sent: { id: string; text: string } | null = null;

  get busy(): boolean {
    return this.state === 'pending' || this.state === 'retrying';
  }

  async send(body: ActBody): Promise<ActResult['is'] | 'busy'> {
    if (this.busy) return 'busy';
    const text = JSON.stringify(body);
    // The same act after no answer keeps its id; with other content it is another act.
    const id = this.state === 'unreachable' && this.sent?.text === text ? this.sent.id : freshId();
    this.sent = { id, text };
    this.act = body.act;
    this.reasons = [];
    this.state = 'pending';
    const result = await sendAct(body, id, () => {
      this.state = 'retrying';
    });
    this.state = result.is === 'ended' ? 'idle' : result.is;
    if (result.is === 'refused') this.reasons = result.reasons;
    if (result.is === 'done') {
      setTimeout(() => {
        if (this.state === 'done') this.clear();
      }, 2_500);
    }
    return result.is;
  }

  clear(): void {
    this.state = 'idle';
    this.reasons = [];
    this.act = null;
  }
}
