// One dead gateway is one line, not a hundred: alarms nobody was told of one by one, because their gateway explains them, are
// folded under the gateway's own alarm. Every fold says how many it holds, and any of them can be looked at.

import { alarmKey, isStanding } from './order';
import { isUntoldByDesign } from './suppressed';
import type { Alarm } from './types';

export interface AlarmLine {
  key: string;
  /** Null where the gateway's own alarm is gone and only what it explained is left to be seen. */
  alarm: Alarm | null;
  /** The gateway's tag. */
  gateway: string;
  members: Alarm[];
}

const OF_A_GATEWAY: ReadonlySet<string> = new Set(['gateway-lost', 'wrong-clock']);
/** What a dead gateway never explains; nor does it explain what was kept from being told by design. */
const UPPER: ReadonlySet<string> = new Set(['high', 'high-high']);

/** Lines in the order of `alarms`. The engine counts `explained_alarms` by the same rule. */
export function foldAlarms(alarms: readonly Alarm[]): AlarmLine[] {
  const heads = new Map<string, string>();
  for (const a of alarms) {
    if (OF_A_GATEWAY.has(a.condition) && (a.condition === 'gateway-lost' || !heads.has(a.tag))) heads.set(a.tag, alarmKey(a));
  }
  const members = new Map<string, Alarm[]>();
  const fits = (a: Alarm): boolean =>
    a.told === false &&
    !isUntoldByDesign(a) &&
    a.gateway !== null &&
    !UPPER.has(a.condition) &&
    (heads.has(a.gateway) || !isStanding(a.state));
  for (const a of alarms) {
    if (!fits(a) || a.gateway === null) continue;
    const of = members.get(a.gateway);
    if (of === undefined) members.set(a.gateway, [a]);
    else of.push(a);
  }
  const lines: AlarmLine[] = [];
  const begun = new Set<string>();
  for (const a of alarms) {
    const gateway = a.gateway ?? a.tag;
    const of = fits(a) ? (members.get(gateway) ?? []) : [];
    if (of.length === 0 || (of.length === 1 && !heads.has(gateway))) {
      const mine = heads.get(a.tag) === alarmKey(a) ? (members.get(a.tag) ?? []) : [];
      lines.push({ key: alarmKey(a), alarm: a, gateway: a.tag, members: mine });
    } else if (!heads.has(gateway) && !begun.has(gateway)) {
      begun.add(gateway);
      lines.push({ key: `fold@${gateway}`, alarm: null, gateway, members: of });
    }
  }
  return lines;
}

/** How many of each condition, most first. */
export function conditionCounts(alarms: readonly Alarm[]): { condition: string; zh: string; n: number }[] {
  const counts = new Map<string, { condition: string; zh: string; n: number }>();
  for (const a of alarms) {
    const known = counts.get(a.condition);
    if (known === undefined) counts.set(a.condition, { condition: a.condition, zh: a.condition_zh, n: 1 });
    else known.n += 1;
  }
  return [...counts.values()].sort((a, b) => b.n - a.n);
}
