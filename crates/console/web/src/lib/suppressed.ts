// 设计抑制: a condition that a tripped machine or an operating mode makes meaningless. It is recorded, shown and counted, and told to
// nobody; what is shown says so and by what.

import { alarmKey, tagName } from './order';
import type { Alarm, EpisodeRef, SuppressedBy } from './types';

/** Whether nobody was told of an alarm because it is, or was when it was raised, suppressed by design. */
export function isUntoldByDesign(alarm: Pick<Alarm, 'marks' | 'told'>): boolean {
  return alarm.told === false && (alarm.marks?.suppressed === true || (alarm.marks?.untold ?? 0) > 0);
}

/** The alarm as it stands, where it is still in this episode. */
export function standing(alarms: ReadonlyMap<string, Alarm>, of: EpisodeRef): Alarm | undefined {
  const alarm = alarms.get(alarmKey(of.alarm));
  return alarm?.episode.since === of.episode.since ? alarm : undefined;
}

/** What suppresses it; `mode` words the name of an operating mode. */
export function causes(by: readonly SuppressedBy[], mode: (name: string) => string): string {
  return by.map((one) => (one.tag === null ? mode(one.name) : `${tagName(one.tag)} ${one.name}`)).join(' · ');
}
