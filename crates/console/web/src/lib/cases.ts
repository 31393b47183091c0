// What a press on a case sends: always the announcements and episodes its sender was shown, never more.

import { isLatched, isStanding, needsAcknowledgement } from './order';
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

/** Episodes of one alarm that read the same as one line with their number; the newest stands for them. */
export function collapsed(episodes: readonly CaseEpisode[]): { episode: CaseEpisode; times: number }[] {
  const lines = new Map<string, { episode: CaseEpisode; times: number }>();
  for (const episode of episodes) {
    const { alarm, state, outcome } = episode;
    const key = `${alarm.tag} ${alarm.condition} ${state} ${outcome?.outcome ?? ''}`;
    const times = (lines.get(key)?.times ?? 0) + 1;
    lines.set(key, { episode, times });
  }
  return [...lines.values()];
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

/** What still stands between a case and 办结, as far as its alarms and the enterprise's 签收 go, in the order it is usually done. */
export function obstacles(c: Case): { what: 'unsigned' | 'unseen' | 'unchecked' | 'latched' | 'standing'; n: number }[] {
  const active = (e: CaseEpisode): boolean => isStanding(e.state) && !isLatched(e.state);
  return [
    { what: 'unsigned' as const, n: unsignedBy(c, 0).length },
    { what: 'unseen' as const, n: toAcknowledge(c).length },
    { what: 'unchecked' as const, n: c.episodes.filter((e) => e.outcome === null).length },
    { what: 'latched' as const, n: c.episodes.filter((e) => isLatched(e.state)).length },
    { what: 'standing' as const, n: c.episodes.filter(active).length },
  ].filter((obstacle) => obstacle.n > 0);
}

const GAS = new Set(['combustible', 'toxic', 'oxygen']);

/** `signal` as the tag list gives it. */
export function isGasSignal(signal: string | undefined): boolean {
  return signal !== undefined && GAS.has(signal);
}

export { ref as episodeRef };
