// Time as the page shows it. All of it is the engine's time: a console whose own clock is wrong must still count down right.

import type { Case, NextDue } from './types';

/**
 * The engine's clock as seen from here: the last stamp heard, carried on by this machine's monotonic clock. A demonstration may
 * run faster than the wall clock, so the rate is measured between stamps; only real time and the factor the engine names are
 * believed, for a stamp held up by the network is no sign of a faster clock.
 */
export class ServerClock {
  /** How much faster than real time the engine says it runs. */
  factor = 1;
  private stamp = 0;
  private heardAt = 0;
  private rate = 1;
  private base: { stamp: number; heardAt: number } | null = null;

  /** Takes in a stamp of the engine, heard at `here` on this machine's monotonic clock (milliseconds). */
  hear(stamp: number, here: number): void {
    if (this.base === null) {
      this.base = { stamp, heardAt: here };
    } else if (here - this.base.heardAt >= MEASURED_OVER_MS) {
      const measured = (stamp - this.base.stamp) / (here - this.base.heardAt);
      this.rate = [1, this.factor].find((rate) => Math.abs(measured / rate - 1) < RATE_TOLERANCE) ?? this.rate;
      this.base = { stamp, heardAt: here };
    }
    this.stamp = stamp;
    this.heardAt = here;
  }

  /** The engine's time now, or null before the first stamp. */
  now(here: number): number | null {
    return this.stamp === 0 ? null : this.stamp + (here - this.heardAt) * this.rate;
  }
}

const MEASURED_OVER_MS = 4_000;
const RATE_TOLERANCE = 0.25;

/** How long the engine may be unheard before the page says so: two heartbeats of five seconds. */
export const HEARTBEAT_LOST_MS = 10_000;

export function isLost(lastHeard: number, here: number): boolean {
  return here - lastHeard > HEARTBEAT_LOST_MS;
}

/** `m:ss`, or `h:mm:ss` from an hour on; the sign is the caller's to say in words. */
export function span(ms: number): string {
  const total = Math.floor(Math.abs(ms) / 1000);
  const seconds = String(total % 60).padStart(2, '0');
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

const pad = (n: number): string => String(n).padStart(2, '0');

/** The plant's civil time, wherever the reader sits. */
export function civil(at: number, offset: number): { date: string; day: string; time: string; short: string } {
  const d = new Date(at + offset);
  const day = `${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())}`;
  const short = `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}`;
  return { date: `${d.getUTCFullYear()}-${day}`, day, time: `${short}:${pad(d.getUTCSeconds())}`, short };
}

/** `14:05:09`, with month and day when that is not today. */
export function stamp(at: number, now: number, offset: number): string {
  const then = civil(at, offset);
  return then.date === civil(now, offset).date ? then.time : `${then.day} ${then.short}`;
}

/** As `stamp`, with the year as well: for what is looked up long after. */
export function dated(at: number, now: number, offset: number): string {
  const then = civil(at, offset);
  return then.date === civil(now, offset).date ? then.time : `${then.date} ${then.short}`;
}

export interface Due {
  what: NextDue['what'];
  at: number;
  tier: number | null;
}

const HANDLING_ENDS = new Set(['reported', 'reviewed', 'closed']);

/**
 * The obligation a case is measured by: the enterprise's 签收 while any announcement lacks it (overdue keeps counting), then
 * the handling deadline, then whatever timer comes next.
 */
export function obligation(c: Case): Due | null {
  if (c.closed !== null) return null;
  const unsigned = c.announcements.filter((a) => !a.signed.some((s) => s.tier === 0));
  if (unsigned.length > 0) {
    return { what: 'sign', at: Math.min(...unsigned.map((a) => a.sign_by)), tier: 0 };
  }
  if (c.handle_by !== null && !HANDLING_ENDS.has(c.step)) {
    return { what: 'handle', at: c.handle_by, tier: 0 };
  }
  return c.next;
}

/** `datetime-local` text of an instant in the plant's civil time, and back. */
export function toLocalInput(at: number, offset: number): string {
  const c = civil(at, offset);
  return `${c.date}T${c.short}`;
}
export function fromLocalInput(text: string, offset: number): number | null {
  const at = Date.parse(`${text}Z`);
  return Number.isNaN(at) ? null : at - offset;
}
