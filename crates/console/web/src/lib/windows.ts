// What a window can be filed over, from the tags and alarms the page knows, and its end as the engine wants it.

import { tagName } from './order';
import type { Alarm, AlarmId, Tag } from './types';

/** Areas or gateways of these tags, by id and name. */
export function placesOf(tags: readonly Tag[], of: 'tags' | 'alarms' | 'area' | 'gateway'): [string, string][] {
  const found = new Map<string, string>();
  for (const tag of tags) {
    if (of === 'area' && tag.equipment !== '') found.set(tag.equipment, tag.equipment_name);
    if (of === 'gateway' && tag.gateway !== null) found.set(tag.gateway, tag.gateway);
  }
  return [...found].sort((a, b) => a[1].localeCompare(b[1], 'zh'));
}

const LIMITS = [
  ['low_low', 'low-low', '低低报'],
  ['low', 'low', '低报'],
  ['high', 'high', '高报'],
  ['high_high', 'high-high', '高高报'],
] as const;

/** The alarms of these tags: those that are not normal first, then the limits configured. */
export function conditionsOf(tags: readonly Tag[], alarms: readonly Alarm[]): (AlarmId & { text: string })[] {
  const own = new Set(tags.map((tag) => tag.tag));
  const found = new Map<string, AlarmId & { text: string }>();
  for (const { tag, condition, condition_zh } of alarms) {
    if (own.has(tag)) found.set(`${tag} ${condition}`, { tag, condition, text: `● ${tagName(tag)} ${condition_zh}` });
  }
  for (const tag of tags) {
    for (const [field, condition, name] of LIMITS) {
      const key = `${tag.tag} ${condition}`;
      if (tag.limits[field] !== null && !found.has(key)) found.set(key, { tag: tag.tag, condition, text: `${tagName(tag.tag)} ${name}` });
    }
  }
  return [...found.values()];
}

/** `minutes` from `now`, in whole milliseconds. */
export function untilMillis(now: number, minutes: number): number {
  return Math.round(now + minutes * 60_000);
}
