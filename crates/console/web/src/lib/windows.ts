// What a window can be filed over, from the tags and alarms the page knows, and its end as the engine wants it.

import { tagName } from './order';
import type { Alarm, AlarmId, Tag, Window, WindowKind } from './types';

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

export interface Covering {
  window: Window;
  /** Of a window over single alarms: those of this tag, by their limits. Null is the whole tag. */
  conditions: string[] | null;
}

/**
 * The windows that cover this tag. The engine names what a window covers in words only, so a window is known by exactly those: the tag in a
 * list of tags, `LIA-101 1#甲醇储罐液位 高高报` for an alarm, or the name of its area or gateway with all that is in it.
 */
export function coveringOf(
  tag: Pick<Tag, 'tag' | 'enterprise' | 'name' | 'equipment_name'>,
  gateway: string | null,
  windows: readonly Window[],
): Covering[] {
  const name = tagName(tag.tag);
  const alarm = tag.name === name ? name : `${name} ${tag.name}`;
  const whole = new Set([`${tag.equipment_name}(全部位号)`, ...(gateway === null ? [] : [`网关 ${gateway}(全部位号)`])]);
  return windows.flatMap((window): Covering[] => {
    if (window.enterprise !== tag.enterprise) return [];
    if (whole.has(window.scope_zh) || among(window.scope_zh, name)) return [{ window, conditions: null }];
    const conditions = LIMITS.filter(([, , zh]) => among(window.scope_zh, `${alarm} ${zh}`)).map(([, condition]) => condition as string);
    const other = conditions.length === 0 && `、${window.scope_zh}`.includes(`、${alarm} `);
    return conditions.length > 0 || other ? [{ window, conditions }] : [];
  });
}

/** Whether a list of the engine's words has this one, which may itself hold the sign between them. */
function among(list: string, one: string): boolean {
  return `、${list}、`.includes(`、${one}、`);
}

/** The marks of a tag and of single limits of it, from its own and from the windows in force. */
export function marksOf(
  tag: Pick<Tag, 'in_service' | 'marks'>,
  covering: readonly Covering[],
): { whole: string[]; limits: Map<string, WindowKind[]> } {
  const force = covering.filter(({ window }) => window.in_force);
  const whole = new Set([...(tag.in_service ? [] : ['out-of-service']), ...(tag.marks ?? [])]);
  for (const { window, conditions } of force) if (conditions === null) whole.add(window.kind);
  const limits = new Map<string, WindowKind[]>();
  for (const { window, conditions } of force) {
    for (const condition of conditions ?? []) limits.set(condition, [...new Set([...(limits.get(condition) ?? []), window.kind])]);
  }
  return { whole: [...whole], limits };
}
