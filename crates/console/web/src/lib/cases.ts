// What a press on a case sends: always the announcements and episodes its sender was shown, never more.

import { isLatched, needsAcknowledgement } from './order';
import type { ActBody, Announcement, Case, CaseAct, CaseEpisode, EpisodeRef, Outcome, TransitionKey } from './types';

/** The four acts stand apart from the steps of a case, and each is a control of its own. */
export const ANSWERS: readonly CaseAct[] = ['acknowledge', 'accept'];
export const STEPS: readonly CaseAct[] = ['check', 'handle', 'report', 'review', 'return', 'close', 'remind', 'supervise'];
export const OUTCOMES: readonly Outcome[] = ['real', 'process-upset', 'instrument-fault', 'false', 'calibration', 'communication', 'drill'];

export type Step = 'check' | 'handle' | 'report' | 'review' | 'return' | 'close' | 'remind' | 'supervise';

export function isStep(act: CaseAct): act is Step {
  return STEPS.includes(act);
}

/** Steps that are nothing without words. */
export const COMMENT_NEEDED: ReadonlySet<Step> = new Set(['check', 'handle', 'report', 'return', 'supervise']);
/** `model::bounds::COMMENT_CHARS_MAX`. */
export const COMMENT_CHARS_MAX = 2_000;

export function episodeText(ref: EpisodeRef): string {
  return `${ref.alarm.condition}@${ref.alarm.tag}!${ref.episode.since}.${ref.episode.count ?? 0}`;
}

export function keyText(key: TransitionKey): string {
  return `${episodeText(key)}/${key.step}`;
}

const ref = (e: EpisodeRef): EpisodeRef => ({ alarm: e.alarm, episode: e.episode });

export function unsignedBy(c: Case, tier: number | null): Announcement[] {
  return c.announcements.filter((a) => !a.signed.some((s) => s.tier === tier));
}

export function toAcknowledge(c: Case): CaseEpisode[] {
  return c.episodes.filter((e) => needsAcknowledgement(e.state));
}

export function acknowledge(c: Case): ActBody {
  return { act: 'acknowledge', episodes: toAcknowledge(c).map(ref) };
}

export function accept(c: Case, tier: number | null): ActBody {
  return { act: 'accept', case: c.id, announcements: unsignedBy(c, tier).map((a) => a.key) };
}

export function close(c: Case, comment: string): ActBody {
  return { act: 'close', case: c.id, announcements: c.announcements.map((a) => a.key), comment };
}

/** Whether 核实 of these episodes with this outcome must name a field check: gas called false, or a latch to release. */
export function fieldCheckNeeded(episodes: readonly CaseEpisode[], outcome: Outcome | null, isGas: (tag: string) => boolean): boolean {
  return episodes.some((e) => isLatched(e.state) || (outcome === 'false' && isGas(e.alarm.tag)));
}

const GAS = new Set(['combustible', 'toxic', 'oxygen']);

/** `signal` as the tag list gives it. */
export function isGasSignal(signal: string | undefined): boolean {
  return signal !== undefined && GAS.has(signal);
}

export { ref as episodeRef };
