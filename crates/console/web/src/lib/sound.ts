// Which sound this console makes, decided without touching the audio device.
//
// Sound goes on until a person answers: the viewer's tier signs, or the enterprise acknowledges. 消音 remembers exactly what
// was sounding when it was pressed; anything that comes later, a raise folded into a known announcement included, sounds again.

import { needsAcknowledgement, rank } from './order';
import type { Alarm, Case, Level } from './types';

export interface Source {
  key: string;
  level: Level;
}

/** Everything this viewer has not answered. An administrator answers nothing, so nothing sounds for one. */
export function unanswered(cases: Iterable<Case>, alarms: Iterable<Alarm>, tier: number | null): Source[] {
  const sources: Source[] = [];
  if (tier === null) return sources;
  for (const c of cases) {
    // `answered` also knows who has not been told yet, and which data faults still wait.
    if (c.closed !== null || c.answered) continue;
    for (const a of c.announcements) {
      if (a.signed.some((s) => s.tier === tier)) continue;
      // An upper tier is not called by an announcement it has not been told, unless nobody there could be reached.
      const passed = c.tiers.some((p) => p.tier === tier && p.passed);
      if (tier > 0 && !passed && !a.told.some((t) => t.tier === tier)) continue;
      const e = a.key.episode;
      sources.push({
        key: `${c.id}|${a.key.alarm.condition}@${a.key.alarm.tag}!${e.since}.${e.count ?? 0}|${a.folded}`,
        level: a.level,
      });
    }
  }
  if (tier === 0) {
    for (const a of alarms) {
      // Sound starts at the announcement; what a dead gateway explains is called by the gateway's own alarm.
      if (!needsAcknowledgement(a.state) || !a.told) continue;
      sources.push({ key: `${a.condition}@${a.tag}!${a.episode.since}.${a.episode.count ?? 0}`, level: a.level });
    }
  }
  return sources;
}

/** The level to sound: the highest that no silence covers, or none. */
export function soundLevel(sources: readonly Source[], silenced: ReadonlySet<string>): Level | null {
  let highest: Level | null = null;
  for (const source of sources) {
    if (silenced.has(source.key)) continue;
    if (highest === null || rank(source.level) > rank(highest)) highest = source.level;
  }
  return highest;
}

/** What 消音 covers: all that sounds now, and of what it covered before only what still lives, so the set stays small. */
export function silence(sources: readonly Source[]): Set<string> {
  return new Set(sources.map((source) => source.key));
}
